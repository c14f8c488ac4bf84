"""What corpora have of a log's prompts, as it was measured: to keep, to read back, to judge anew."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from arena.errors import ReadError
from arena.matches import overlap_class
from arena.overlap_rules import OverlapRule, require_same_index
from arena.showing import shown_html, shown_text
from arena.sources import UNREADABLE, one_line

COLUMNS: Mapping[str, pl.DataType] = {
    "prompt": pl.String(),
    "battles": pl.Int64(),
    "corpus": pl.String(),
    "class": pl.String(),
    "stock": pl.Boolean(),
    "tokens": pl.Int64(),
    "share": pl.Float64(),
    "union_share": pl.Float64(),
    "jaccard": pl.Float64(),
    "exact": pl.Boolean(),
    "file": pl.String(),
    "row": pl.Int64(),
    "excerpt": pl.String(),
}
"""The columns of a match, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """What corpora have of a log's prompts.

    Attributes:
        frame: one row per distinct prompt and corpus: `COLUMNS`. `class` is ``seen``, ``unseen``
            or ``short`` (too few tokens for an n-gram, so only whole equality is known, by
            `exact`, and the shares are null); `stock`, whether the prompt is so common in the
            log that to find it says nothing; `share`, `jaccard` and `union_share` as in
            `overlap_table`; `file` and `row`, from 0, of the text that equals the prompt, or
            else has most of it, a tenth at least, and an `excerpt` of it.
        rule: by which `class` was decided.
        text: the battle column that was matched, ``prompt`` or ``user_text``.
        trained: corpus → the models trained on it; of none, if nobody said so.
        manifest: corpora with their files, numbers of texts and bytes, files left out.
    """

    frame: pl.DataFrame
    rule: OverlapRule
    text: str
    trained: Mapping[str, tuple[str, ...]]
    manifest: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write as Parquet, with all that is needed to read it back."""
        held = {
            "rule": asdict(self.rule),
            "text": self.text,
            "trained": {corpus: list(models) for corpus, models in self.trained.items()},
            "manifest": dict(self.manifest),
        }
        self.frame.write_parquet(path, metadata={"arena_match": json.dumps(held)})

    def __str__(self) -> str:
        """The table that a terminal shows."""
        return shown_text(self)

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        return shown_html(self)


def read_match(path: str | Path) -> Match:
    """Read a match that was written to Parquet.

    Raises:
        ReadError: if it is none.
    """
    try:
        held = pl.read_parquet_metadata(path).get("arena_match")
        if held is None:
            raise ReadError(f"{path}: is no match; make one with arena match VOTES --corpus FILE")
        known, frame = json.loads(held), pl.read_parquet(path)
        trained = {corpus: tuple(models) for corpus, models in known["trained"].items()}
        rule = OverlapRule(**known["rule"])
        return Match(frame.select(COLUMNS.keys()), rule, known["text"], trained, known["manifest"])
    except UNREADABLE as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(f"{path}: cannot be read as a match ({one_line(error)})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: is a match that this version cannot read; make it again"
        raise ReadError(message) from error


def rethreshold(
    match: Match, threshold: float | None = None, jaccard: float | None = None
) -> Match:
    """The same match with its classes by other thresholds; nothing is matched again.

    Raises:
        OptionError: a threshold that cannot be.
    """
    rule = match.rule
    if threshold is not None:
        rule = replace(rule, threshold=threshold)
    if jaccard is not None:
        rule = replace(rule, jaccard=jaccard)
    require_same_index(rule, match.rule)
    decided = match.frame.with_columns(overlap_class(rule).alias("class"))
    return replace(match, frame=decided, rule=rule)
