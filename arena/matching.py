"""Which prompts of a vote log were also in training corpora, with the evidence.

Matching is by distinct prompt; battles are looked up by their prompt. What was found is kept as
it was measured, so that another threshold needs no second look at the corpora.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import polars as pl

from arena.battles import Battles
from arena.corpora import Corpus, corpus_blocks
from arena.corpus_pass import GoThrough, one_after_the_other
from arena.display import listing
from arena.errors import ColumnError, OptionError
from arena.json_arrays import Progress
from arena.matches import overlap_table
from arena.overlap_rules import OverlapRule
from arena.prompt_index import index_prompts
from arena.prompt_match import COLUMNS, Match
from arena.sources import collect

STOCK_SHARE, STOCK_LEAST = 0.001, 10
"""A prompt of more than one battle in a thousand, and of ten at least, is a stock prompt."""
LEAST_SHOWN = 0.1
"""The text that has most of a prompt is named if it has this share of it."""
EXCERPT = 400
"""Characters of a matched text that are kept."""


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
