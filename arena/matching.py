"""Which prompts of a vote log were also in training corpora, with the evidence.

Matching is by distinct prompt; battles are looked up by their prompt. What was found is kept as
it was measured, so that another threshold needs no second look at the corpora.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import polars as pl

from arena.battles import Battles
from arena.corpora import Corpus, corpus_blocks
from arena.display import amount, listing
from arena.errors import ColumnError, OptionError, ReadError, UserError
from arena.filters import Filter
from arena.json_arrays import Progress
from arena.matches import Matches, merge_matches, no_matches, overlap_class, overlap_table
from arena.overlap import match_texts
from arena.overlap_rules import OverlapRule, require_same_index
from arena.prompt_index import PromptIndex, index_prompts
from arena.showing import shown_html, shown_text
from arena.sources import REMOTE, UNREADABLE, collect, one_line

By = Literal["battle", "model"]
Choice = Literal["keep", "drop"]
GoThrough = Callable[[PromptIndex, Corpus, bool], tuple[Matches, list[str]]]
"""From an index, a corpus, and whether to leave out files that cannot be read, to what its files
have and why some were left out."""

STOCK_SHARE, STOCK_LEAST = 0.001, 10
"""A prompt of more than one battle in a thousand, and of ten at least, is a stock prompt."""
LEAST_SHOWN = 0.1
"""The text that has most of a prompt is named if it has this share of it."""
EXCERPT = 400
"""Characters of a matched text that are kept."""

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


# ── matching ───────────────────────────────────────────────────────────────────────────────


def match_prompts(
    battles: Battles,
    corpora: Sequence[Corpus],
    rule: OverlapRule | None = None,
    *,
    trained: Mapping[str, Sequence[str]] | None = None,
    text: str = "prompt",
    skip_bad_files: bool = False,
    go_through: GoThrough | None = None,
    progress: Progress | None = None,
) -> Match:
    """Look for a log's prompts in training corpora.

    Args:
        battles: the votes, with prompts.
        corpora: where to look; each is held against all prompts by itself.
        rule: when a prompt counts as seen; see `overlap_rule`.
        trained: corpus name → models trained on it.
        text: ``prompt``, the first user turn, or ``user_text``, all of them.
        skip_bad_files: leave out files that cannot be read, and name them in the manifest.
        go_through: another way through a corpus's files, e.g. `arena.distributed.on_dask`.
        progress: called with a file's name and the rate, bytes of files done, and bytes in all.

    Raises:
        ColumnError: votes without prompts, or a corpus without texts.
        OptionError: two corpora of one name, or models trained on one that there is not.
        ReadError: naming a file that cannot be read.
    """
    _refuse_names(corpora, trained or {})
    rule = rule or OverlapRule()
    prompts = _distinct_prompts(battles, text)
    index = index_prompts(prompts["prompt"], rule)
    own = prompts.with_columns(group=pl.Series(index.of_row))
    own = own.with_columns(stock=_is_stock(own))
    go_through = go_through or one_after_the_other(progress)
    parts, told = [], []
    for corpus in corpora:
        found, skipped = go_through(index, corpus, skip_bad_files)
        if found.n_texts == 0:
            message = f"{corpus.name}: holds no text of {listing(corpus.roles)}; see --roles"
            raise ColumnError(message)
        table = _with_excerpts(overlap_table(index, found), corpus)
        parts.append(_of_prompts(own, table, corpus))
        told.append(
            {
                "name": corpus.name,
                "files": list(corpus.files),
                "column": corpus.column,
                "roles": list(corpus.roles),
                "texts": found.n_texts,
                "bytes": found.n_bytes,
                "skipped": skipped,
            }
        )
    manifest = {
        "rule": asdict(rule),
        "votes": [source.name for source in battles.sources],
        "conditions": [condition.name for condition in battles.conditions],
        "prompts": prompts.height,
        "battles": int(prompts["battles"].sum()),
        "corpora": told,
    }
    models = {corpus.name: tuple((trained or {}).get(corpus.name, ())) for corpus in corpora}
    return Match(pl.concat(parts), rule, text, models, manifest)


def match_file(index: PromptIndex, corpus: Corpus, number: int, file: str) -> Matches:
    """What one file of a corpus has: all that a worker anywhere needs to do.

    Merged by `merge_matches` in any order, such results are those of the whole corpus.
    """
    return match_texts(index, (block["text"] for block in corpus_blocks(corpus, file)), file=number)


def one_after_the_other(progress: Progress | None = None) -> GoThrough:
    """Go through a corpus's files in this process; each is worked on by all processors."""

    def go_through(
        index: PromptIndex, corpus: Corpus, skip_bad_files: bool
    ) -> tuple[Matches, list[str]]:
        found, skipped = [no_matches(index)], []
        sizes = [_size(file) for file in corpus.files]
        watch = _Watch(progress, sum(sizes))
        for number, file in enumerate(corpus.files):
            texts = (watch.seen(file, block["text"]) for block in corpus_blocks(corpus, file))
            try:
                found.append(match_texts(index, texts, file=number))
            except (ReadError, ColumnError) as error:
                skipped.append(refuse_or_skip(error, corpus, skip_bad_files))
            watch.done += sizes[number]
        refuse_none_read(corpus, skipped)
        return reduce(merge_matches, found), skipped

    return go_through


