"""The compiled loops that hold texts against an index of prompts; importing it imports numba."""

import numpy as np
from numpy.typing import NDArray

from arena.compiling import Integers, compiled

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Starts = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
U64 = np.uint64

ZERO, ONE, LOW32 = U64(0), U64(1), U64(0xFFFFFFFF)
MOST, HERE = 0, 1
ALL, LEFT, PAIR = 0, 1, 2
"""Columns of arrays: how often a token is in a text, how many of these are left, for which pair."""
SINGLE, COMMON, PLACE = U64(1 << 31), U64(1 << 30), U64((1 << 30) - 1)
"""Flags of an entry, see `arena.index_kernel`, which sets them."""


@compiled
def count(
    keys: Words,
    offsets: Integers,
    places: Numbers,
    found: Numbers,
    where: Starts,
    n_found: int,
    postings: Numbers,
    prompt_keys: Words,
    prompt_offsets: Integers,
    size: int,
    first_id: int,
    most: Numbers,
    text_id: Integers,
    hit: Bytes,
    slots: Words,
    touched: Numbers,
    better: Numbers,
) -> int:
    """For each prompt, keep the text that has most of it.

    Args:
        keys: uint64 [t], the n-grams of n texts.
        offsets: int [n + 1], where each text's begin.
        places: int [h], those of them that are in the index, ascending.
        found: int [h], which entries of the index they are.
        where: uint32 [h], the low halves of these, see `arena.ngram_table.NgramTable`.
        n_found: how many of them, h or fewer.
        postings: int [q], see there.
        prompt_keys: uint64 [u], the n-grams of all prompts where tokens are counted, none where
            distinct n-grams are.
        prompt_offsets: int [p + 1], where each prompt's begin.
        size: tokens in an n-gram.
        first_id: the number of the first text.
        most: int [p, 2], the most n-grams, or tokens, of each prompt that one text has; and a
            count, all 0 before and after.
        text_id: int [p], that text; of several the one with the lowest number.
        hit: uint8 [e / 8], a bit for each entry, set for n-grams that any text has.
        slots: uint64 [s], a power of two and at least twice h, all 0 before and after.
        touched: int [p], used.
        better: int [p], filled with the prompts that are now best in one of these texts.

    Returns:
        How many these prompts are.
    """
    text, begin, n_better, n_texts = 0, 0, 0, offsets.size - 1
    while begin < n_found:
        while offsets[text + 1] <= places[begin]:
            text += 1
        end, room = begin, 2
        while end < n_found and places[end] < offsets[text + 1]:
            end += 1
        while room < 2 * (end - begin):
            room *= 2
        last, n_touched = U64(room - 1), 0
        for i in range(begin, end):
            key = keys[places[i]]
            slot = key & last
            while slots[slot] != ZERO and slots[slot] != key:
                slot = (slot + ONE) & last
            if slots[slot] == key:
                continue  # what a text repeats it has once
            slots[slot] = key
            hit[found[i] >> 3] |= 1 << (found[i] & 7)
            single, at = where[i] & SINGLE, np.int64(where[i] & PLACE)
            goes_on = not where[i] & COMMON
            while goes_on:
                prompt = at
                if single:
                    goes_on = False
                else:
                    prompt = np.int64(postings[at])
                    at += 1
                    if prompt < 0:
                        prompt, goes_on = -1 - prompt, False
                if most[prompt, HERE] == 0:
                    touched[n_touched] = prompt
                    n_touched += 1
                most[prompt, HERE] += 1
        for i in range(n_touched):
            prompt = np.int64(touched[i])
            n, most[prompt, HERE] = most[prompt, HERE], 0
            if prompt_keys.size:
                n, covered = 0, 0
                for j in range(prompt_offsets[prompt], prompt_offsets[prompt + 1]):
                    key = prompt_keys[j]
                    slot = key & last
                    while slots[slot] != ZERO and slots[slot] != key:
                        slot = (slot + ONE) & last
                    if key != ZERO and slots[slot] == key:
                        n += j + size - max(j, covered)
                        covered = j + size
            same_id = first_id + text
            if n > most[prompt, MOST] or (n == most[prompt, MOST] and same_id < text_id[prompt]):
                if not first_id <= text_id[prompt] < first_id + n_texts:
                    better[n_better] = prompt
                    n_better += 1
                most[prompt, MOST], text_id[prompt] = n, same_id
        slots[:room] = ZERO
        begin = end
    return n_better


