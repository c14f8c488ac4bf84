"""What a corpus has of prompts, and which of them that makes seen.

What the texts of one part of a corpus have is a small table. Tables of parts, matched anywhere,
are merged in any order: the larger share wins, and of equal ones the text with the lower number.
What counts as seen is decided last, and can be decided again without matching again.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.ngram_table import prompt_blocks
from arena.overlap_rules import OverlapRule, require_same_index
from arena.prompt_index import PromptIndex, prompt_ngrams

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

FILE_BIT = 40
"""A text's number: from this bit on that of its file, below it that of its row."""
NO_TEXT = 2**63 - 1
"""Above the number of any text."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What some texts have of p prompts.

    Attributes:
        most: int [p], how many distinct n-grams of each prompt are in the text that has most of
            them; or how many of its tokens are part of one, if the rule says so.
        text: int [p], the number of that text, the lowest of several; `NO_TEXT` if none has any.
        jaccard: float [p], token-multiset Jaccard of prompt and text; nan where there is none.
        exact: int [p], the lowest number of a text that equals the prompt; `NO_TEXT` for none.
        found: uint8 [e / 8], a bit for each entry of the index, the lowest first: whether any
            text has that n-gram.
        n_texts: how many texts there were.
        n_bytes: how many bytes they had.
    """

    most: Numbers
    text: Integers
    jaccard: Floats
    exact: Integers
    found: Bytes
    n_texts: int
    n_bytes: int


def no_matches(index: PromptIndex) -> Matches:
    """What no texts have."""
    p = index.n_prompts
    return Matches(
        most=np.zeros(p, np.int32),
        text=np.full(p, NO_TEXT),
        jaccard=np.full(p, np.nan),
        exact=np.full(p, NO_TEXT),
        found=np.zeros(-(-index.table.entries.size // 8), np.uint8),
        n_texts=0,
        n_bytes=0,
    )


def merge_matches(one: Matches, other: Matches) -> Matches:
    """What two lots of texts have, held against the same index."""
    better = (other.most > one.most) | ((other.most == one.most) & (other.text < one.text))
    return Matches(
        most=np.where(better, other.most, one.most),
        text=np.where(better, other.text, one.text),
        jaccard=np.where(better, other.jaccard, one.jaccard),
        exact=np.minimum(one.exact, other.exact),
        found=one.found | other.found,
        n_texts=one.n_texts + other.n_texts,
        n_bytes=one.n_bytes + other.n_bytes,
    )


def overlap_table(
    index: PromptIndex, matches: Matches, rule: OverlapRule | None = None
) -> pl.DataFrame:
    """One row for each distinct prompt.

    Args:
        index: of the prompts.
        matches: what texts have of them.
        rule: when a prompt counts as seen; that of the index if not given.

    Returns:
        `prompt`, its number in the index; `tokens`; `class`, see `overlap_class`; `share` of the
        prompt in the one text that has most of it; `union_share` in all texts together, which
        adds up what different texts have and so comes to much more for boilerplate; `jaccard`,
        of the multisets of tokens of prompt and that text, null where no text has an n-gram of
        the prompt; `exact`, whether a text equals the prompt; and which texts these are, as the
        number of the file and the row in it: `text_file`, `text_row`, `exact_file`, `exact_row`.
        For a `short` prompt both shares and `jaccard` are null.

    Raises:
        OptionError: a rule that asks for another index.
    """
    rule = rule or index.rule
    require_same_index(rule, index.rule)
    n = np.maximum(index.n_tokens if rule.of == "tokens" else index.table.n_grams, 1)
    long = pl.col("tokens") >= rule.n
    return (
        pl.DataFrame(
            {
                "prompt": np.arange(index.n_prompts, dtype=np.int32),
                "tokens": index.n_tokens,
                "share": matches.most / n,
                "union_share": _union(index, matches) / n,
                "jaccard": pl.Series(matches.jaccard, nan_to_null=True),
                "exact": matches.exact != NO_TEXT,
                **_places("text", matches.text),
                **_places("exact", matches.exact),
            }
        )
        .with_columns(pl.when(long).then(pl.col("share", "union_share", "jaccard")))
        .select(
            "prompt",
            "tokens",
            overlap_class(rule).alias("class"),
            pl.all().exclude("prompt", "tokens"),
        )
    )


def overlap_class(rule: OverlapRule) -> pl.Expr:
    """Over the columns of `overlap_table`: `seen` or `unseen`, or `short` for too few tokens."""
    share = pl.col("union_share" if rule.union else "share")
    seen = (share > rule.threshold) if rule.above else (share >= rule.threshold)
    if rule.jaccard is not None:
        alike = pl.col("jaccard").fill_null(0.0) >= rule.jaccard
        seen |= alike & (pl.col("share") >= rule.jaccard_share)
    seen |= pl.col("exact")
    known = pl.when(seen).then(pl.lit("seen")).otherwise(pl.lit("unseen"))
    return pl.when(pl.col("tokens") < rule.n).then(pl.lit("short")).otherwise(known)


def classify(table: pl.DataFrame, index: PromptIndex, rule: OverlapRule) -> pl.DataFrame:
    """The same table with its classes by another rule that the same index serves.

    Raises:
        OptionError: a rule that asks for another index.
    """
    require_same_index(rule, index.rule)
    return table.with_columns(overlap_class(rule).alias("class"))


def _places(name: str, numbers: Integers) -> dict[str, pl.Series]:
    """Numbers of texts as two columns, file and row; null where there is no text."""
    number = pl.Series(numbers)
    known = number.set(number == NO_TEXT, None)
    return {
        f"{name}_file": (known // (1 << FILE_BIT)).cast(pl.Int32),
        f"{name}_row": known % (1 << FILE_BIT),
    }


def _union(index: PromptIndex, matches: Matches) -> Numbers:
    """How many n-grams of each prompt, or tokens in one, are in any text, [p]."""
    from arena.overlap_kernel import cover, tally

    table, n = index.table, np.zeros(index.n_prompts, np.int32)
    if index.rule.of == "ngrams":
        tally(table.entries, table.postings, matches.found, n)
        return n
    for block in prompt_blocks(index.offsets):
        keys, offsets = prompt_ngrams(index, block)
        places, found = np.empty((2, keys.size), np.int32)
        where = np.empty(keys.size, np.uint32)
        n_found = table.find(keys, places, found, where)
        cover(offsets, places, found, n_found, index.rule.n, matches.found, n[block])
    return n
