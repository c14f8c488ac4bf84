"""Battles: the votes of one or many logs under one schema, with every row accounted for.

Nothing is read until something is asked of the frames. A row is *accepted*, *set aside* (by
the log's own rules it is no vote for the board) or *rejected* (something is wrong with it).
Which one depends only on the columns in `Battles.keys`, so that it can be decided once per
distinct combination of them while counting, and need not be decided per row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from arena.errors import ColumnError, OptionError
from arena.formats import battle_columns, kept_columns, recognise
from arena.json_arrays import Progress
from arena.schema import BATTLE_SCHEMA, SPELLINGS, UNVOTED, WINNERS
from arena.sources import Source, collect, open_sources

NOT_VOTED = "not voted"
NOT_ANONYMOUS = "not anonymous"
SET_ASIDE = (NOT_VOTED, NOT_ANONYMOUS)
NO_WINNER = "no winner"
NO_MODEL = "no model name"
SELF_BATTLE = "a model against itself"
REJECTED = (NO_WINNER, NO_MODEL, SELF_BATTLE)
FILTERED = "filtered out"

PLACE = "#place"
"""Where a row stands over all sources, from 0: a column that conditions may ask for."""

UNSAID: Mapping[str, float | bool] = {"votes": 1.0, "weight": 1.0, "anony": True}
"""A log without such a column, read beside one that has it: one vote, of weight one, that counts."""

COUNT_COLUMNS: Mapping[str, str] = {
    "wins_a": "model_a",
    "wins_b": "model_b",
    "ties": "tie",
    "both_bad": "both_bad",
}
"""Columns of the counts format, in the order of the winners."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A named condition that battles must meet.

    Attributes:
        name: what it is called wherever it is shown.
        keeps: a Boolean per row; null where the row does not tell, and then it is not kept.
    """

    name: str
    keeps: pl.Expr


@dataclass(frozen=True, slots=True)
class Battles:
    """The votes of one or many logs.

    Attributes:
        parts: one lazy frame per source, every row of it, with those columns of
            `BATTLE_SCHEMA` that the source has; `winner` as the log spells it.
        sources: where each part came from.
        formats: the format each part was recognised as.
        labels: accepted spelling of a vote → winner.
        conditions: what battles must meet, in this order; see `select`.
        anonymous_only: set battles aside whose `anony` is not true.
        expressions: for each source, what makes each battle column of its raw columns; empty
            where a part is no such selection.
    """

    parts: tuple[pl.LazyFrame, ...]
    sources: tuple[Source, ...]
    formats: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: dict(SPELLINGS))
    conditions: tuple[Condition, ...] = ()
    anonymous_only: bool = True
    expressions: tuple[Mapping[str, pl.Expr], ...] = ()

    @property
    def rows(self) -> pl.LazyFrame:
        """All rows of all sources.

        Beside the battle columns: `source`, the index of the source they came from; and where
        there are conditions, `filtered`: 2 i for a row that the i-th of them drops before any
        other, 2 i + 1 if it does so because the row does not tell, null for a row they keep.
        """
        asked = {name for one in self.conditions for name in one.keeps.meta.root_names()}
        return self.placed.drop(PLACE) if PLACE in asked else self._judged(self._joined())

    @property
    def placed(self) -> pl.LazyFrame:
        """All rows of all sources, and their `place` among them, from 0."""
        return self._judged(self._joined().with_row_index(PLACE))

    def _judged(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows, and which condition drops each of them."""
        if not self.conditions:
            return rows
        first = pl.coalesce(
            pl.when(~one.keeps.fill_null(False)).then(2 * i + one.keeps.is_null().cast(pl.UInt16))
            for i, one in enumerate(self.conditions)
        )
        return rows.with_columns(filtered=first.cast(pl.UInt16))

    def _joined(self) -> pl.LazyFrame:
        parts = [
            part.with_columns(source=pl.lit(i, pl.UInt16)) for i, part in enumerate(self.parts)
        ]
        if len(parts) == 1:
            return parts[0]
        parts = [part.with_columns(self.unsaid(part)) for part in parts]
        return pl.concat(parts, how="diagonal")

    def meeting(self, condition: Condition) -> "Battles":
        """These battles, with one more condition to meet."""
        return replace(self, conditions=(*self.conditions, condition))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that at least one source has: battle columns, then those kept beside."""
        there = {
            name: None for part in self.parts for name in part.collect_schema() if name != "row"
        }
        known = [name for name in BATTLE_SCHEMA if name in there]
        return (*known, *(name for name in there if name not in BATTLE_SCHEMA))

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that decide whether and how a row counts."""
        anony = ("anony",) if self.anonymous_only and "anony" in self.columns else ()
        return ("model_a", "model_b", "winner", *anony, *(("filtered",) if self.conditions else ()))

    @property
    def why_not(self) -> pl.Expr:
        """Why a row does not count, as text; null for an accepted row."""
        nameless = [pl.col(c).str.strip_chars().fill_null("") == "" for c in ("model_a", "model_b")]
        conditions = {
            NOT_VOTED: pl.col("winner") == UNVOTED,
            NOT_ANONYMOUS: ~pl.col("anony").fill_null(False)
            if "anony" in self.keys
            else pl.lit(False),
            NO_WINNER: pl.col("winner").str.strip_chars().fill_null("") == "",
            NO_MODEL: pl.any_horizontal(nameless),
            SELF_BATTLE: pl.col("model_a") == pl.col("model_b"),
            FILTERED: pl.col("filtered").is_not_null() if self.conditions else pl.lit(False),
        }
        return pl.coalesce(pl.when(holds).then(pl.lit(why)) for why, holds in conditions.items())

    @property
    def frame(self) -> pl.LazyFrame:
        """The accepted battles, `winner` as one of the four winners.

        Collecting it raises polars' InvalidOperationError on an unknown vote; `tally_votes`
        quotes such votes and says where they are.
        """
        return self.rows.filter(self.why_not.is_null()).with_columns(winner=self._meaning)

    @property
    def dropped(self) -> pl.LazyFrame:
        """The battles that the conditions drop, and why.

        Beside the battle columns: `reason`, the first condition not met, and `unknown`, whether
        that was because the row does not tell.
        """
        if not self.conditions:
            nothing = self.frame.limit(0)
            return nothing.with_columns(reason=pl.lit("", pl.String), unknown=pl.lit(False))
        names = pl.Series([one.name for one in self.conditions], dtype=pl.String)
        number = dict(enumerate(names))
        return (
            self.rows.filter(self.why_not == FILTERED)
            .with_columns(
                winner=self._meaning,
                reason=(pl.col("filtered") // 2).replace_strict(number, return_dtype=pl.String),
                unknown=pl.col("filtered") % 2 == 1,
            )
            .drop("filtered")
        )

    @property
    def _meaning(self) -> pl.Expr:
        return pl.col("winner").replace_strict(self.labels, return_dtype=pl.Enum(WINNERS))

    def rejected(self) -> pl.DataFrame:
        """The rejected rows: `source`, `row` (from 1, headers not counted), `reason`, the vote.

        This reads the logs a second time.
        """
        why_not = replace(self, conditions=()).why_not
        numbered = [
            _numbered(part.with_columns(self.unsaid(part))).select(
                pl.lit(source.name).alias("source"),
                "row",
                pl.when(why_not.is_in(REJECTED)).then(why_not).alias("reason"),
                "model_a",
                "model_b",
                "winner",
            )
            for part, source in zip(self.parts, self.sources, strict=True)
        ]
        return collect(pl.concat(numbered).filter(pl.col("reason").is_not_null()), self.sources)

    def unsaid(self, part: pl.LazyFrame) -> list[pl.Expr]:
        """What a source leaves unsaid that another one says: see `UNSAID`."""
        there = part.collect_schema()
        return [
            pl.lit(value, BATTLE_SCHEMA[name]).alias(name)
            for name, value in UNSAID.items()
            if name in self.columns and name not in there
        ]


def read_battles(
    votes: object,
    *,
    columns: Mapping[str, str] | None = None,
    outcomes: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    anonymous_only: bool = True,
    progress: Progress | None = None,
) -> Battles:
    """Read vote logs in any published format.

    Args:
        votes: a path, a glob pattern, a polars frame, anything with the Arrow C stream
            interface, or a list of these; formats may differ within the list.
        columns: battle column → the log's own column, e.g. ``{"model_a": "left"}``.
        outcomes: the log's own vote → winner, e.g. ``{"left": "model_a"}``; added to the
            published spellings.
        keep: numeric columns of the log to carry along as covariates; `x` stands for the
            columns `x`, `x_a` and `x_b`, as many of them as there are.
        anonymous_only: set battles aside that were fought under the models' names (`anony`).
        progress: called while a long JSON array is read.

    Raises:
        ReadError: a path that cannot be read.
        ColumnError: a log in no known format, or a column in `columns` that it lacks.
        OptionError: a name in `columns` or `outcomes` that does not exist.

    >>> log = pl.DataFrame({"model_a": ["x", "y"], "model_b": ["y", "x"], "winner": ["tie", None]})
    >>> battles = read_battles(log)
    >>> battles.frame.select("model_a", "winner").collect().rows()
    [('x', 'tie')]
    >>> battles.rejected().select("row", "reason").rows()
    [(2, 'no winner')]
    """
    mapped = dict(columns or {})
    for winner in (outcomes or {}).values():
        if winner not in WINNERS:
            raise OptionError(
                f"--outcomes: '{winner}' is not a winner; they are {', '.join(WINNERS)}"
            )
    sources = open_sources(votes, progress)
    parts, formats = [], []
    expressions: list[Mapping[str, pl.Expr]] = []
    for source in sources:
        raw = source.raw.collect_schema()
        form = recognise(raw, mapped, source.name)
        if form.name == "counts":
            if mapped:
                message = f"{source.name}: is a file of counts, which takes no --columns"
                raise OptionError(message)
            parts.append(_from_counts(source))
            expressions.append({})
        else:
            found = battle_columns(raw, mapped, form, source.name)
            found |= kept_columns(raw, keep, found)
            parts.append(source.raw.select(found.values()))
            expressions.append(found)
        formats.append(form.name)
    labels = {**SPELLINGS, **(outcomes or {})}
    return Battles(
        tuple(parts),
        sources,
        tuple(formats),
        labels,
        anonymous_only=anonymous_only,
        expressions=tuple(expressions),
    )


def _numbered(part: pl.LazyFrame) -> pl.LazyFrame:
    """A part with the row number in its source; counts have kept theirs."""
    return part if "row" in part.collect_schema() else part.with_row_index("row", offset=1)


def _from_counts(source: Source) -> pl.LazyFrame:
    """A counts file as battles: one row per pair and winner, with its `votes`.

    Raises:
        ColumnError: naming the first row whose count is not a number of votes.
    """
    there = [name for name in COUNT_COLUMNS if name in source.raw.collect_schema()]
    counts = source.raw.select(
        pl.col("model_a", "model_b").cast(pl.String),
        pl.col(there).cast(pl.Float64, strict=False),
    ).with_row_index("row", offset=1)
    long = collect(
        counts.unpivot(
            there, index=["row", "model_a", "model_b"], variable_name="winner", value_name="votes"
        ),
        [source],
    )
    wrong = long.filter(~(pl.col("votes").is_finite() & (pl.col("votes") >= 0)).fill_null(False))
    if wrong.height:
        row, column = wrong.select("row", "winner").row(0)
        value = collect(source.raw.select(column).slice(row - 1, 1), [source]).item()
        message = (
            f"{source.name}: row {row:,}, column '{column}': {value!r} is not a number of votes"
        )
        raise ColumnError(message)
    meaning = pl.col("winner").replace_strict(COUNT_COLUMNS)
    return (
        long.lazy()
        .filter(pl.col("votes") > 0)
        .select("row", "model_a", "model_b", meaning, "votes")
    )
