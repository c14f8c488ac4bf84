"""An inverted index over distinct prompts, past which texts of any number stream.

Prompts are few and fit in memory. They are told apart by their tokens; those that are too short
for an n-gram by all that they say, see the `strict` unit of `arena.text`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.ngram_table import NgramTable, build_table, power_of_two
from arena.overlap_rules import OverlapRule
from arena.text import Column, Texts, fingerprint_texts, pieces, tokenise

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]

BLOCK_BYTES = 1 << 21
"""Text that is worked on at once: its tokens stay in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class PromptIndex:
    """p distinct prompts, and their n-grams.

    Attributes:
        rule: what the index is made for.
        of_row: int [r], which prompt each row is, numbered as they come; -1 where it is missing
            or says nothing.
        rows: int [p], the first row of each prompt.
        n_tokens: int [p], how many tokens each has.
        tokens: uint64 [t], of those prompts that have an n-gram.
        offsets: int [p + 1], where in `tokens` each prompt's begin.
        table: which prompts have an n-gram.
        identities: of the prompts.
        short: uint64 [s], sorted fingerprints of the tokens of prompts without an n-gram.
    """

    rule: OverlapRule
    of_row: Numbers
    rows: Integers
    n_tokens: Integers
    tokens: Words
    offsets: Integers
    table: NgramTable
    identities: "Identities"
    short: Words

    @property
    def n_prompts(self) -> int:
        """How many distinct prompts there are, p."""
        return self.rows.size


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """Which number an identity has, see `identify`.

    Attributes:
        slots: uint64 [2^h], a hash table of identities; 0 where it is free.
        numbers: int [2^h], the number of what is in each slot.
    """

    slots: Words
    numbers: Numbers

    def look_up(self, identities: Words) -> Numbers:
        """The number of each identity [n]; -1 for one that is not there."""
        from arena.index_kernel import look_up

        found = np.empty(identities.size, np.int32)
        look_up(identities, self.slots, self.numbers, found)
        return found


def index_prompts(
    prompts: Column, rule: OverlapRule | None = None, threads: int | None = None
) -> PromptIndex:
    """Index the distinct prompts of a column.

    >>> import polars as pl
    >>> index = index_prompts(pl.Series(["Tell me a joke!", "2+2", "tell me a joke", "2-2", None]))
    >>> index.of_row.tolist(), index.n_tokens.tolist()
    ([0, 1, 2, 3, -1], [4, 2, 4, 2])

    Args:
        prompts: strings, in any order; the same prompt may come many times.
        rule: what the index is for, see `arena.overlap_rules.overlap_rule`.
        threads: how many; as many as there are processors if not given. The index does not depend
            on it.

    Raises:
        ColumnError: a column that holds something else than text.
        OptionError: there is no room for so many prompts.
    """
    rule, threads = rule or OverlapRule(), threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        counts, words, identities = _measure(prompts, rule, pool)
        of_row, rows = _number(identities)[:2]
        n_tokens = counts[rows]
        has_ngrams = n_tokens >= rule.n
        offsets = np.zeros(rows.size + 1, np.int64)
        np.cumsum(np.where(has_ngrams, n_tokens, 0), out=offsets[1:])
        tokens = np.empty(offsets[-1], np.uint64)
        _fill(tokens, prompts, rows[has_ngrams], offsets[:-1][has_ngrams], rule, pool)
        table = build_table(tokens, offsets, rule, pool, threads)
    return PromptIndex(
        rule=rule,
        of_row=of_row,
        rows=rows,
        n_tokens=n_tokens,
        tokens=tokens,
        offsets=offsets,
        table=table,
        identities=_number(identities[rows])[2],
        short=np.sort(words[rows[~has_ngrams]]),
    )


def prompt_ngrams(index: PromptIndex, prompts: slice) -> tuple[Words, Integers]:
    """The n-grams [k] of some prompts, each where its first token is, and where each prompt's begin.

    Where a prompt ends before an n-gram does, there is a 0.
    """
    from arena.text_kernel import roll

    offsets = index.offsets[prompts.start : prompts.stop + 1]
    tokens = index.tokens[offsets[0] : offsets[-1]]
    keys, sums = np.empty_like(tokens), np.empty(offsets.size - 1, np.uint64)
    roll(tokens, offsets - offsets[0], index.rule.n, keys, sums)
    return keys, offsets - offsets[0]


def identify(texts: Texts, counts: Integers, words: Words, n: int) -> Words:
    """A hash [t] of what tells texts apart: their tokens, or all they say if those are too few.

    Args:
        texts: t of them.
        counts: int [t], how many tokens each has.
        words: uint64 [t], the fingerprint of each one's tokens.
        n: so many tokens are not too few.

    Returns:
        0 for a text that says nothing, which is like no other.
    """
    identities, few = words.copy(), np.flatnonzero(counts < n)
    strict = fingerprint_texts(texts[few])
    # Turned round, so that a text that is all of some prompt is not one with all of its tokens.
    identities[few] = np.where(strict == 0, strict, ~strict)
    return identities


def text_blocks(texts: Texts) -> Iterator[slice]:
    """Cut texts into runs of about so many bytes as are worked on at once."""
    past, begin = np.cumsum(texts.ends - texts.starts), 0
    while begin < len(texts):
        done = past[begin - 1] if begin else 0
        end = max(int(np.searchsorted(past, done + BLOCK_BYTES, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end


def _measure(
    prompts: Column, rule: OverlapRule, pool: ThreadPoolExecutor
) -> tuple[Integers, Words, Words]:
    """Numbers of tokens, fingerprints of them, and identities: [n] each."""
    from arena.text_kernel import roll

    def measure(texts: Texts) -> tuple[Integers, Words, Words]:
        tokens = tokenise(texts, rule.unit)
        words = np.empty(len(texts), np.uint64)
        roll(tokens.hashes, tokens.offsets, rule.n, np.empty_like(tokens.hashes), words)
        return tokens.counts, words, identify(texts, tokens.counts, words, rule.n)

    parts = [(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint64))]
    for piece in pieces(prompts):
        parts += pool.map(measure, (piece[rows] for rows in text_blocks(piece)))
    counts, words, identities = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return counts, words, identities


def _number(identities: Words) -> tuple[Numbers, Integers, Identities]:
    """The number of each identity [n], the first row of each number [p], and the table of them."""
    from arena.index_kernel import number

    size = power_of_two(2 * identities.size)
    slots, numbers = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    rows, of_row = np.empty(identities.size, np.int64), np.empty(identities.size, np.int32)
    n = number(identities, slots, numbers, rows, of_row)
    return of_row, rows[:n].copy(), Identities(slots, numbers)


def _fill(
    tokens: Words,
    prompts: Column,
    rows: Integers,
    begins: Integers,
    rule: OverlapRule,
    pool: ThreadPoolExecutor,
) -> None:
    """Put the tokens of some rows, ascending, where they are to begin, one after the other."""
    first = 0

    def put(texts: Texts, begin: int) -> None:
        tokenise(texts, rule.unit, room=tokens[begin:])

    for piece in pieces(prompts):
        these = slice(*np.searchsorted(rows, [first, first + len(piece)]))
        texts, starts = piece[rows[these] - first], begins[these]
        blocks = list(text_blocks(texts))
        list(pool.map(put, (texts[b] for b in blocks), (starts[b.start] for b in blocks)))
        first += len(piece)
