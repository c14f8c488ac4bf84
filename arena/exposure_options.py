"""The options of what-ifs that need battles: remove, estimate, dose, influence."""

from dataclasses import dataclass
from typing import Any

import click

from arena.options import gathered, level_option, seed_option, ties_option


@dataclass(frozen=True, slots=True)
class Seeing:
    """What is known of who had seen which prompt."""

    match: str | None
    scope: Any = "battle"


@dataclass(frozen=True, slots=True)
class Estimating:
    """How a gain is estimated."""

    per_model: bool
    control: tuple[str, ...]
    pseudo_exposed: tuple[str, ...]
    cluster: str
    missing: Any
    board: bool
    level: float
    seed: int


@dataclass(frozen=True, slots=True)
class Dosing:
    """What a growing share of seen prompts is let in by."""

    share: str
    by: str
    orders: int
    model: tuple[str, ...]
    level: float
    seed: int
    ties: str


@dataclass(frozen=True, slots=True)
class Removing:
    """What is looked for among the votes."""

    of: str
    place: int
    model: str | None
    rival: str | None
    most: float
    at_random: bool
    draws: int
    level: float
    seed: int


match_option = click.option(
    "--match",
    metavar="FILE",
    help="A match of these votes, from arena match -o FILE.parquet; without one, the log's own "
    "columns seen_a and seen_b.",
)
match_options = gathered(Seeing, match_option)
seeing_options = gathered(
    Seeing,
    match_option,
    click.option(
        "--scope",
        type=click.Choice(["battle", "model"]),
        default="battle",
        show_default=True,
        help="A battle is seen if its prompt is, or only if a model trained on it takes part.",
    ),
)
estimating_options = gathered(
    Estimating,
    click.option("--per-model", is_flag=True, help="A gain of its own for each exposed model."),
    click.option(
        "--control",
        multiple=True,
        metavar="NAMES",
        help="Hold equal: style, side, numeric columns; or language, turns, month, is_code, …",
    ),
    click.option(
        "--pseudo-exposed",
        multiple=True,
        metavar="MODELS",
        help="Models of the negative control; by default half of the unexposed, at random.",
    ),
    click.option(
        "--cluster",
        default="prompt",
        show_default=True,
        metavar="COLUMN",
        help="Votes within each value may depend on each other; none for independent votes.",
    ),
    click.option(
        "--missing",
        type=click.Choice(["error", "drop"]),
        default="error",
        show_default=True,
        help="Votes that lack a control or the cluster: fail, or leave them out.",
    ),
    click.option("--board", is_flag=True, help="Show the board with the gain taken out instead."),
    level_option,
    seed_option,
)
dosing_options = gathered(
    Dosing,
    click.option(
        "--share",
        default="0:100%:10%",
        show_default=True,
        metavar="LIST",
        help="Of the seen prompts that are left in: 0,50%,100% or FROM:TO:STEP.",
    ),
    click.option(
        "--by",
        default="prompt",
        show_default=True,
        metavar="COLUMN",
        help="Battles with the same value come in together.",
    ),
    click.option(
        "--orders",
        type=click.IntRange(min=2),
        default=100,
        show_default=True,
        help="Random orders in which prompts come in.",
    ),
    click.option("--model", multiple=True, metavar="MODELS", help="Only of these."),
    level_option,
    seed_option,
    ties_option,
)
removing_options = gathered(
    Removing,
    click.option(
        "--of",
        default="vote",
        show_default=True,
        metavar="COLUMN",
        help="What is removed: vote; or whole judges, prompts, sessions, days, …",
    ),
    click.option(
        "--place",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="K",
        help="Until another model enters the first K places.",
    ),
    click.option("--model", metavar="MODEL", help="Instead, until this model stands above …"),
    click.option("--rival", metavar="MODEL", help="… this one."),
    click.option(
        "--most",
        type=float,
        default=0.3,
        show_default=True,
        metavar="SHARE",
        help="Look for sets up to this share.",
    ),
    click.option(
        "--at-random",
        is_flag=True,
        help="Show how often as many removed at random do it instead.",
    ),
    click.option(
        "--draws", type=click.IntRange(min=10), default=200, show_default=True, help="Of each."
    ),
    level_option,
    seed_option,
)
