"""From battles to counts: one streaming pass, and an account of every row.

The votes are grouped by the keys of the battles; whether a group counts is decided on the
groups, of which there are a few thousand, not on the rows.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from arena.accounts import Reading, funnel_of, reading_of
from arena.battles import FILTERED, PLACE, Battles, read_battles
from arena.combinations import Combinations
from arena.counts import PairCounts, pair_counts
from arena.dictionary_counts import count_combinations
from arena.display import amount
from arena.errors import ColumnError, LabelError, NoEstimateError, RejectedRowsError
from arena.schema import WINNERS
from arena.sources import REMOTE, Source, collect

LARGE_FRAME = 500_000
"""Rows from which on importing a compiler is worth its time."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts, and an account of every row that went into them or did not.

    Attributes:
        counts: the votes that count.
        readings: what became of the rows of each source.
        funnel: one row per condition, in their order: votes `before` it, `dropped` by it, of
            these the `unknown` ones, whose rows do not tell, and those left `after`.
    """

    counts: PairCounts
    readings: tuple[Reading, ...]
    funnel: pl.DataFrame

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
    return tally_groups(group_votes(battles, {}), battles)


def tally_groups(groups: pl.DataFrame, battles: Battles) -> Tally:
    """The counts and the account of votes that have been grouped by `group_votes`."""
    counts = pair_counts(accepted_groups(groups, battles))
    readings = tuple(reading_of(groups, battles, i) for i in range(len(battles.sources)))
    return Tally(counts, readings, funnel_of(groups, battles))


def count_groups(battles: Battles, by: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Count the accepted votes by pair, winner and further keys, in one streaming pass.

    Returns:
        A frame with model_a, model_b, winner (one of the four), the further keys, and `n`, the
        number of votes; of votes with weights, `n` is their sum, `squares` the sum of their
        squares, and `votes` their number.

    Raises:
        LabelError, ReadError: as `tally_votes`.
    """
    return accepted_groups(group_votes(battles, by), battles)


def group_votes(battles: Battles, by: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """All rows of a log, grouped by what decides whether and how they count.

    Returns:
        A frame with `Battles.keys`, the further keys, `source`, the sums of `count_groups`, and
        `why_not`, null for votes that count.
    """
    groups = None if by else _from_codes(battles)
    groups = _from_rows(battles, by) if groups is None else groups
    groups = groups.with_columns(why_not=battles.why_not)
    _refuse_weights(groups)
    return (
        groups if "source" in groups.columns else groups.with_columns(source=pl.lit(0, pl.UInt16))
    )


def _from_rows(battles: Battles, by: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The groups, from the rows of any log."""
    keys = [*battles.keys, *(["source"] if len(battles.sources) > 1 else [])]
    further = [key.alias(name) for name, key in by.items()]
    placed = any(PLACE in key.meta.root_names() for key in by.values())
    rows = battles.placed if placed else battles.rows
    grouped = rows.group_by(*keys, *further).agg(**_vote_sums(battles.columns))
    return collect(grouped, battles.sources)


def _from_codes(battles: Battles) -> pl.DataFrame | None:
    """The groups of Parquet files and frames whose keys are text, by codes for it; else None."""
    if battles.conditions or {"votes", "weight"} & set(battles.columns):
        return None
    if len(battles.expressions) != len(battles.sources):
        return None
    parts = []
    for i, (source, found) in enumerate(zip(battles.sources, battles.expressions, strict=True)):
        made = {key: found[key] for key in battles.keys if key in found}
        raw = list(dict.fromkeys(name for one in made.values() for name in one.meta.root_names()))
        counted = _count_by_codes(source, raw) if raw else None
        if counted is None:
            return None
        # A key is made of its row alone, so of each combination as of each row.
        groups = counted.made(made)
        parts.append(
            groups.frame().with_columns(
                *battles.unsaid(battles.parts[i]),
                n=pl.Series(groups.rows, dtype=pl.Float64),
                source=pl.lit(i, pl.UInt16),
            )
        )
    return pl.concat(parts, how="diagonal")


def _count_by_codes(source: Source, columns: Sequence[str]) -> Combinations | None:
    """The combinations in some columns of a source that has codes for text, or is given them."""
    if source.kind == "parquet" and not REMOTE.match(source.name):
        return count_combinations(source.name, columns)
    if source.held is None or source.held.height < LARGE_FRAME:
        return None
    from arena.frame_counts import count_frame

    return count_frame(source.held, columns)


def accepted_groups(
    groups: pl.DataFrame, battles: Battles, *, filtered: bool = False
) -> pl.DataFrame:
    """The groups that count, `winner` as one of the four.

    Args:
        groups: from `group_votes`.
        battles: what was grouped.
        filtered: also those that only conditions drop.

    Raises:
        LabelError: votes that are no known winner.
    """
    # A vote that is spelled in no known way is a mistake, whether or not a condition drops it.
    said = groups.filter(pl.col("why_not").is_null() | (pl.col("why_not") == FILTERED))
    refuse_unknown(said, battles)
    chosen = said if filtered else said.filter(pl.col("why_not").is_null())
    meaning = pl.col("winner").replace_strict(battles.labels, return_dtype=pl.String)
    return chosen.with_columns(meaning)


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