@compiled
def share_tokens(
    tokens: Words,
    offsets: Integers,
    texts: Integers,
    prompt_tokens: Words,
    prompt_offsets: Integers,
    prompts: Numbers,
    slots: Words,
    times: Numbers,
    shared: Integers,
) -> None:
    """The size of the intersections of multisets of tokens, of texts and of prompts.

    Args:
        tokens: uint64 [t], of the texts.
        offsets: int [n + 1], where each text's begin.
        texts: int [k], the text of each pair, ascending.
        prompt_tokens: uint64 [u], of the prompts.
        prompt_offsets: int [p + 1], where each prompt's begin.
        prompts: int [k], the prompt of each pair.
        slots: uint64 [s], a power of two and at least twice the tokens of a text, all 0 before
            and after.
        times: int [s, 3], used.
        shared: int [k], filled with the sizes.
    """
    pair = 0
    while pair < texts.size:
        text = texts[pair]
        begin, end = offsets[text], offsets[text + 1]
        room = 2
        while room < 2 * (end - begin):
            room *= 2
        last = U64(room - 1)
        for i in range(begin, end):
            slot = tokens[i] & last
            while slots[slot] != ZERO and slots[slot] != tokens[i]:
                slot = (slot + ONE) & last
            if slots[slot] == ZERO:
                slots[slot], times[slot, ALL], times[slot, PAIR] = tokens[i], 0, -1
            times[slot, ALL] += 1
        while pair < texts.size and texts[pair] == text:
            n = 0
            for i in range(prompt_offsets[prompts[pair]], prompt_offsets[prompts[pair] + 1]):
                slot = prompt_tokens[i] & last
                while slots[slot] != ZERO and slots[slot] != prompt_tokens[i]:
                    slot = (slot + ONE) & last
                if slots[slot] == ZERO:
                    continue
                if times[slot, PAIR] != pair:
                    times[slot, LEFT], times[slot, PAIR] = times[slot, ALL], pair
                if times[slot, LEFT] > 0:
                    times[slot, LEFT] -= 1
                    n += 1
            shared[pair] = n
            pair += 1
        slots[:room] = ZERO


@compiled
def tally(entries: Words, postings: Numbers, hit: Bytes, n: Numbers) -> None:
    """Add up the n-grams found of each prompt.

    Args:
        entries: uint64 [e], see `arena.ngram_table.NgramTable`.
        postings: int [q], see there.
        hit: uint8 [e / 8], a bit for each entry, set for those that are found.
        n: int [p], all 0 before.
    """
    for entry in range(entries.size):
        if hit[entry >> 3] >> (entry & 7) & 1:
            where = entries[entry] & LOW32
            at = np.int64(where & PLACE)
            if where & SINGLE:
                n[at] += 1
            else:
                while postings[at] >= 0:
                    n[postings[at]] += 1
                    at += 1
                n[-1 - postings[at]] += 1


@compiled
def cover(
    offsets: Integers,
    places: Numbers,
    found: Numbers,
    n_found: int,
    size: int,
    hit: Bytes,
    n: Numbers,
) -> None:
    """Count the tokens of each prompt that are part of an n-gram found.

    Args:
        offsets: int [p + 1], where each prompt's tokens begin.
        places: int [h], the n-grams that are in the index, ascending.
        found: int [h], their entries.
        n_found: how many of them, h or fewer.
        size: tokens in an n-gram.
        hit: uint8 [e / 8], a bit for each entry, set for those that are found.
        n: int [p], all 0 before.
    """
    prompt, covered = 0, 0
    for i in range(n_found):
        if hit[found[i] >> 3] >> (found[i] & 7) & 1:
            while offsets[prompt + 1] <= places[i]:
                prompt += 1
            n[prompt] += places[i] + size - max(places[i], covered)
            covered = places[i] + size
