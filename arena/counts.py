"""Pair counts: the numbers that everything else is computed from.

Names become integers here, and nowhere else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import COUNT_COLUMNS
from arena.display import listing
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.schema import WINNERS
from arena.sources import collect, open_sources

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)  # without slots, so that cells can be kept
class PairCounts:
    """How often each pair of models met, and how it ended.

    Attributes:
        models: the m names, sorted.
        pairs: int [P, 2], indices (left, right), one row per ordered pair met, sorted.
        outcomes: float [P, 4], votes for (model_a, model_b, tie, both_bad), where model_a is
            the left one; with unequal weights, sums of weights.
        squares: float [P, 4], sums of squared weights; where every vote weighs one, `outcomes`.
    """

    models: tuple[str, ...]
    pairs: Integers
    outcomes: Floats
    squares: Floats = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        if self.squares is None:
            object.__setattr__(self, "squares", self.outcomes)
        for array in (self.pairs, self.outcomes, self.squares):
            array.setflags(write=False)

    @property
    def n_models(self) -> int:
        """Number of models, m."""
        return len(self.models)

    @property
    def votes(self) -> Floats:
        """Votes [P, 4] behind the outcomes.

        With weights that are equal within a cell this is their number; with unequal ones it is
        Kish's effective number, (sum of weights)² / (sum of squared weights).
        """
        if not self.is_weighted:
            return self.outcomes
        safe = np.where(self.squares > 0, self.squares, 1.0)
        effective: Floats = self.outcomes**2 / safe
        return effective

    @property
    def is_weighted(self) -> bool:
        """Whether some votes weigh more than others."""
        return self.squares is not self.outcomes

    @property
    def n_battles(self) -> float:
        """Number of votes, or their effective number where they have unequal weights."""
        return float(self.votes.sum())

    @cached_property
    def cells(self) -> "Cells":
        """The counts without sides."""
        return _fold(self)

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Merge two shards: votes are added, models united."""
        # A shard without weights has squares equal to its votes.
        shards = [
            long.with_columns(
                squares=pl.col("squares") if "squares" in long.columns else pl.col("n")
            )
            if self.is_weighted or other.is_weighted
            else long
            for long in (self._long(), other._long())
        ]
        return pair_counts(pl.concat(shards))

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
        cells = self.cells
        table = pl.DataFrame({"left": names.gather(cells.left), "right": names.gather(cells.right)})
        text = table.hstack(pl.DataFrame(cells.outcomes, schema=list(WINNERS)))
        if self.is_weighted:
            squares = pl.DataFrame(cells.squares, schema=[f"{name}_squares" for name in WINNERS])
            text = text.hstack(squares)
        return hashlib.sha256(text.sort("left", "right").write_csv().encode()).hexdigest()

    def restrict(self, keep: Sequence[int] | Integers) -> "PairCounts":
        """Only the battles among some of the models, given by their indices."""
        place = np.full(self.n_models, -1, dtype=np.int64)
        kept = np.sort(np.asarray(keep, dtype=np.int64))
        place[kept] = np.arange(kept.size)
        pairs = place[self.pairs]
        inside = np.asarray((pairs >= 0).all(axis=1))
        models = tuple(self.models[i] for i in kept)
        return PairCounts(models, pairs[inside], *self._parts(inside))

    def weighted(self, weight: Floats) -> "PairCounts":
        """The same votes with another weight [P] for those of each ordered pair."""
        by = weight[:, None]
        return PairCounts(self.models, self.pairs, self.outcomes * by, self.squares * by**2)

    def _parts(self, rows: NDArray[np.bool_]) -> tuple[Floats, ...]:
        """Outcomes, and squares where they differ, of some rows."""
        if not self.is_weighted:
            return (self.outcomes[rows],)
        return self.outcomes[rows], self.squares[rows]

    def _long(self) -> pl.DataFrame:
        """One row per pair and winner: model_a, model_b, winner, n, squares."""
        names, pair = pl.Series(self.models, dtype=pl.String), np.repeat(self.pairs, 4, axis=0)
        return pl.DataFrame(
            {
                "model_a": names.gather(pair[:, 0]),
                "model_b": names.gather(pair[:, 1]),
                "winner": pl.Series(WINNERS).gather(np.tile(np.arange(4), len(self.pairs))),
                "n": self.outcomes.ravel(),
            }
            | ({"squares": self.squares.ravel()} if self.is_weighted else {})
        )


def reweight_pairs(counts: PairCounts, at_least: float = 50.0) -> PairCounts:
    """Weigh votes as if all pairs had met equally often: 1 / max(pair's votes, `at_least`).

    The floor keeps pairs that hardly met from carrying the board. Weights are scaled to mean
    one. (LMArena's rule against unequal pair sampling.)
    """
    place, met = _pair_totals(counts)
    return counts.weighted(_mean_one(1.0 / np.maximum(met, at_least)[place], counts))


def reweight_propensity(
    counts: PairCounts, propensity: Mapping[tuple[str, str], float]
) -> PairCounts:
    """Weigh votes by the inverse of the probability with which their pair was sampled.

    Args:
        counts: the votes.
        propensity: (model, model) → a number proportional to that probability; the two names
            in either order.

    Raises:
        OptionError: naming a pair that met and has no positive propensity.
    """
    known = {frozenset(pair): value for pair, value in propensity.items()}
    weight = np.empty(len(counts.pairs))
    for row, (i, j) in enumerate(counts.pairs):
        value = known.get(frozenset((counts.models[i], counts.models[j])), 0.0)
        if not (np.isfinite(value) and value > 0):
            pair = f"{counts.models[i]!r} and {counts.models[j]!r}"
            raise OptionError(f"propensities: {pair} met, and have no positive propensity")
        weight[row] = 1.0 / value
    return counts.weighted(_mean_one(weight, counts))


