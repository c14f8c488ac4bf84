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
from arena.display import amount, listing
from arena.errors import ColumnError, LabelError, NoEstimateError, OptionError, RejectedRowsError
from arena.formats import WINNERS
from arena.sources import Source, collect, open_sources

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
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
        cells = fold(self)
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
    (source,) = open_sources(votes)
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
    _, place = np.unique(key, return_inverse=True)
    return place, np.bincount(place, counts.votes.sum(axis=1)).astype(np.float64)


def _mean_one(weight: Floats, counts: PairCounts) -> Floats:
    scaled: Floats = weight * (counts.n_battles / (weight * counts.votes.sum(axis=1)).sum())
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


def fold(counts: PairCounts) -> Cells:
    """Add up the two orders in which a pair can meet, swapping the winners with the sides."""
    left, right = counts.pairs.min(axis=1), counts.pairs.max(axis=1)
    cell, place = np.unique(left * counts.n_models + right, return_inverse=True)
    swapped = counts.pairs[:, 0] > counts.pairs[:, 1]

    def folded(votes: Floats) -> Floats:
        turned = votes.copy()
        turned[swapped] = votes[swapped][:, [1, 0, 2, 3]]
        return sum_rows(place, turned, cell.size)

    outcomes = folded(counts.outcomes)
    squares = folded(counts.squares) if counts.is_weighted else outcomes
    return Cells(*np.divmod(cell, max(counts.n_models, 1)), outcomes, squares)


def sum_rows(place: Integers, rows: Floats, n: int) -> Floats:
    """Add up rows [P, k] that belong to the same place, into [n, k]."""
    return np.stack([np.bincount(place, column, minlength=n) for column in rows.T], axis=1)


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
    groups = _grouped(battles, {})
    counts = pair_counts(_accepted(groups, battles))
    return Tally(counts, tuple(reading_of(groups, battles, i) for i in range(len(battles.sources))))


def count_groups(battles: Battles, by: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Count the accepted votes by pair, winner and further keys, in one streaming pass.

    Returns:
        A frame with model_a, model_b, winner (one of the four), the further keys, and `n`, the
        number of votes; of votes with weights, `n` is their sum, `squares` the sum of their
        squares, and `votes` their number.

    Raises:
        LabelError, ReadError: as `tally_votes`.
    """
    return _accepted(_grouped(battles, by), battles)


def _grouped(battles: Battles, by: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """All groups, with `source` and why they do not count."""
    keys = [*battles.keys, *(["source"] if len(battles.sources) > 1 else [])]
    further = [key.alias(name) for name, key in by.items()]
    grouped = battles.rows.group_by(*keys, *further).agg(**_vote_sums(battles.columns))
    groups = collect(grouped, battles.sources).with_columns(why_not=battles.why_not)
    _refuse_weights(groups)
    return groups if len(battles.sources) > 1 else groups.with_columns(source=pl.lit(0, pl.UInt16))


def _accepted(groups: pl.DataFrame, battles: Battles) -> pl.DataFrame:
    accepted = groups.filter(pl.col("why_not").is_null())
    refuse_unknown(accepted, battles)
    meaning = pl.col("winner").replace_strict(battles.labels, return_dtype=pl.String)
    return accepted.with_columns(meaning)


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


def _vote_sums(columns: Sequence[str]) -> dict[str, pl.Expr]:
    """Aggregations of votes: their weights `n`, and the squares of these where they differ."""
    if "weight" not in columns and "votes" not in columns:
        return {"n": pl.len().cast(pl.Float64)}
    votes = pl.col("votes") if "votes" in columns else pl.lit(1.0)
    weight = pl.col("weight") if "weight" in columns else pl.lit(1.0)
    given = [pl.col(name) for name in ("votes", "weight") if name in columns]
    good = pl.all_horizontal((one.is_finite() & (one >= 0)).fill_null(False) for one in given)
    sums = {"n": (votes * weight).sum(), "wrong": good.not_().sum()}
    if "weight" not in columns:
        return sums
    number = pl.col("votes").sum() if "votes" in columns else pl.len().cast(pl.Float64)
    return sums | {"squares": (votes * weight**2).sum(), "votes": number}


def _refuse_weights(groups: pl.DataFrame) -> None:
    wrong = float(groups["wrong"].sum()) if "wrong" in groups.columns else 0.0
    if wrong:
        message = (
            f"columns 'votes' and 'weight': {amount(wrong, 'row')} with a value that is empty, "
            "negative, or not a finite number"
        )
        raise ColumnError(message)


def refuse_unknown(accepted: pl.DataFrame, battles: Battles) -> None:
    """Raise LabelError for votes (`winner`, `source`, `n`) that are no known winner."""
    unknown = accepted.filter(~pl.col("winner").is_in(list(battles.labels)))
    if unknown.is_empty():
        return
    found = (
        unknown.group_by("winner")
        .agg(pl.col("n").sum(), pl.col("source").min())
        .sort("n", "winner", descending=[True, False])
    )
    quoted = ", ".join(f"'{label}' ({amount(n, 'vote')})" for label, n, _ in found.head(5).rows())
    more = f" and {found.height - 5} more" if found.height > 5 else ""
    label, _, source = found.row(0)
    close = difflib.get_close_matches(label.casefold(), WINNERS, n=1)
    guess = close[0] if close else "model_a"
    message = (
        f"{battles.sources[source].name}: unknown vote {quoted}{more}; known are "
        f'{", ".join(battles.labels)}; say what it means, e.g. --outcomes "{label}={guess}"'
    )
    raise LabelError(message)


def reading_of(groups: pl.DataFrame, battles: Battles, source: int) -> Reading:
    """The account of one source, from groups with `source`, `why_not` and `n`."""
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
    cell, pair = np.unique(left * m + right, return_inverse=True)
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
