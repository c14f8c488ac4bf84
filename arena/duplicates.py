"""Filters on prompts that come again: LMSYS' cap on frequent ones, exact and near repeats.

Prompts are told apart by two 64-bit hashes of their text, taken while the log streams by: of
a million rows, 16 MB and not all their texts. Two of n texts are taken for one with a
probability of about n² / 2¹²⁹.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import PLACE, Battles
from arena.conditions import flagged
from arena.errors import OptionError
from arena.filters import Filter, count_rows, keep_places, need_one_of, placed_votes
from arena.near_duplicates import near_duplicate_groups
from arena.overlap_rules import OverlapRule

Integers = NDArray[np.int64]
Per = Literal["prompt", "pair"]

TEXTS = ("user_text", "prompt")
"""Where a prompt's text is, the fullest first."""

KEY_LENGTH = 10_000
"""Characters by which LMSYS told prompts apart."""

HASH_SEEDS = (1, 2)


def cap_repeats(q: float = 0.999, seed: int = 42) -> Filter:
    """Battles whose prompt is not among the most frequent, and a sample of those that are.

    LMSYS' cap on redundant prompts, row for row as FastChat's ``deduplication.py`` tags them
    (https://lmsys.org/blog/2024-05-17-category-hard/). Prompts are one if all user turns, each
    followed by a line break, agree in their first 10,000 characters. The cutoff is the q-th
    quantile, linearly interpolated, of how often each of the different prompts occurs. Of a
    prompt that occurs more often than that, as many battles are kept as the whole part of the
    cutoff says, drawn without replacement by ``numpy.random.RandomState(seed)``, anew for every
    prompt, which is what ``pandas.DataFrame.sample(random_state=seed)`` draws.

    LMSYS tagged whole logs, before it left anything out: to find its rows again, let this be the
    first filter, and read the log with ``anonymous_only=False``. Battles without text are kept.

    Args:
        q: 0.9999 at first ("top 0.01 %"), 0.999 later ("top 0.1 %").
        seed: of the samples; LMSYS' is 42.
    """
    if not 0 <= q <= 1:
        raise OptionError(f"cap-repeats: q is {q}, and a quantile lies from 0 to 1")
    if not 0 <= seed < 1 << 32:
        raise OptionError(f"cap-repeats: seed {seed} is not a number from 0 to 2^32 - 1")
    name = f"repeats capped at quantile {q:g} (seed {seed})"

    def capped(battles: Battles) -> pl.Expr:
        key = (_text(battles, name) + "\n").str.slice(0, KEY_LENGTH)
        votes = placed_votes(battles, _hashes({"prompt": key})).drop_nulls()
        return _all_but(battles, _beyond_cap(votes, q, seed))

    return Filter(name, (), capped)


def dedup_sampled() -> Filter:
    """Battles that LMSYS' published tag of redundant prompts keeps; see `cap_repeats`."""
    return flagged("dedup_sampled")


def without_exact_duplicates(per: Per = "prompt") -> Filter:
    """The first battle, in the log's order, of each prompt.

    Prompts are one if the text of all user turns is the same. Battles without text are kept.

    Args:
        per: ``prompt``, or ``pair`` to keep the first battle of each prompt between each two
            models, whichever side they stood on.
    """
    if per not in ("prompt", "pair"):
        raise OptionError(f"without-exact-duplicates: per '{per}' is not one of prompt, pair")
    name = "first battle of each prompt" + (" on each pair" if per == "pair" else "")
    one, two = pl.col("model_a"), pl.col("model_b")
    low = pl.when(one < two).then(one).otherwise(two)
    high = pl.when(one < two).then(two).otherwise(one)
    sides = {"low": low, "high": high} if per == "pair" else {}

    def first(battles: Battles) -> pl.Expr:
        votes = placed_votes(battles, _hashes({"prompt": _text(battles, name), **sides}))
        return _all_but(battles, _again(votes))

    return Filter(name, (), first)