def read_propensities(votes: object) -> dict[tuple[str, str], float]:
    """Read a table with model_a, model_b and propensity, from a path or a frame.

    Raises:
        ReadError: a path that cannot be read.
        ColumnError: a column that is missing.
    """
    sources = open_sources(votes)
    if len(sources) != 1:
        raise OptionError(f"propensities: one table is needed, {len(sources)} were given")
    source = sources[0]
    there = source.raw.collect_schema()
    lacking = [c for c in ("model_a", "model_b", "propensity") if c not in there]
    if lacking:
        message = f"{source.name}: no column {listing(lacking)}; columns are {listing(there)}"
        raise ColumnError(message)
    table = source.raw.select(
        "model_a", "model_b", pl.col("propensity").cast(pl.Float64, strict=False)
    )
    return {(a, b): value or 0.0 for a, b, value in collect(table, [source]).iter_rows()}


def _pair_totals(counts: PairCounts) -> tuple[Integers, Floats]:
    """For each ordered pair its unordered one [P], and the votes of those."""
    key = counts.pairs.min(axis=1) * counts.n_models + counts.pairs.max(axis=1)
    _, place = distinct_keys(key, counts.n_models**2)
    return place, np.bincount(place, counts.votes.sum(axis=1)).astype(np.float64)


def _mean_one(weight: Floats, counts: PairCounts) -> Floats:
    total = float((weight * counts.votes.sum(axis=1)).sum())
    if total <= 0:
        raise NoEstimateError("no votes to rate: all their weights are zero")
    scaled: Floats = weight * (counts.n_battles / total)
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Pair counts without sides: one row per pair of models that met.

    Attributes:
        left, right: int [C], model indices, left < right; sorted.
        outcomes: float [C, 4], (left won, right won, tie, both bad).
        squares: float [C, 4], as in `PairCounts`.
    """

    left: Integers
    right: Integers
    outcomes: Floats
    squares: Floats

    def __post_init__(self) -> None:
        for array in (self.left, self.right, self.outcomes, self.squares):
            array.setflags(write=False)


def _fold(counts: PairCounts) -> Cells:
    """Add up the two orders in which a pair can meet, swapping the winners with the sides."""
    left, right = counts.pairs.T
    swapped = left > right
    key = np.minimum(left, right) * counts.n_models + np.maximum(left, right)
    cell, place = distinct_keys(key, counts.n_models**2)

    def folded(votes: Floats) -> Floats:
        turned = votes.copy()
        turned[swapped] = votes[swapped][:, [1, 0, 2, 3]]
        return sum_rows(place, turned, cell.size)

    outcomes = folded(counts.outcomes)
    squares = folded(counts.squares) if counts.is_weighted else outcomes
    return Cells(*np.divmod(cell, max(counts.n_models, 1)), outcomes, squares)


def distinct_keys(key: Integers, n: int) -> tuple[Integers, Integers]:
    """The distinct keys, ascending, and which of them each [N] is; keys are below n."""
    if n > key.size:
        distinct, number = np.unique(key, return_inverse=True)
        return distinct, number
    distinct = np.flatnonzero(np.bincount(key, minlength=n))
    place = np.empty(n, dtype=np.int64)
    place[distinct] = np.arange(distinct.size)
    return distinct, place[key]


def sum_rows(place: Integers, rows: Floats, n: int) -> Floats:
    """Add up rows [P, k] that belong to the same place, into [n, k]."""
    return np.stack([np.bincount(place, column, minlength=n) for column in rows.T], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where each row of a frame of votes belongs in a table of pair counts.

    Attributes:
        models: the m names, sorted.
        pairs: int [P, 2], the ordered pairs met, sorted.
        place: int [rows], 4 · pair + winner.
    """

    models: tuple[str, ...]
    pairs: Integers
    place: Integers


def places(votes: pl.DataFrame) -> Places:
    """Number the models, pairs and winners of a frame with model_a, model_b, winner."""
    names = pl.concat([votes["model_a"], votes["model_b"]]).unique().sort()
    left, right = (_codes(votes[c], names) for c in ("model_a", "model_b"))
    m = max(len(names), 1)
    cell, pair = distinct_keys(left * m + right, m * m)
    pairs = np.stack(np.divmod(cell, m), axis=1)
    place = pair * 4 + _codes(votes["winner"], pl.Series(WINNERS))
    return Places(tuple(names.to_list()), pairs, place)


def _codes(column: pl.Series, names: pl.Series) -> Integers:
    return column.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)


def pair_counts(votes: pl.DataFrame) -> PairCounts:
    """Counts from a frame with model_a, model_b, winner, n, and perhaps squares."""
    at = places(votes)

    def total(column: str) -> Floats:
        flat = np.bincount(at.place, votes[column].to_numpy(), minlength=4 * len(at.pairs))
        return flat.reshape(-1, 4).astype(np.float64)

    squares = (total("squares"),) if "squares" in votes.columns else ()
    return PairCounts(at.models, at.pairs, total("n"), *squares)
