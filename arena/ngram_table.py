"""The table of an index of prompts: from an n-gram's key to the prompts that have it.

It is built in parts that fit in a processor's cache: all n-grams whose keys begin with the same
bits are brought together, sorted, and turned into entries where they stand.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.errors import OptionError
from arena.overlap_rules import OverlapRule

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]
Starts = NDArray[np.uint32]

BLOCK_TOKENS = 1 << 18
PART_NGRAMS = 1 << 17
MOST_PARTS = 1 << 12
PER_BUCKET, PER_WORD = 4, 8
"""N-grams for each bucket of the table, and for each word of 64 bits of the filter, at most."""
CACHED_WORDS = 1 << 19
"""A filter of so many words, 4 MB, is quick to read at random; beyond, it has half as many."""
MOST_NGRAMS = 1 << 30
"""An entry has room for so many places in the postings."""


@dataclass(frozen=True, slots=True, eq=False)
class NgramTable:
    """Which of p prompts have an n-gram.

    Attributes:
        entries: uint64 [e], one for each n-gram: above, the last half of its key; below, the one
            prompt that has it, or where in `postings` those are that do.
        buckets: uint32 [2^b + 1], where in `entries` those begin whose keys have the same b first
            bits; the last one is e.
        postings: int [q], prompts that share an n-gram, ascending, the last as -1 - prompt.
        filter: uint64 [2^f], a Bloom filter of the keys, a word for each f first bits.
        n_grams: int [p], how many distinct n-grams each prompt has, those included that are in
            too many prompts.
    """

    entries: Words
    buckets: Starts
    postings: Numbers
    filter: Words
    n_grams: Numbers

    def find(self, keys: Words, places: Numbers, found: Numbers, where: Starts) -> int:
        """Look n-grams up.

        Args:
            keys: uint64 [k], 0 for none.
            places: int [k], filled with the places in `keys` of those that are in the table,
                ascending.
            found: int [k], filled with which entries they are.
            where: uint32 [k], filled with the low halves of these.

        Returns:
            How many are.
        """
        from arena.index_kernel import find, probe

        n = probe(keys, self.filter, _shift(self.filter.size), places)
        shift = _shift(self.buckets.size - 1)
        return find(keys, places, n, shift, self.buckets, self.entries, found, where)


def power_of_two(least: int) -> int:
    """The least power of two that is at least so much, and 2."""
    return max(2, 1 << max(least - 1, 0).bit_length())


def prompt_blocks(offsets: Integers) -> Iterator[slice]:
    """Cut prompts into runs of about so many tokens as are worked on at once."""
    begin, n = 0, offsets.size - 1
    while begin < n:
        past = int(np.searchsorted(offsets, offsets[begin] + BLOCK_TOKENS, side="right")) - 1
        end = min(max(past, begin + 1), n)
        yield slice(begin, end)
        begin = end


def build_table(
    tokens: Words, offsets: Integers, rule: OverlapRule, pool: ThreadPoolExecutor, threads: int
) -> NgramTable:
    """Build the table of prompts.

    Args:
        tokens: uint64 [t], of all prompts.
        offsets: int [p + 1], where in `tokens` each prompt's begin.
        rule: tells which n-grams.
        pool: threads to work in.
        threads: how many these are; the table does not depend on it.

    Raises:
        OptionError: there is no room for so many n-grams.
    """
    parts = min(power_of_two(tokens.size // PART_NGRAMS), MOST_PARTS)
    blocks = list(prompt_blocks(offsets))

    def chosen(block: slice) -> tuple[Words, Numbers]:
        return _choose(tokens, offsets[block.start : block.stop + 1], block.start, rule)

    counts = list(pool.map(lambda block: _histogram(chosen(block)[0], parts), blocks))
    by_block = np.array(counts, np.int64).reshape(len(blocks), parts)
    by_part = by_block.sum(axis=0)
    n = int(by_part.sum())
    if n >= MOST_NGRAMS:
        message = f"prompts: {n:,} n-grams; an index has room for {MOST_NGRAMS:,}, so split them"
        raise OptionError(message)
    begins = np.cumsum(by_part) - by_part
    next_at = begins + np.cumsum(by_block, axis=0) - by_block
    keys, prompts = np.empty(n, np.uint64), np.empty(n, np.int32)

    def put(block: slice, at: Integers) -> None:
        from arena.index_kernel import scatter

        scatter(*chosen(block), _shift(parts), at, keys, prompts)

    list(pool.map(put, blocks, next_at))
    return _settle(keys, prompts, begins, by_part, offsets.size - 1, rule, pool, threads)


def _choose(
    tokens: Words, offsets: Integers, first: int, rule: OverlapRule
) -> tuple[Words, Numbers]:
    """Keys [c] of the n-grams of some prompts, and which prompt each is of [c]."""
    from arena.index_kernel import choose
    from arena.text_kernel import roll

    begin, end = offsets[0], offsets[-1]
    keys = np.empty(end - begin, np.uint64)
    roll(tokens[begin:end], offsets - begin, rule.n, keys, np.empty(offsets.size - 1, np.uint64))
    room = max(keys.size, (rule.samples or 0) * (offsets.size - 1))
    found, prompts = np.empty(room, np.uint64), np.empty(room, np.int32)
    seed = np.uint64(rule.seed % 2**64)
    n = choose(keys, offsets - begin, first, rule.n, rule.samples or 0, seed, found, prompts)
    return found[:n], prompts[:n]


def _histogram(keys: Words, parts: int) -> Integers:
    """How many keys there are in each part, [parts]."""
    from arena.index_kernel import histogram

    counts = np.zeros(parts, np.int64)
    histogram(keys, _shift(parts), counts)
    return counts


def _settle(
    keys: Words,
    prompts: Numbers,
    begins: Integers,
    sizes: Integers,
    n_prompts: int,
    rule: OverlapRule,
    pool: ThreadPoolExecutor,
    threads: int,
) -> NgramTable:
    """The table of n-grams [n] that are in parts, which begin and are as long as is said."""
    from arena.index_kernel import join, settle

    n, parts = keys.size, begins.size
    buckets = np.zeros(1 + max(power_of_two(n // PER_BUCKET), parts), np.uint32)
    n_words = min(power_of_two(n // PER_WORD), max(CACHED_WORDS, power_of_two(n // PER_WORD) // 2))
    filtered = np.zeros(max(n_words, parts), np.uint64)
    shifts = _shift(buckets.size - 1), _shift(filtered.size)
    per_part = (buckets.size - 1) // parts
    n_entries, n_postings = np.empty(parts, np.int64), np.empty(parts, np.int64)

    def work(worker: int) -> Numbers:
        n_grams, room = np.zeros(n_prompts, np.int32), int(sizes.max(initial=0))
        scratch = np.empty(room, np.uint64), np.empty(room, np.int32)
        for part in range(worker, parts, threads):
            these = slice(begins[part], begins[part] + sizes[part])
            n_entries[part], n_postings[part] = settle(
                keys[these],
                prompts[these],
                *shifts,
                rule.cap,
                rule.common,
                *scratch,
                buckets[1 + part * per_part : 1 + (part + 1) * per_part],
                filtered,
                n_grams,
            )
        return n_grams

    n_grams = np.stack(list(pool.map(work, range(threads)))).sum(axis=0, dtype=np.int32)
    join(keys, prompts, begins, n_entries, n_postings, buckets)
    # Gives back what is left over, without a copy; nobody else has seen the arrays.
    keys.resize(int(n_entries.sum()), refcheck=False)
    prompts.resize(int(n_postings.sum()), refcheck=False)
    return NgramTable(keys, buckets, prompts, filtered, n_grams)


def _shift(size: int) -> np.uint64:
    """How far right to shift a key so that so many values are left, a power of two."""
    return np.uint64(64 - (size.bit_length() - 1))
