"""Groups of texts that say nearly the same, within one column."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from arena.ngram_table import power_of_two, prompt_blocks
from arena.overlap_rules import OverlapRule
from arena.prompt_index import PromptIndex, index_prompts, prompt_ngrams
from arena.text import Column

Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]


def near_duplicate_groups(
    texts: Column, jaccard: float = 0.8, n: int = 5, cap: int = 256, threads: int | None = None
) -> Integers:
    """The group of each text, as the first row in it.

    Two texts are linked if their tokens are the same, or if they share an n-gram and the
    token-multiset Jaccard of the two is large enough; a group is all that is linked by any chain.
    Texts with fewer than n tokens are linked only if they say the same to the letter, but for case
    and white space. A text that is missing or empty is a group of its own.

    >>> import polars as pl
    >>> near = ["Write a short poem about the sea", "write a SHORT poem about the sea please"]
    >>> near_duplicate_groups(pl.Series(["Hello", *near, "hello", "hello!", None])).tolist()
    [0, 1, 1, 0, 4, 5]

    Args:
        texts: strings.
        jaccard: the least Jaccard of a pair, of the multisets of words, not of n-grams.
        n: tokens in an n-gram.
        cap: n-grams in more distinct texts make no pairs.
        threads: how many; as many as there are processors if not given. The result does not
            depend on it.

    Raises:
        ColumnError: a column that holds something else than text.
        OptionError: an option with a value it cannot have.
    """
    threads = threads or os.cpu_count() or 1
    index = index_prompts(texts, OverlapRule(n, cap=cap, jaccard=jaccard), threads)
    with ThreadPoolExecutor(threads) as pool:
        blocks = prompt_blocks(index.offsets)
        parts = list(pool.map(lambda block: _links(index, block, jaccard), blocks))
    links = np.concatenate([np.empty((0, 2), np.int32), *parts])
    shape = (index.n_prompts, index.n_prompts)
    graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=shape)
    n_groups, group = connected_components(graph, directed=False)
    first = np.full(n_groups, len(index.of_row), np.int64)
    np.minimum.at(first, group, index.rows)
    groups, known = np.arange(len(index.of_row)), index.of_row >= 0
    groups[known] = first[group[index.of_row[known]]]
    return groups


def _links(index: PromptIndex, block: slice, jaccard: float) -> Numbers:
    """Pairs [k, 2] of a block's prompts with those before them."""
    from arena.near_kernel import link

    keys, offsets = prompt_ngrams(index, block)
    places, found = np.empty((2, keys.size), np.int32)
    where = np.empty(keys.size, np.uint32)
    n_found = index.table.find(keys, places, found, where)
    here, touched = np.zeros((2, index.n_prompts), np.int32)
    room = power_of_two(2 * int(np.diff(offsets).max(initial=0)))
    slots, times = np.zeros(room, np.uint64), np.empty(room, np.int32)
    links = np.empty((0, 2), np.int32)
    while True:
        n = link(
            index.tokens,
            index.offsets,
            block.start,
            places,
            where,
            n_found,
            index.table.postings,
            jaccard,
            here,
            touched,
            slots,
            times,
            links,
        )
        if n <= len(links):
            return links[:n]
        links = np.empty((n, 2), np.int32)
