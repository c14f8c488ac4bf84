"""What is held equal while a gain is estimated, as columns of a design.

A covariate that differs between the two answers, such as their lengths, enters as it stands. One
that both sides share, such as the language, moves no battle by itself. It matters if the exposed
models are better in one language than in another, and more of the prompts they saw are in it: so
it enters as an advantage of the exposed models for each of its values.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from arena.battles import Battles
from arena.clusters import FORBIDDEN
from arena.covariates import SIDE, need_columns
from arena.display import listing
from arena.errors import OptionError
from arena.exposure import flag
from arena.sources import collect

LEAST_OF_KIND = 100
"""Kinds of prompts with fewer battles of exposed models are taken together."""
BANDS = 5
"""A number, such as turns, is cut into so many bands at most."""

MONTH = "month"


def of_answers(controls: Sequence[str], battles: Battles) -> list[str]:
    """Those controls that differ between the two answers: style, side, x with x_a and x_b."""
    there = set(battles.columns)
    return [
        name
        for name in controls
        if name in (SIDE, "style")
        or name.startswith("style:")
        or {f"{name}_a", f"{name}_b"} <= there
    ]


def of_prompts(controls: Sequence[str], battles: Battles) -> list[str]:
    """The other controls, which both sides share.

    Raises:
        OptionError: one asked for twice, or that is no kind of prompt.
        ColumnError: one that the votes lack.
    """
    if isinstance(controls, str):
        raise OptionError(f"controls: give a list, e.g. ['{controls}']")
    twice = [name for name in controls if list(controls).count(name) > 1]
    if twice:
        raise OptionError(f"controls: '{twice[0]}' is asked for twice")
    of_both = set(of_answers(controls, battles))
    kinds = [name for name in controls if name not in of_both]
    wrong = [name for name in kinds if name in FORBIDDEN]
    if wrong:
        raise OptionError(f"controls: {listing(wrong)} is no kind of prompt; try language, turns")
    for name in kinds:
        need_columns(["tstamp" if name == MONTH else name], f"control '{name}'", battles)
    return kinds


def gain_columns(battles: Battles, sharing: Mapping[str, Sequence[str]]) -> dict[str, pl.Expr]:
    """Whether model_a had seen the prompt, less whether model_b had, for each gain.

    Args:
        battles: the votes, with `seen_a` and `seen_b`.
        sharing: name of a gain → models that share it.
    """
    found = {}
    for name, models in sharing.items():
        a, b = (
            flag(battles, f"seen_{side}") * pl.col(f"model_{side}").is_in(list(models))
            for side in "ab"
        )
        found[f"seen: {name}"] = a - b
    return found


def kind_columns(
    battles: Battles, exposed: Mapping[str, Sequence[str]], kinds: Sequence[str]
) -> dict[str, pl.Expr]:
    """An advantage for each kind of prompt but the commonest, seen from model_a.

    Each is centred over the battles it is about, so that a board at zero is of the usual mix of
    kinds.

    Args:
        battles: those whose exposure is known.
        exposed: name of a group → models that share these advantages.
        kinds: from `of_prompts`.
    """
    found = {}
    for kind in kinds:
        value = pl.col("tstamp").dt.strftime("%Y-%m") if kind == MONTH else pl.col(kind)
        for group, models in exposed.items():
            a, b = (pl.col(f"model_{side}").is_in(list(models)) for side in "ab")
            count = pl.col("votes").sum() if "votes" in battles.columns else pl.len()
            about = battles.rows.filter(battles.why_not.is_null()).filter(a != b)
            counted = about.group_by(value.alias("value")).agg(n=count.cast(pl.Float64))
            held = collect(counted, battles.sources)
            total = float(held["n"].sum())
            for label, values, n in _values(held):
                inside = value.is_in(values.implode(), nulls_equal=True).cast(pl.Float64)
                ahead = a.cast(pl.Float64) - b.cast(pl.Float64)
                before = f"{group}: " if group else ""
                found[f"{before}{kind} {label}"] = ahead * (inside - n / total)
    return found


def _values(held: pl.DataFrame) -> list[tuple[str, pl.Series, float]]:
    """Name, values and number of battles of each kind but the commonest."""
    kind = held["value"].dtype
    if kind.is_numeric():
        groups = _banded(held)
    else:
        often = held.filter(pl.col("n") >= LEAST_OF_KIND).sort("n", "value", descending=True)
        groups = [
            (_said(value), often["value"].slice(i, 1), n)
            for i, (value, n) in enumerate(often.select("value", "n").iter_rows())
        ]
        rare = held.filter(pl.col("n") < LEAST_OF_KIND)
        groups.append(("other", rare["value"], float(rare["n"].sum())))
    enough = [group for group in groups if group[2] >= LEAST_OF_KIND]
    # What is too rare to have an advantage of its own has the commonest one's.
    return sorted(enough, key=lambda group: -group[2])[1:]


def _banded(held: pl.DataFrame) -> list[tuple[str, pl.Series, float]]:
    """A number's values in bands of about as many battles; where it is missing, by itself."""
    known = held.filter(pl.col("value").is_not_null()).sort("value")
    middle = pl.col("n").cum_sum() - pl.col("n") / 2
    place = (BANDS * middle / pl.col("n").sum()).floor()
    groups = []
    for _, band in known.with_columns(place=place).group_by("place", maintain_order=True):
        low, high = (f"{float(band['value'][i]):.10g}" for i in (0, -1))
        label = low if low == high else f"{low} to {high}"
        groups.append((label, band["value"], float(band["n"].sum())))
    missing = held.filter(pl.col("value").is_null())
    return [*groups, (_said(None), missing["value"], float(missing["n"].sum()))]


def _said(value: object) -> str:
    return "not known" if value is None else str(value)
