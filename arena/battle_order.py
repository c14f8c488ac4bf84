"""Battles one after another, names as integers: what online Elo is played on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.accounts import Reading
from arena.battles import Battles, read_battles
from arena.errors import ColumnError, OptionError
from arena.schema import UNVOTED
from arena.sources import collect
from arena.tally import tally_votes

Indices = NDArray[np.int32]
HalfPoints = NDArray[np.int8]

HALF_POINTS = {"model_a": 2, "model_b": 0, "tie": 1, "both_bad": 1}
"""What a vote is worth to model_a, in half points."""

TEXTS = ("model_a", "model_b", "winner")


@dataclass(frozen=True, slots=True, eq=False)
class BattleOrder:
    """Battles one after another.

    Attributes:
        models: the m names, sorted.
        left: int [n], index of model_a.
        right: int [n], index of model_b.
        half_points: int [n], the outcome seen from model_a, doubled: 2 won, 1 tie or both bad,
            0 lost.
        battles: what they were read from.
    """

    models: tuple[str, ...]
    left: Indices
    right: Indices
    half_points: HalfPoints
    battles: Battles

    def __post_init__(self) -> None:
        for array in (self.left, self.right, self.half_points):
            array.setflags(write=False)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What became of the rows of each source; this reads the logs a second time."""
        return tally_votes(self.battles).readings

    @property
    def n_models(self) -> int:
        """Number of models, m."""
        return len(self.models)

    @property
    def n_battles(self) -> int:
        """Number of battles, n."""
        return self.left.size


def order_battles(votes: Battles | Any, *, order: str = "time") -> BattleOrder:
    """The accepted battles of a log, or of anything `read_battles` takes, in an order.

    Args:
        votes: battles, a path, a frame.
        order: ``time``, by the column `tstamp`, battles of one time as they stand in the log;
            ``as-is``, as they stand; ``shuffle:SEED``, at random.

    Raises:
        OptionError: an order that there is not.
        ColumnError: a log without times, with battles that have none, counted, or weighted.
        LabelError: votes that are no known winner, quoted with how often they occur.
        NoEstimateError: if no vote is left.
        ReadError: a file that cannot be read to its end.

    >>> log = pl.DataFrame(
    ...     {
    ...         "model_a": ["x", "z"],
    ...         "model_b": ["y", "x"],
    ...         "winner": ["model_a", "tie"],
    ...         "tstamp": [1700000060, 1700000000],
    ...     }
    ... )
    >>> battles = order_battles(log)
    >>> battles.models, battles.left.tolist(), battles.right.tolist()
    (('x', 'y', 'z'), [2, 0], [0, 1])
    >>> battles.half_points.tolist()
    [1, 2]
    """
    seed = check_order(order)
    battles = votes if isinstance(votes, Battles) else read_battles(votes)
    _refuse_unordered(battles, by_time=order == "time")
    ordered = _encode(battles, by_time=order == "time")
    if seed is None:
        return ordered
    turn = np.random.default_rng(seed).permutation(ordered.n_battles)
    names = ("left", "right", "half_points")
    return replace(ordered, **{name: getattr(ordered, name)[turn] for name in names})


def check_order(order: str) -> int | None:
    """The seed of ``shuffle:SEED``; None for ``time`` and ``as-is``.

    Raises:
        OptionError: an order that there is not.
    """
    shuffle = re.fullmatch(r"shuffle:(\d+)", order, re.ASCII)
    if order not in ("time", "as-is") and shuffle is None:
        raise OptionError(f"order: '{order}' is not one of time, as-is, shuffle:SEED")
    return None if shuffle is None else int(shuffle[1])


def _refuse_unordered(battles: Battles, *, by_time: bool) -> None:
    for part, source in zip(battles.parts, battles.sources, strict=True):
        there = part.collect_schema()
        for column in ("votes", "weight"):
            if column in there:
                message = (
                    f"{source.name}: its rows have {column}, and online Elo takes battles one by "
                    "one; give it a log with one row per battle, unweighted"
                )
                raise ColumnError(message)
        if by_time and "tstamp" not in there:
            message = (
                f"{source.name}: no column 'tstamp', and online Elo depends on the order of the "
                "battles; name the column of times with --columns tstamp=..., or choose an order "
                "with --order as-is or --order shuffle:SEED"
            )
            raise ColumnError(message)


def _encode(battles: Battles, *, by_time: bool) -> BattleOrder:
    """The accepted battles, names as integers.

    They are those for which `Battles.why_not` is null; what a text tells by itself is decided
    here once per text, as deciding it in every row takes longer than playing the battles.
    """
    from arena.text_codes import number_texts

    shown = battles.rows.filter("anony") if "anony" in battles.keys else battles.rows
    shown = shown.filter(pl.col("filtered").is_null()) if battles.conditions else shown
    rows = collect(shown.select(*TEXTS, *(["tstamp"] if by_time else [])), battles.sources)
    rows = rows.drop_nulls(TEXTS)
    (names_a, left), (names_b, right), (labels, vote) = (number_texts(rows[c]) for c in TEXTS)
    names = pl.concat([names_a, names_b]).unique().sort()
    models = names.filter(names.str.strip_chars() != "")
    index = {model: i for i, model in enumerate(models)}
    worth = {
        label: HALF_POINTS[winner]
        for label, winner in battles.labels.items()
        if label.strip() and label != UNVOTED
    }
    columns = {
        "left": _meanings(names_a, index)[left],
        "right": _meanings(names_b, index)[right],
        "half_points": _meanings(labels, worth).astype(np.int8)[vote],
    }
    frame = pl.DataFrame(columns | ({"tstamp": rows["tstamp"]} if by_time else {}))
    named = frame.filter(
        pl.col("left") >= 0, pl.col("right") >= 0, pl.col("left") != pl.col("right")
    )
    counted = named.filter(pl.col("half_points") >= 0)
    if counted.height < named.height:
        tally_votes(battles)  # raises if some vote is no known one, rather than none at all
    if counted.is_empty():
        tally_votes(battles).refuse_empty()
    if counted.height < frame.height:
        models, counted = _without_absent(models, counted)
    if by_time:
        counted = _by_time(counted)
    return BattleOrder(
        tuple(models.to_list()),
        counted["left"].to_numpy(),
        counted["right"].to_numpy(),
        counted["half_points"].to_numpy(),
        battles,
    )


def _meanings(texts: pl.Series, meaning: Mapping[str, int]) -> Indices:
    """What each text means; -1 where it means nothing."""
    return np.array([meaning.get(text, -1) for text in texts], dtype=np.int32)


def _without_absent(models: pl.Series, frame: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """The models that have battles, and the battles with indices into these."""
    met = pl.concat([frame["left"], frame["right"]]).unique().sort()
    place = np.zeros(models.len(), dtype=np.int32)
    place[met] = np.arange(met.len())
    sides = [pl.Series(side, place[frame[side]]) for side in ("left", "right")]
    return models.gather(met), frame.with_columns(sides)


def _by_time(frame: pl.DataFrame) -> pl.DataFrame:
    """The battles by time; those of one time stay as they stand."""
    missing = frame["tstamp"].null_count()
    if missing:
        message = (
            f"column 'tstamp': {missing:,} of {frame.height:,} battles have no time, "
            "or none that can be read; leave them out, or choose an order with --order as-is or "
            "--order shuffle:SEED"
        )
        raise ColumnError(message)
    return frame.sort("tstamp", maintain_order=True)
