"""Counting: from battles to the numbers that everything else is computed from.

One streaming group-by over the keys of the battles; whether a group counts is decided on the
groups, of which there are a few thousand, not on the rows.
"""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import COUNT_COLUMNS, REJECTED, SET_ASIDE, Battles, read_battles
from arena.errors import ColumnError, LabelError, NoEstimateError, RejectedRowsError, amount
from arena.formats import WINNERS
from arena.sources import Source, collect

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """How often each pair of models met, and how it ended.

    Attributes:
        models: the m names, sorted.
        pairs: int [P, 2], indices (left, right), one row per ordered pair met, sorted.
        outcomes: float [P, 4], votes for (model_a, model_b, tie, both_bad), where model_a is
            the left one.
    """

    models: tuple[str, ...]
    pairs: Integers
    outcomes: Floats

    def __post_init__(self) -> None:
        for array in (self.pairs, self.outcomes):
            array.setflags(write=False)

    @property
    def n_models(self) -> int:
        """Number of models, m."""
        return len(self.models)

    @property
    def n_battles(self) -> float:
        """Number of votes, or their total weight."""
        return float(self.outcomes.sum())

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Merge two shards: votes are added, models united."""
        return _from_frame(pl.concat([self._long(), other._long()]))

    def frame(self) -> pl.DataFrame:
        """The counts as a table: model_a, model_b, wins_a, wins_b, ties, both_bad."""
        names = pl.Series(self.models, dtype=pl.String)
        return pl.DataFrame(
            {"model_a": names.gather(self.pairs[:, 0]), "model_b": names.gather(self.pairs[:, 1])}
            | {name: self.outcomes[:, k] for k, name in enumerate(COUNT_COLUMNS)}
        )

    def sha256(self) -> str:
        """Hash of the votes, the same whatever their order and their sides."""
        names = pl.Series(self.models, dtype=pl.String)
        cells = fold(self)
        table = pl.DataFrame({"left": names.gather(cells.left), "right": names.gather(cells.right)})
        text = table.hstack(pl.DataFrame(cells.outcomes, schema=list(WINNERS)))
        return hashlib.sha256(text.sort("left", "right").write_csv().encode()).hexdigest()

    def restrict(self, keep: Sequence[int] | Integers) -> "PairCounts":
        """Only the battles among some of the models, given by their indices."""
        place = np.full(self.n_models, -1, dtype=np.int64)
        kept = np.sort(np.asarray(keep, dtype=np.int64))
        place[kept] = np.arange(kept.size)
        pairs = place[self.pairs]
        inside = (pairs >= 0).all(axis=1)
        return PairCounts(tuple(self.models[i] for i in kept), pairs[inside], self.outcomes[inside])

    def _long(self) -> pl.DataFrame:
        return (
            self.frame()
            .unpivot(
                list(COUNT_COLUMNS),
                index=["model_a", "model_b"],
                variable_name="winner",
                value_name="n",
            )
            .with_columns(pl.col("winner").replace_strict(COUNT_COLUMNS))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Pair counts without sides: one row per pair of models that met.

    Attributes:
        left, right: int [C], model indices, left < right; sorted.
        outcomes: float [C, 4], (left won, right won, tie, both bad).
    """

    left: Integers
    right: Integers
    outcomes: Floats


def fold(counts: PairCounts) -> Cells:
    """Add up the two orders in which a pair can meet, swapping the winners with the sides."""
    left, right = counts.pairs.min(axis=1), counts.pairs.max(axis=1)
    swapped = counts.pairs[:, 0] > counts.pairs[:, 1]
    outcomes = counts.outcomes.copy()
    outcomes[swapped] = outcomes[swapped][:, [1, 0, 2, 3]]
    cell, place = np.unique(left * counts.n_models + right, return_inverse=True)
    total = np.zeros((cell.size, 4))
    for k in range(4):
        total[:, k] = np.bincount(place, outcomes[:, k], minlength=cell.size)
    return Cells(*np.divmod(cell, max(counts.n_models, 1)), total)


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of the rows of one source; the numbers add up to `rows`."""

    source: Source
    format: str
    rows: float
    accepted: float
    set_aside: Mapping[str, float]
    rejected: Mapping[str, float]

    def account(self) -> str:
        """What became of the rows, in one line.

        >>> from arena.sources import open_sources
        >>> source = open_sources(pl.DataFrame({"x": [1]}))[0]
        >>> Reading(source, "plain", 5, 3, {}, {"no winner": 2}).account()
        'frame: plain format, 3 of 5 votes; 2 rejected (no winner: 2; --rejected FILE keeps them)'
        """
        lost = [f"{n:,.0f} {why}" for why, n in self.set_aside.items()]
        if self.rejected:
            why = ", ".join(f"{reason}: {n:,.0f}" for reason, n in self.rejected.items())
            n_rejected = sum(self.rejected.values())
            lost.append(f"{n_rejected:,.0f} rejected ({why}; --rejected FILE keeps them)")
        votes = amount(self.rows, "vote")
        kept = f"{self.accepted:,.0f} of {votes}" if lost else votes
        return f"{self.source.name}: {self.format} format, {'; '.join([kept, *lost])}"


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts, and an account of every row that went into them or did not."""

    counts: PairCounts
    readings: tuple[Reading, ...]

    @property
    def n_rejected(self) -> float:
        """Rejected rows over all sources."""
        return sum(sum(reading.rejected.values()) for reading in self.readings)

    def refuse_rejected(self) -> None:
        """Raise RejectedRowsError if any row was rejected."""
        for reading in self.readings:
            if reading.rejected:
                message = f"{reading.account()}; leave out --strict to rate the others"
                raise RejectedRowsError(message)

    def refuse_empty(self) -> None:
        """Raise NoEstimateError if no vote is left to count."""
        if self.counts.n_models == 0:
            accounts = "; ".join(reading.account() for reading in self.readings)
            raise NoEstimateError(f"no votes to rate: {accounts}")