def without_near_duplicates(jaccard: float = 0.8) -> Filter:
    """The first battle, in the log's order, of all whose prompts say nearly the same.

    Prompts are grouped by `near_duplicate_groups`, the text of all user turns taken together.
    Battles without text are kept.

    Args:
        jaccard: of the multisets of words, from which on two prompts are near duplicates.
    """
    rule = OverlapRule(jaccard=jaccard)  # refuses what cannot be
    name = f"first battle of each prompt, near duplicates together (Jaccard {rule.jaccard:g})"

    def first(battles: Battles) -> pl.Expr:
        votes = placed_votes(battles, [_text(battles, name).alias("text")]).drop_nulls()
        group = near_duplicate_groups(votes["text"], jaccard)
        return _all_but(battles, votes[PLACE].to_numpy()[group != np.arange(group.size)])

    return Filter(name, (), first)


def one_vote_per_judge_and_prompt() -> Filter:
    """The first vote of each judge on each prompt, whichever models it was on.

    First in time where the log has times, and a vote without one comes after those with; else,
    and of one time, in the log's order. Votes without a judge or a prompt are kept.
    """
    name = "one vote per judge and prompt"

    def first(battles: Battles) -> pl.Expr:
        by_time = "tstamp" in battles.columns
        keys = _hashes({"judge": pl.col("judge"), "prompt": _text(battles, name)})
        votes = placed_votes(battles, [*keys, *(["tstamp"] if by_time else [])])
        if by_time:
            votes = votes.sort("tstamp", nulls_last=True, maintain_order=True).drop("tstamp")
        return _all_but(battles, _again(votes))

    return Filter(name, ("judge",), first)


def _text(battles: Battles, name: str) -> pl.Expr:
    """The user's turns joined by line breaks, or at least the first of them."""
    need_one_of(battles, TEXTS, name)
    return pl.coalesce(column for column in TEXTS if column in battles.columns)


def _hashes(keys: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Two hashes of each key; null where the key is."""
    return [
        pl.when(key.is_not_null()).then(key.hash(seed)).alias(f"{name} {seed}")
        for name, key in keys.items()
        for seed in HASH_SEEDS
    ]


def _again(votes: pl.DataFrame) -> Integers:
    """Places of the rows whose keys, the columns beside `place`, stood in a row before."""
    known = votes.drop_nulls()
    keys = [column for column in known.columns if column != PLACE]
    firsts = known.unique(keys, keep="first")
    return np.setdiff1d(known[PLACE].to_numpy(), firsts[PLACE].to_numpy(), assume_unique=True)


def _beyond_cap(votes: pl.DataFrame, q: float, seed: int) -> Integers:
    """Places of the rows that the cap drops, from the keys of rows in the log's order."""
    keys = [column for column in votes.columns if column != PLACE]
    counts = votes.group_by(keys).agg(n=pl.len())
    if counts.is_empty():
        return np.empty(0, dtype=np.int64)
    # polars interpolates with other rounding, and the whole part of the cutoff is what counts.
    cutoff = float(np.quantile(counts["n"].to_numpy(), q))
    frequent = counts.filter(pl.col("n") > cutoff).with_row_index("prompt")
    rows = votes.join(frequent, on=keys).sort("n", "prompt", PLACE)
    dropped = [np.empty(0, dtype=np.int64)]
    for equally_frequent in rows.partition_by("n", maintain_order=True):
        n = equally_frequent["n"][0]
        drawn_last = np.random.RandomState(seed).permutation(n)[int(cutoff) :]
        places = equally_frequent[PLACE].to_numpy().reshape(-1, n)
        dropped.append(places[:, drawn_last].ravel())
    return np.concatenate(dropped)


def _all_but(battles: Battles, dropped: Integers) -> pl.Expr:
    kept = np.ones(count_rows(battles), dtype=np.bool_)
    kept[dropped] = False
    return keep_places(kept)