def _size(file: str) -> int:
    """Bytes of a file; 0 where that cannot be known, which reading it will tell."""
    return Path(file).stat().st_size if not REMOTE.match(file) and Path(file).exists() else 0


def refuse_or_skip(error: UserError, corpus: Corpus, skip_bad_files: bool) -> str:
    """Why a file is left out, or the error again where none may be."""
    if skip_bad_files:
        return str(error)
    more = "; leave such files out with --skip-bad-files" if len(corpus.files) > 1 else ""
    raise type(error)(f"{error}{more}") from error


def refuse_none_read(corpus: Corpus, skipped: Sequence[str]) -> None:
    """Raise ReadError if no file of a corpus was read."""
    if len(skipped) == len(corpus.files):
        raise ReadError(f"{corpus.name}: none of its files can be read; {skipped[0]}")


@dataclass(slots=True)
class _Watch:
    """Says how far matching has come.

    Attributes:
        progress: whom to tell.
        total: bytes of all files.
        done: bytes of the files done with.
    """

    progress: Progress | None
    total: int
    done: int = 0
    n_bytes: int = 0
    start: float = field(default_factory=monotonic)

    def seen(self, file: str, texts: pl.Series) -> pl.Series:
        """Pass a block on."""
        if self.progress:
            self.n_bytes += int(texts.str.len_bytes().sum())
            rate = self.n_bytes / 1e6 / max(monotonic() - self.start, 1e-3)
            self.progress(f"{file}, {rate:,.0f} MB/s", self.done, self.total)
        return texts


def _refuse_names(corpora: Sequence[Corpus], trained: Mapping[str, Sequence[str]]) -> None:
    names = [corpus.name for corpus in corpora]
    if not names:
        raise OptionError("match: no corpus; name one with --corpus FILE")
    empty = next((corpus.name for corpus in corpora if not corpus.files), None)
    if empty is not None:
        raise OptionError(f"match: corpus '{empty}' has no file")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"match: two corpora are named '{twice}'; name them apart")
    unknown = next((name for name in trained if name not in names), None)
    if unknown is not None:
        raise OptionError(f"trained: no corpus '{unknown}'; there are {listing(names)}")


def _distinct_prompts(battles: Battles, text: str) -> pl.DataFrame:
    """The distinct prompts, sorted, and how many battles each has."""
    if text not in ("prompt", "user_text"):
        raise OptionError(f"text: '{text}' is not one of prompt, user_text")
    if text not in battles.columns:
        message = f"no column '{text}' to match; these votes have {', '.join(battles.columns)}"
        raise ColumnError(message)
    counted = battles.frame.group_by(pl.col(text).alias("prompt")).agg(
        battles=pl.len().cast(pl.Int64)
    )
    prompts = collect(counted.drop_nulls("prompt"), battles.sources).sort("prompt")
    if prompts.is_empty():
        raise ColumnError(f"column '{text}' holds no prompt at all")
    return prompts


def _is_stock(own: pl.DataFrame) -> pl.Series:
    """Whether a prompt, in whatever spelling, is too common in the log to tell anything."""
    together = own.select(pl.col("battles").sum().over("group")).to_series()
    often = together > STOCK_SHARE * float(own["battles"].sum())
    return often & (together >= STOCK_LEAST) & (own["group"] >= 0)


def _of_prompts(own: pl.DataFrame, table: pl.DataFrame, corpus: Corpus) -> pl.DataFrame:
    """What a corpus has of every prompt as it is spelt in the log."""
    found = own.join(table, left_on="group", right_on="prompt", how="left", maintain_order="left")
    # A prompt that says nothing, such as white space, is too short to judge.
    return found.with_columns(
        pl.lit(corpus.name).alias("corpus"),
        pl.col("class").fill_null("short"),
        pl.col("exact").fill_null(False),
        pl.col("tokens").fill_null(0),
        pl.col("file").map_elements(lambda number: corpus.files[number], return_dtype=pl.String),
    ).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())


