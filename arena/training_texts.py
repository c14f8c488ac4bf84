"""Synthetic training corpora: copies of prompts, some of them edited, among many others."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.world import PlantedCorpus

Integers = NDArray[np.int64]

EXACT, EDITED = "exact", "edited"

LONG_ENOUGH = 8
"""Words from which on another word leaves a prompt recognisable."""


def training_corpus(
    corpus: PlantedCorpus,
    prompts: pl.DataFrame,
    unrelated: pl.Series,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """What the models of a corpus were trained on, in random order.

    Args:
        corpus: what it is called, and how many of its copies are edited.
        prompts: the arena's prompts that are in it: `prompt_id` and `prompt`.
        unrelated: texts that are not asked in the arena.
        rng: random numbers.

    Returns:
        A frame: `text_id`, `prompt`, `copy` (exact or edited; null for unrelated texts) and
        `prompt_id`, that of the prompt it is a copy of.
    """
    n = prompts.height
    edited = np.flatnonzero(rng.random(n) < corpus.edited)
    changed = edit(prompts["prompt"].gather(edited), rng)
    # polars' scatter writes into its own series.
    copies = prompts["prompt"].clone().scatter(edited, changed)
    copy = pl.repeat(EXACT, n, dtype=pl.String, eager=True).scatter(edited, EDITED)
    rows = pl.DataFrame({"prompt": copies, "copy": copy, "prompt_id": prompts["prompt_id"]})
    rest = pl.DataFrame({"prompt": unrelated})
    mixed = pl.concat([rows, rest], how="diagonal")[rng.permutation(n + len(unrelated))]
    width = len(str(mixed.height))
    number = pl.int_range(mixed.height).cast(pl.String).str.zfill(width)
    return mixed.select(pl.lit(f"{corpus.name}-").add(number).alias("text_id"), pl.all())


def edit(texts: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Texts that were changed a little, each in one way.

    Every other one of `LONG_ENOUGH` words has one word changed. The rest have other case, spaces
    or punctuation, but the same letters and digits.
    """
    words = texts.str.count_matches(" ", literal=True).to_numpy() + 1
    other_word = (words >= LONG_ENOUGH) & (rng.random(len(texts)) < 0.5)
    rows, way = np.flatnonzero(other_word), rng.integers(3, size=len(texts))
    bare = pl.col("text").str.strip_chars_end(".?!。？ ")
    ways = (
        bare.str.to_uppercase() + "!!",
        " " + bare.str.to_lowercase().str.replace_all(" ", "  ", literal=True) + " ",
        bare + " ...",
    )
    frame = pl.DataFrame({"text": texts, "way": way})
    loud = pl.when(pl.col("way") == 0).then(ways[0])
    changed = frame.select(loud.when(pl.col("way") == 1).then(ways[1]).otherwise(ways[2]))
    reworded = [
        _with_another_word(text, place)
        for text, place in zip(texts.gather(rows), rng.random(rows.size).tolist(), strict=True)
    ]
    return changed.to_series().scatter(rows, pl.Series(reworded, dtype=pl.String))


def _with_another_word(text: str, place: float) -> str:
    """A text in which one word, a share `place` of the way through, is another of its words."""
    words = text.split(" ")
    at = int(place * len(words))
    others = (word for word in words[at + 1 :] + words[:at] if word.lower() != words[at].lower())
    return " ".join([*words[:at], next(others, "again"), *words[at + 1 :]])
