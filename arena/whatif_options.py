"""The options of what-if, and how lists of numbers are read."""

from dataclasses import dataclass
from typing import Any

import click

from arena.errors import OptionError
from arena.options import gathered, level_option, rounds_option, seed_option, ties_option

SHARES = "5%,10%,30%,100%"
UPLIFTS = "25,50,100"
MOST_NUMBERS = 10_000


def numbers(option: str, text: str) -> list[float]:
    """The numbers in ``5%,0.1`` or ``0:1:0.05``, from, to and step.

    >>> numbers("--share", "5%,0.1"), numbers("--uplift", "0:100:50")
    ([0.05, 0.1], [0.0, 50.0, 100.0])
    """
    found: list[float] = []
    for part in text.split(","):
        ends = [_number(option, one) for one in part.split(":")]
        if len(ends) == 1:
            found += ends
            continue
        if len(ends) != 3 or not (ends[2] > 0 and ends[0] <= ends[1]):
            raise OptionError(f"{option}: '{part}' is not of the form FROM:TO:STEP")
        first, last, step = ends
        n = int((last - first) / step + 1e-9) + 1
        if n > MOST_NUMBERS:
            raise OptionError(f"{option}: '{part}' is more than {MOST_NUMBERS:,} numbers")
        found += [first + i * step for i in range(n)]
    return found


def _number(option: str, text: str) -> float:
    bare = text.strip()
    try:
        return float(bare[:-1]) / 100.0 if bare.endswith("%") else float(bare)
    except ValueError:
        message = f"{option}: '{text}' is no number; write e.g. 5%,0.1 or 0:1:0.05"
        raise OptionError(message) from None


@dataclass(frozen=True, slots=True)
class Supposing:
    """What is supposed of a model."""

    model: str
    share: str
    uplift: str


@dataclass(frozen=True, slots=True)
class Suspecting:
    """Whose lead is to be explained."""

    model: str
    rival: str
    share: str
    lead: float
    indirect: bool


@dataclass(frozen=True, slots=True)
class Seeing:
    """What is known of who had seen which prompt."""

    match: str | None
    scope: Any


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


@dataclass(frozen=True, slots=True)
class Selecting:
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


model_option = click.option("--model", required=True, metavar="MODEL", help="Whose gain it is.")
share_option = click.option(
    "--share",
    default=SHARES,
    show_default=True,
    metavar="LIST",
    help="Of its battles that are on prompts it had seen: 5%,0.1 or FROM:TO:STEP.",
)
uplift_option = click.option(
    "--uplift",
    default=UPLIFTS,
    show_default=True,
    metavar="LIST",
    help="Points gained on them: 25,50 or FROM:TO:STEP.",
)
supposing_options = gathered(Supposing, model_option, share_option, uplift_option)
suspecting_options = gathered(
    Suspecting,
    click.option("--model", required=True, metavar="MODEL", help="Whose lead is to be explained."),
    click.option("--rival", required=True, metavar="MODEL", help="Over whom."),
    share_option,
    click.option(
        "--lead",
        type=float,
        default=0.0,
        show_default=True,
        metavar="POINTS",
        help="What is to be left of the lead.",
    ),
    click.option("--indirect", is_flag=True, help="Also of models that never met."),
)
seeing_options = gathered(
    Seeing,
    click.option(
        "--match",
        metavar="FILE",
        help="A match of these votes, from arena match -o FILE.parquet; without one, the log's "
        "own columns seen_a and seen_b.",
    ),
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
selecting_options = gathered(
    Selecting,
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