def _with_excerpts(table: pl.DataFrame, corpus: Corpus) -> pl.DataFrame:
    """The table with `file`, `row` and `excerpt` of the text that equals, or has most.

    The texts are read a second time, as only now is known which of them are wanted.
    """
    exact, some = pl.col("exact"), pl.col("share") >= LEAST_SHOWN
    at = table.with_columns(
        file=pl.when(exact).then("exact_file").when(some).then("text_file"),
        place=pl.when(exact).then("exact_row").when(some).then("text_row"),
    )
    parts = [
        pl.DataFrame(
            schema={"file": pl.Int32, "place": pl.Int64, "row": pl.Int64, "excerpt": pl.String}
        )
    ]
    for (number,), wanted in at.drop_nulls("file").group_by("file", maintain_order=True):
        places, done = wanted["place"].unique().sort(), 0
        for block in corpus_blocks(corpus, corpus.files[int(str(number))]):
            inside = places.filter((places >= done) & (places < done + block.height)) - done
            texts = block[inside.to_list()] if inside.len() else block.clear()
            parts.append(
                pl.DataFrame(
                    {
                        "file": pl.Series([number] * inside.len(), dtype=pl.Int32),
                        "place": inside + done,
                        "row": texts["row"],
                        # Copied, as a view would hold the whole block.
                        "excerpt": pl.Series(
                            texts["text"].str.head(EXCERPT).to_list(), dtype=pl.String
                        ),
                    }
                )
            )
            done += block.height
            if not places.len() or done > places[-1]:
                break
    joined = at.join(pl.concat(parts), on=["file", "place"], how="left", maintain_order="left")
    return joined.drop("place", "text_file", "text_row", "exact_file", "exact_row")


# ── use ────────────────────────────────────────────────────────────────────────────────────


def unseen(match: Match, by: By = "battle", short: Choice = "keep") -> Filter:
    """Battles whose prompt no corpus had.

    Args:
        match: of the same log, or of one that holds it.
        by: ``battle``, drop every battle on a seen prompt; ``model``, only those of a model that
            was trained on a corpus that had it.
        short: what to do with battles on prompts that are too short to judge, or stock prompts:
            ``keep`` them or ``drop`` them.

    Raises:
        OptionError: an option that cannot be, or a match in which nobody is said to be trained
            on anything, if that is what matters. Using the filter on battles raises it for a
            match that lacks some of their prompts.
    """
    if by not in ("battle", "model"):
        raise OptionError(f"by: '{by}' is not one of battle, model")
    if short not in ("keep", "drop"):
        raise OptionError(f"short: '{short}' is not one of keep, drop")
    if by == "model" and not any(match.trained.values()):
        message = (
            "unseen by model: nobody is said to be trained on these corpora; match again with "
            "--trained MODEL,MODEL"
        )
        raise OptionError(message)
    names = listing([corpus for corpus in match.trained])

    def keeps(battles: Battles) -> pl.Expr:
        refuse_other_log(match, battles)
        text = pl.col(match.text)
        met = [
            text.is_in(seen_prompts(match, corpus).implode())
            & (_plays(models) if by == "model" else pl.lit(True))
            for corpus, models in match.trained.items()
        ]
        kept = ~pl.any_horizontal(met)
        if short == "drop":
            kept &= ~text.is_in(short_prompts(match).implode())
        return pl.when(text.is_not_null()).then(kept)

    whose = "" if by == "battle" else " by its models"
    return Filter(f"unseen{whose} in {names} (short: {short})", (match.text,), keeps)


def seen_prompts(match: Match, corpus: str | None = None) -> pl.Series:
    """The prompts that a corpus had, or any of them; not the stock prompts."""
    of = pl.lit(True) if corpus is None else pl.col("corpus") == corpus
    seen = match.frame.filter(of, pl.col("class") == "seen", ~pl.col("stock"))
    return seen["prompt"].unique(maintain_order=True)


def short_prompts(match: Match) -> pl.Series:
    """The prompts that are too short to judge, or stock prompts."""
    unclear = match.frame.filter((pl.col("class") == "short") | pl.col("stock"))
    return unclear["prompt"].unique(maintain_order=True)


def _plays(models: Sequence[str]) -> pl.Expr:
    return pl.col("model_a").is_in(models) | pl.col("model_b").is_in(models)


def refuse_other_log(match: Match, battles: Battles) -> None:
    """Raise OptionError for a match that lacks some of the battles' prompts."""
    known = match.frame["prompt"].unique()
    of_log = battles.frame.select(pl.col(match.text).alias("prompt")).drop_nulls().unique()
    others = of_log.join(known.to_frame().lazy(), on="prompt", how="anti").select(pl.len())
    n = int(collect(others, battles.sources).item())
    if n:
        message = (
            f"match: lacks {amount(n, 'prompt')} of these votes; it was made from "
            f"{listing(match.manifest['votes'])}; match these votes with arena match"
        )
        raise OptionError(message)
