"""The options of what-ifs on how boards are run: best-of-n."""

from dataclasses import dataclass
from typing import Any

import click

from arena.options import gathered, level_option, rounds_option, seed_option


@dataclass(frozen=True, slots=True)
class Trying:
    """Private variants, of which the best is published."""

    variants: str
    on_each: str
    ties: float
    sampling: str
    spread: str
    fresh: str
    at_least: float
    like: str | None
    rating: float | None
    opponents: Any
    tie_shares: Any
    rank: int
    level: float
    rounds: int
    seed: int


trying_options = gathered(
    Trying,
    click.option(
        "--variants",
        default="2,5,10,27,50",
        show_default=True,
        metavar="LIST",
        help="How many are tried, of which the best is published.",
    ),
    click.option(
        "--on-each",
        default="3000",
        show_default=True,
        metavar="LIST",
        help="Votes on each of them.",
    ),
    click.option(
        "--ties",
        type=float,
        default=0.35,
        show_default=True,
        metavar="SHARE",
        help="Of votes that are ties, without a board.",
    ),
    click.option(
        "--sampling",
        default="1",
        show_default=True,
        metavar="LIST",
        help="They are drawn so many times as often.",
    ),
    click.option(
        "--spread",
        default="0",
        show_default=True,
        metavar="LIST",
        help="Standard deviation of their true strengths, in points; 0 for equals.",
    ),
    click.option(
        "--fresh",
        default="0",
        show_default=True,
        metavar="LIST",
        help="Votes on the one published, afterwards.",
    ),
    click.option(
        "--at-least",
        type=float,
        default=10.0,
        show_default=True,
        metavar="POINTS",
        help="Show the probability of so large a gain.",
    ),
    click.option("--like", metavar="MODEL", help="On a board: variants as strong as this model."),
    click.option("--rating", type=float, help="On a board: variants of this rating."),
    click.option(
        "--opponents",
        type=click.Choice(["uniform", "like", "near"]),
        default="uniform",
        show_default=True,
        help="On a board: whom they meet; all alike, those of --like, or those of near strength.",
    ),
    click.option(
        "--tie-shares",
        type=click.Choice(["gap", "cell"]),
        default="gap",
        show_default=True,
        help="On a board: how often they tie; by strength, or as --like did with each.",
    ),
    click.option(
        "--rank",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="K",
        help="On a board: show the probability of rank K or better.",
    ),
    level_option,
    rounds_option,
    seed_option,
)
