"""The options of what-ifs that suppose a gain, and how lists of numbers are read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from arena.errors import OptionError
from arena.options import gathered

SHARES = "5%,10%,30%,100%"
PARTIAL_SHARES = "5%,10%,30%"
"""Without the whole, which leaves nothing to hold seen prompts against."""
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


model_option = click.option("--model", required=True, metavar="MODEL", help="Whose gain it is.")


def share_option(default: str) -> Callable[[Any], Any]:
    """The option of the shares of seen prompts that are supposed."""
    return click.option(
        "--share",
        default=default,
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
supposing_options = gathered(Supposing, model_option, share_option(SHARES), uplift_option)
noticing_options = gathered(Supposing, model_option, share_option(PARTIAL_SHARES), uplift_option)
suspecting_options = gathered(
    Suspecting,
    click.option("--model", required=True, metavar="MODEL", help="Whose lead is to be explained."),
    click.option("--rival", required=True, metavar="MODEL", help="Over whom."),
    share_option(SHARES),
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
