"""How boards, and judges, are held against each other: the options of compare and judges."""

from dataclasses import dataclass
from typing import Any

import click

from arena.options import (
    gathered,
    level_option,
    rounds_option,
    seed_option,
    split_names,
    ties_option,
)


@dataclass(frozen=True, slots=True)
class Placebo:
    """What two boards are held against each other with."""

    against: Any
    within: tuple[str, ...]
    cluster: str | None
    draws: int
    rounds: int
    level: float
    seed: int
    ties: str

    def arguments(self) -> dict[str, Any]:
        """What comparing boards takes under these names; less `against`, which not all take."""
        return {
            "within": split_names("--within", self.within),
            "cluster": self.cluster,
            "draws": self.draws,
            "rounds": self.rounds,
            "level": self.level,
            "seed": self.seed,
            "ties": self.ties,
        }


@dataclass(frozen=True, slots=True)
class Judging:
    """How judges are held against the others."""

    rule: Any
    alpha: float
    tails: Any
    at_least: int
    influence: str | None
    seed: int


placebo_options = gathered(
    Placebo,
    click.option(
        "--against",
        type=click.Choice(["all", "rest"]),
        default="all",
        show_default=True,
        help="Hold the votes kept against all votes, or against the rest.",
    ),
    click.option(
        "--within",
        multiple=True,
        metavar="COLUMNS",
        help="Keep as many at random within each value of these, too: language, turns, month, …",
    ),
    click.option(
        "--cluster",
        metavar="COLUMN",
        help="Resample whole clusters for the intervals of the changes: judge, session, day, …",
    ),
    click.option(
        "--draws",
        type=click.IntRange(min=1),
        default=1000,
        show_default=True,
        help="Random removals.",
    ),
    rounds_option,
    level_option,
    seed_option,
    ties_option,
)
judge_options = gathered(
    Judging,
    click.option(
        "--rule",
        type=click.Choice(["fisher", "e-value"]),
        default="fisher",
        show_default=True,
        help="p-values combined at five looks, or e-values at any time.",
    ),
    click.option(
        "--alpha",
        type=float,
        default=0.05,
        show_default=True,
        help="Chance of flagging an innocent judge.",
    ),
    click.option(
        "--tails",
        type=click.Choice(["both", "upper"]),
        default="both",
        show_default=True,
        help="Look for votes that are too high, or too low as well.",
    ),
    click.option(
        "--at-least",
        type=click.IntRange(min=1),
        default=5,
        show_default=True,
        metavar="N",
        help="Judges with at least N votes.",
    ),
    click.option(
        "--influence",
        is_flag=False,
        flag_value="judge",
        metavar="[COLUMN]",
        help="Instead: what the board would be without each judge, or session, prompt, day, …",
    ),
    seed_option,
)