def tally_votes(battles: Battles) -> Tally:
    """Count the votes in one streaming pass.

    Raises:
        LabelError: votes that are no known winner, quoted with how often they occur.
        ReadError: a file that cannot be read to its end.
    """
    by = [*battles.keys, *(["source"] if len(battles.sources) > 1 else [])]
    if "weight" in battles.columns:
        good = pl.col("weight").is_finite() & (pl.col("weight") >= 0)
        votes = {"n": pl.col("weight").sum(), "wrong": (~good.fill_null(False)).sum()}
    else:
        votes = {"n": pl.len().cast(pl.Float64)}
    grouped = battles.rows.group_by(by).agg(**votes)
    groups = collect(grouped, battles.sources).with_columns(why_not=battles.why_not)
    if "wrong" in groups.columns and groups["wrong"].sum():
        message = (
            f"column 'weight': {groups['wrong'].sum():,} values that are no weights "
            "(empty, negative, or not a finite number)"
        )
        raise ColumnError(message)
    if "source" not in groups.columns:
        groups = groups.with_columns(source=pl.lit(0, pl.UInt16))
    accepted = groups.filter(pl.col("why_not").is_null())
    _refuse_unknown(accepted, battles)
    meaning = pl.col("winner").replace_strict(battles.labels, return_dtype=pl.String)
    counts = _from_frame(accepted.select("model_a", "model_b", meaning, "n"))
    return Tally(counts, tuple(_reading(groups, battles, i) for i in range(len(battles.sources))))


def count_pairs(votes: Battles | Any) -> PairCounts:
    """The pair counts of battles, or of anything `read_battles` takes.

    >>> log = pl.DataFrame(
    ...     {"model_a": ["x", "y"], "model_b": ["y", "x"], "winner": ["tie", "model_a"]}
    ... )
    >>> counts = count_pairs(log)
    >>> counts.models, counts.pairs.tolist(), counts.outcomes.tolist()
    (('x', 'y'), [[0, 1], [1, 0]], [[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    """
    return tally_votes(votes if isinstance(votes, Battles) else read_battles(votes)).counts


def _refuse_unknown(accepted: pl.DataFrame, battles: Battles) -> None:
    unknown = accepted.filter(~pl.col("winner").is_in(list(battles.labels)))
    if unknown.is_empty():
        return
    found = (
        unknown.group_by("winner")
        .agg(pl.col("n").sum(), pl.col("source").min())
        .sort("n", descending=True)
    )
    quoted = ", ".join(f"'{label}' ({amount(n, 'vote')})" for label, n, _ in found.head(5).rows())
    more = f" and {found.height - 5} more" if found.height > 5 else ""
    label, _, source = found.row(0)
    guess = difflib.get_close_matches(label.casefold(), WINNERS, n=1, cutoff=0.0)[0]
    message = (
        f"{battles.sources[source].name}: unknown vote {quoted}{more}; known are "
        f'{", ".join(battles.labels)}; say what it means, e.g. --outcomes "{label}={guess}"'
    )
    raise LabelError(message)


def _reading(groups: pl.DataFrame, battles: Battles, source: int) -> Reading:
    of_source = groups.filter(pl.col("source") == source)
    sums = dict(of_source.group_by("why_not").agg(pl.col("n").sum()).rows())
    return Reading(
        battles.sources[source],
        battles.formats[source],
        rows=float(sum(sums.values())),
        accepted=float(sums.get(None, 0.0)),
        set_aside={why: sums[why] for why in SET_ASIDE if why in sums},
        rejected={why: sums[why] for why in REJECTED if why in sums},
    )


def _from_frame(votes: pl.DataFrame) -> PairCounts:
    """PairCounts from a long frame: model_a, model_b, winner, n."""
    names = pl.concat([votes["model_a"], votes["model_b"]]).unique().sort()
    index = pl.Enum(names)
    codes = [
        votes[c].cast(index).to_physical().to_numpy().astype(np.int64)
        for c in ("model_a", "model_b")
    ]
    winner = votes["winner"].cast(pl.Enum(WINNERS)).to_physical().to_numpy().astype(np.int64)
    m = max(len(names), 1)
    cell, place = np.unique(codes[0] * m + codes[1], return_inverse=True)
    flat = np.bincount(place * 4 + winner, votes["n"].to_numpy(), minlength=cell.size * 4)
    pairs = np.stack(np.divmod(cell, m), axis=1)
    return PairCounts(tuple(names.to_list()), pairs, flat.reshape(-1, 4).astype(np.float64))
