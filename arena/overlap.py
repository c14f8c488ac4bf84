"""Which prompts occur in a corpus: for each, the one text that has most of it.

Texts stream past an index of the prompts in blocks, on all processors; memory depends on the
prompts and on the size of a block, not on how many texts there are.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from arena.errors import OptionError
from arena.matches import FILE_BIT, Matches, merge_matches, no_matches
from arena.ngram_table import power_of_two
from arena.prompt_index import PromptIndex, identify, prompt_ngrams, text_blocks
from arena.text import COLUMNS, Column, Texts, Tokens, pieces, tokenise

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Bytes = NDArray[np.uint8]


def match_texts(
    index: PromptIndex,
    texts: "Column | Iterable[Column]",
    *,
    file: int = 0,
    first_row: int = 0,
    threads: int | None = None,
) -> Matches:
    """Hold texts against the prompts of an index.

    Args:
        index: of the prompts.
        texts: a column of text, or columns one after the other, such as the batches of a file;
            only those that are being worked on are held.
        file: the number of the file they are from.
        first_row: the number in that file of the first text.
        threads: how many; as many as there are processors if not given. The result does not
            depend on it.

    Raises:
        ColumnError: a column that holds something else than text.
        OptionError: a file or a row with a number that it cannot have.
    """
    if not 0 <= file < 1 << 63 - FILE_BIT:
        raise OptionError(f"file: {file} is not the number of a file, 0 to {(1 << 23) - 1:,}")
    threads = threads or os.cpu_count() or 1
    prompt_keys = np.empty(0, np.uint64)
    if index.rule.of == "tokens":
        prompt_keys = prompt_ngrams(index, slice(0, index.n_prompts))[0]
    idle: SimpleQueue[_Scan] = SimpleQueue()
    scans = [_Scan(index, prompt_keys) for _ in range(threads)]
    for scan in scans:
        idle.put(scan)

    def work(block: Texts, first_id: int) -> None:
        scan = idle.get()
        try:
            scan.take(block, first_id)
        finally:
            idle.put(scan)  # or else the others would wait for it for ever

    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block, row in _blocks(texts, first_row):
            if len(waiting) > 2 * threads:
                waiting.popleft().result()
            waiting.append(pool.submit(work, block, (file << FILE_BIT) + row))
        for future in waiting:
            future.result()
    return reduce(merge_matches, (scan.matches() for scan in scans))


def _blocks(texts: "Column | Iterable[Column]", row: int) -> Iterator[tuple[Texts, int]]:
    """Texts in blocks, and the row of the first of each."""
    columns = [texts] if isinstance(texts, COLUMNS) else texts
    for column in columns:
        for piece in pieces(column):
            for rows in text_blocks(piece):
                yield piece[rows], row + rows.start
            row += len(piece)


class _Scan:
    """What one thread has found so far, and the memory that it works in."""

    def __init__(self, index: PromptIndex, prompt_keys: Words) -> None:
        self.index, self.prompt_keys = index, prompt_keys
        self.found = no_matches(index)
        self.most = np.zeros((index.n_prompts, 2), np.int32)
        self.touched, self.better = np.empty((2, index.n_prompts), np.int32)
        self.room, self.keys = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self.places, self.entries = np.empty((2, 0), np.int32)
        self.where = np.empty(0, np.uint32)
        self.slots, self.times = np.zeros(2, np.uint64), np.empty((2, 3), np.int32)
        self.n_texts = self.n_bytes = 0

    def take(self, texts: Texts, first_id: int) -> None:
        """Hold a block of texts, whose numbers begin here, against the index."""
        from arena.overlap_kernel import count
        from arena.text_kernel import roll

        index, table = self.index, self.index.table
        tokens = tokenise(texts, index.rule.unit, self.room)
        n = tokens.hashes.size
        if n > self.keys.size:
            self.room, self.keys = np.empty((2, 2 * n), np.uint64)
            self.places, self.entries = np.empty((2, 2 * n), np.int32)
            self.where = np.empty(2 * n, np.uint32)
        keys, words = self.keys[:n], np.empty(len(texts), np.uint64)
        roll(tokens.hashes, tokens.offsets, index.rule.n, keys, words)
        n_found = table.find(keys, self.places, self.entries, self.where)
        self._make_room(n_found)
        n_better = count(
            keys,
            tokens.offsets,
            self.places,
            self.entries,
            self.where,
            n_found,
            table.postings,
            self.prompt_keys,
            index.offsets,
            index.rule.n,
            first_id,
            self.most,
            self.found.text,
            self.found.found,
            self.slots,
            self.touched,
            self.better,
        )
        self._compare(tokens, self.better[:n_better], first_id)
        self._look_for_equal(texts, tokens, words, first_id)
        self.n_texts += len(texts)
        self.n_bytes += int((texts.ends - texts.starts).sum())

    def matches(self) -> Matches:
        """All that was found."""
        return replace(
            self.found,
            most=self.most[:, 0].copy(),
            n_texts=self.n_texts,
            n_bytes=self.n_bytes,
        )

    def _make_room(self, n: int) -> None:
        """For so many in the hash table."""
        if 2 * n > self.slots.size:
            self.slots = np.zeros(power_of_two(2 * n), np.uint64)
            self.times = np.empty((self.slots.size, 3), np.int32)

    def _compare(self, tokens: Tokens, prompts: Numbers, first_id: int) -> None:
        """Jaccard of prompts with the texts of a block that are now the best for them."""
        from arena.overlap_kernel import share_tokens

        texts = self.found.text[prompts] - first_id
        order = np.argsort(texts, kind="stable")
        texts, prompts, shared = texts[order], prompts[order], np.empty(order.size, np.int64)
        self._make_room(int(tokens.counts[texts].max(initial=0)))
        share_tokens(
            tokens.hashes,
            tokens.offsets,
            texts,
            self.index.tokens,
            self.index.offsets,
            prompts,
            self.slots,
            self.times,
            shared,
        )
        both = tokens.counts[texts] + self.index.n_tokens[prompts]
        self.found.jaccard[prompts] = shared / (both - shared)

    def _look_for_equal(self, texts: Texts, tokens: Tokens, words: Words, first_id: int) -> None:
        """Texts of a block that equal a prompt."""
        n, short = self.index.rule.n, self.index.short
        identities, few = words, np.flatnonzero(tokens.counts < n)
        if few.size:
            identities = np.where(tokens.counts < n, np.uint64(0), words)
        if few.size and short.size:
            # Equal texts have equal words: only one that has a prompt's is looked at more closely.
            place = np.minimum(np.searchsorted(short, words[few]), short.size - 1)
            few = few[short[place] == words[few]]
            identities[few] = identify(texts[few], tokens.counts[few], words[few], n)
        prompt = self.index.identities.look_up(identities)
        equal = np.flatnonzero(prompt >= 0)
        np.minimum.at(self.found.exact, prompt[equal], first_id + equal)
