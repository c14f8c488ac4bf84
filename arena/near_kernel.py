"""The compiled loop that links near-duplicates; importing this module imports numba."""

import numpy as np
from numpy.typing import NDArray

from arena.compiling import Integers, compiled

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Starts = NDArray[np.uint32]
U64 = np.uint64

ZERO, ONE = U64(0), U64(1)
SINGLE, COMMON, PLACE = U64(1 << 31), U64(1 << 30), U64((1 << 30) - 1)
"""Flags of an entry, see `arena.index_kernel`, which sets them."""


@compiled
def link(
    tokens: Words,
    offsets: Integers,
    first: int,
    places: Numbers,
    where: Starts,
    n_found: int,
    postings: Numbers,
    jaccard: float,
    here: Numbers,
    touched: Numbers,
    slots: Words,
    times: Numbers,
    links: Numbers,
) -> int:
    """Pairs of prompts with nearly the same tokens, that share an n-gram.

    Args:
        tokens: uint64 [t], of all prompts.
        offsets: int [p + 1], where each prompt's begin.
        first: the first of the prompts that are held against those before them.
        places: int [h], their n-grams that are in the index, counted from the first one's.
        where: uint32 [h], the low halves of their entries, see `arena.ngram_table.NgramTable`.
        n_found: how many of them, h or fewer.
        postings: int [q], see there.
        jaccard: the least token-multiset Jaccard of a pair.
        here: int [p], all 0 before and after.
        touched: int [p], used.
        slots: uint64 [s], a power of two and at least twice the tokens of a prompt, all 0 before
            and after.
        times: int [s], used.
        links: int [r, 2], filled with pairs as far as there is room.

    Returns:
        How many pairs there are; where they are more than r, call it again with more room.
    """
    n_links, begin, prompt = 0, 0, first
    while begin < n_found:
        while offsets[prompt + 1] - offsets[first] <= places[begin]:
            prompt += 1
        low, high = offsets[prompt], offsets[prompt + 1]
        n_touched = 0
        while begin < n_found and places[begin] < high - offsets[first]:
            single, at = where[begin] & SINGLE, np.int64(where[begin] & PLACE)
            goes_on = bool(not where[begin] & COMMON)
            while goes_on:
                other = at
                if single:
                    goes_on = False
                else:
                    other = np.int64(postings[at])
                    at += 1
                    if other < 0:
                        other, goes_on = -1 - other, False
                goes_on = goes_on and bool(other < prompt)  # they are ascending
                if other < prompt and here[other] == 0:
                    here[other] = 1
                    touched[n_touched] = other
                    n_touched += 1
            begin += 1
        room = 2
        while room < 2 * (high - low):
            room *= 2
        last, filled = U64(room - 1), False
        for k in range(n_touched):
            other = np.int64(touched[k])
            here[other] = 0
            its_low, its_high = offsets[other], offsets[other + 1]
            both = high - low + its_high - its_low
            # J = shared / (both - shared), and no more can be shared than the shorter one has.
            least = jaccard * both / (1.0 + jaccard) - 1e-6
            if min(high - low, its_high - its_low) < least:
                continue
            if not filled:
                filled = True
                for i in range(low, high):
                    slot = tokens[i] & last
                    while slots[slot] != ZERO and slots[slot] != tokens[i]:
                        slot = (slot + ONE) & last
                    if slots[slot] == ZERO:
                        slots[slot], times[slot] = tokens[i], 0
                    times[slot] += 1
            shared, i = 0, its_low
            while i < its_high and shared + its_high - i >= least:
                slot = tokens[i] & last
                while slots[slot] != ZERO and slots[slot] != tokens[i]:
                    slot = (slot + ONE) & last
                if slots[slot] != ZERO:
                    shared += times[slot] > 0
                    times[slot] -= 1
                i += 1
            for j in range(its_low, i):
                slot = tokens[j] & last
                while slots[slot] != ZERO and slots[slot] != tokens[j]:
                    slot = (slot + ONE) & last
                if slots[slot] != ZERO:
                    times[slot] += 1
            if shared / (both - shared) >= jaccard:
                if n_links < len(links):
                    links[n_links, 0], links[n_links, 1] = prompt, other
                n_links += 1
        if filled:
            slots[:room] = ZERO
    return n_links
