"""The compiled loops that build an index of n-grams; importing this module imports numba.

An n-gram is known by its key, a hash of 64 bits, see `arena.text_kernel.roll`. The first bits of
a key say which bucket of the table it is in, its last 32 are kept there. So two n-grams are taken
for one with a chance of less than 2^-50 for each that is looked up.
"""

import numpy as np
from numpy.typing import NDArray

from arena.compiling import Integers, compiled

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Starts = NDArray[np.uint32]
U64 = np.uint64

ZERO, ONE, SIX, TWELVE, HALF = (U64(k) for k in (0, 1, 6, 12, 32))
LOW6, LOW32 = U64(63), U64(0xFFFFFFFF)
ODD = U64(0x9E3779B97F4A7C15)
BATCH = 256
SINGLE, COMMON, PLACE = U64(1 << 31), U64(1 << 30), U64((1 << 30) - 1)
"""Flags in the low half of an entry: the rest is a prompt, not a place in the postings; and the
n-gram is in more prompts than count."""


@compiled
def number(
    identities: Words, slots: Words, numbers: Numbers, rows: Integers, of_row: Numbers
) -> int:
    """Number texts in the order in which they are met; equal ones have one number.

    Args:
        identities: uint64 [n], a hash of each text; 0 for those that get no number.
        slots: uint64 [2^k], a hash table of identities, 0 where it is free.
        numbers: int [2^k], filled with the number of what is in each slot.
        rows: int [n], filled with the row in which each number is first met.
        of_row: int [n], filled with the number of each text, -1 for none.

    Returns:
        How many numbers there are.
    """
    n, last = 0, U64(slots.size - 1)
    for row in range(identities.size):
        identity = identities[row]
        if identity == ZERO:
            of_row[row] = -1
            continue
        slot = identity & last
        while slots[slot] != ZERO and slots[slot] != identity:
            slot = (slot + ONE) & last
        if slots[slot] == ZERO:
            slots[slot], numbers[slot], rows[n] = identity, n, row
            n += 1
        of_row[row] = numbers[slot]
    return n


@compiled
def look_up(identities: Words, slots: Words, numbers: Numbers, found: Numbers) -> None:
    """The number of each text, or -1 for those that have none; arrays as in `number`."""
    last = U64(slots.size - 1)
    for row in range(identities.size):
        identity = identities[row]
        slot = identity & last
        while slots[slot] != ZERO and slots[slot] != identity:
            slot = (slot + ONE) & last
        known = identity != ZERO and slots[slot] == identity
        found[row] = numbers[slot] if known else -1


@compiled
def choose(
    keys: Words,
    offsets: Integers,
    first: int,
    size: int,
    samples: int,
    seed: U64,
    chosen: Words,
    prompts: Numbers,
) -> int:
    """The n-grams of prompts that go into the index.

    Args:
        keys: uint64 [t], of all n-grams, each where it begins.
        offsets: int [p + 1], where the prompts' tokens begin.
        first: the number of the first of these prompts.
        size: tokens in an n-gram.
        samples: so many of each prompt, at random, with replacement; 0 for all.
        seed: of the drawing, which depends on the prompt's own n-grams otherwise.
        chosen: uint64 [t or samples * p], filled with keys.
        prompts: int [as many], filled with the prompt of each.

    Returns:
        How many there are.
    """
    n = 0
    for prompt in range(offsets.size - 1):
        begin = offsets[prompt]
        n_grams = offsets[prompt + 1] - begin - size + 1
        if n_grams < 1:
            continue
        state = keys[begin] ^ (keys[begin + n_grams - 1] >> ONE) ^ seed
        for k in range(samples if samples else n_grams):
            at = begin + k
            if samples:
                state += ODD
                mixed = (state ^ (state >> U64(30))) * U64(0xBF58476D1CE4E5B9)
                at = begin + np.int64((mixed >> HALF) % U64(n_grams))
            chosen[n], prompts[n] = keys[at], first + prompt
            n += 1
    return n


@compiled
def histogram(keys: Words, shift: U64, counts: Integers) -> None:
    """Count keys by their first bits."""
    for i in range(keys.size):
        counts[keys[i] >> shift] += 1


@compiled
def scatter(
    keys: Words,
    prompts: Numbers,
    shift: U64,
    next_at: Integers,
    to_keys: Words,
    to_prompts: Numbers,
) -> None:
    """Put keys and their prompts where `next_at` says for their first bits."""
    for i in range(keys.size):
        part = keys[i] >> shift
        at = next_at[part]
        to_keys[at], to_prompts[at] = keys[i], prompts[i]
        next_at[part] = at + 1


@compiled
def settle(
    keys: Words,
    prompts: Numbers,
    bucket_shift: U64,
    filter_shift: U64,
    cap: int,
    keep_common: bool,
    sorted_keys: Words,
    sorted_prompts: Numbers,
    buckets: Starts,
    filtered: Words,
    n_grams: Numbers,
) -> tuple[int, int]:
    """Turn one part of the n-grams, all with the same first bits, into its part of the table.

    Args:
        keys: uint64 [k], the first of them replaced by the entries of the table.
        prompts: int [k], ascending, the first of them replaced by the postings: for each n-gram
            in several prompts these, the last one as its complement, -1 - prompt.
        bucket_shift: how far right to shift a key for its bucket.
        filter_shift: the same for its word in the filter.
        cap: n-grams in more prompts are left out.
        keep_common: keep them, with the flag COMMON.
        sorted_keys: uint64 [k or more], used.
        sorted_prompts: int [k or more], used.
        buckets: uint32 [b], filled with where each bucket of this part ends among the entries.
        filtered: uint64 [2^f], the whole filter; bits are set.
        n_grams: int [p], one is added for each distinct n-gram of a prompt.

    Returns:
        How many entries and postings there are.
    """
    n, low = keys.size, U64(buckets.size - 1)
    buckets[:] = 0
    for i in range(n):
        buckets[(keys[i] >> bucket_shift) & low] += 1
    total = 0
    for b in range(buckets.size):
        size = buckets[b]
        buckets[b] = total
        total += size
    for i in range(n):
        b = (keys[i] >> bucket_shift) & low
        sorted_keys[buckets[b]], sorted_prompts[buckets[b]] = keys[i], prompts[i]
        buckets[b] += 1

    begin, n_entries, n_postings = 0, 0, 0
    for b in range(buckets.size):
        end = np.int64(buckets[b])
        sort_pairs(sorted_keys, sorted_prompts, begin, end)
        while begin < end:
            key, first_posting = sorted_keys[begin], n_postings
            last = -1
            while begin < end and sorted_keys[begin] == key:
                if sorted_prompts[begin] != last:
                    last = sorted_prompts[begin]
                    n_grams[last] += 1
                    prompts[n_postings] = last
                    n_postings += 1
                begin += 1
            n_prompts = n_postings - first_posting
            where = U64(first_posting)
            if n_prompts == 1:
                where, n_postings = SINGLE | U64(last), first_posting
            else:
                prompts[n_postings - 1] = -1 - last
            if n_prompts > cap:
                where |= COMMON
                if not keep_common:
                    n_postings = first_posting
                    continue
            keys[n_entries] = (key << HALF) | where
            n_entries += 1
            filtered[key >> filter_shift] |= filter_bits(key)
        buckets[b] = n_entries
    return n_entries, n_postings


@compiled
def sort_pairs(keys: Words, prompts: Numbers, begin: int, end: np.int64) -> None:
    """Sort a run of pairs: Shell's way, since nearly all runs are of a few, or of one key."""
    gap = 1
    while 9 * gap < end - begin:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(begin + gap, end):
            key, prompt, j = keys[i], prompts[i], i
            while j >= begin + gap and (
                keys[j - gap] > key or (keys[j - gap] == key and prompts[j - gap] > prompt)
            ):
                keys[j], prompts[j] = keys[j - gap], prompts[j - gap]
                j -= gap
            keys[j], prompts[j] = key, prompt
        gap //= 3


@compiled
def filter_bits(key: U64) -> U64:
    """The bits that a key sets in its word of the filter."""
    return ONE << (key & LOW6) | ONE << (key >> SIX & LOW6) | ONE << (key >> TWELVE & LOW6)


@compiled
def join(
    keys: Words,
    prompts: Numbers,
    begins: Integers,
    n_entries: Integers,
    n_postings: Integers,
    buckets: Starts,
) -> None:
    """Move the parts of the table, and of the postings, side by side.

    Args:
        keys: uint64 [k], entries at the begin of each part; the first ones are the whole table.
        prompts: int [k], postings likewise.
        begins: int [parts], where each part begins.
        n_entries: int [parts], how many entries it has.
        n_postings: int [parts], and postings.
        buckets: uint32 [2^b + 1], after a first 0 where each bucket ends in its part; then where
            it ends in the whole.
    """
    entry, posting, per_part = 0, 0, (buckets.size - 1) // begins.size
    for part in range(begins.size):
        for b in range(1 + part * per_part, 1 + (part + 1) * per_part):
            buckets[b] += entry
        begin = begins[part]
        for i in range(begin, begin + n_postings[part]):
            prompts[posting + i - begin] = prompts[i]
        for i in range(begin, begin + n_entries[part]):
            # A place in the postings moves with them; no place grows beyond its 30 bits.
            moves = ZERO if keys[i] & SINGLE else U64(posting)
            keys[entry + i - begin] = keys[i] + moves
        entry += n_entries[part]
        posting += n_postings[part]


@compiled
def probe(keys: Words, filtered: Words, filter_shift: U64, candidates: Numbers) -> int:
    """Which keys may be in the table, as far as the filter knows.

    Args:
        keys: uint64 [k], 0 where there is no n-gram.
        filtered: uint64 [2^f], the filter.
        filter_shift: how far right to shift a key for its word.
        candidates: int [k or more], filled with places in `keys`, ascending.

    Returns:
        How many there are.
    """
    n = 0
    for i in range(keys.size):
        key = keys[i]
        bits = filter_bits(key)
        # No branch: whether an n-gram passes cannot be foretold, where to write next can.
        candidates[n] = i
        n += (filtered[key >> filter_shift] & bits) == bits and key != ZERO
    return n


@compiled
def find(
    keys: Words,
    places: Numbers,
    n_places: int,
    bucket_shift: U64,
    buckets: Starts,
    entries: Words,
    found: Numbers,
    where: Starts,
) -> int:
    """Look keys up in the table.

    Args:
        keys: uint64 [k].
        places: int [c], where in `keys` to look; those that are in the table come to the front.
        n_places: how many of them.
        bucket_shift: how far right to shift a key for its bucket.
        buckets: uint32 [2^b + 1], where in `entries` each bucket begins.
        entries: uint64 [e], the table.
        found: int [c], filled with which entry each is that is in the table.
        where: uint32 [c], filled with the low halves of these entries.

    Returns:
        How many are.
    """
    n = 0
    begins, ends = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64)
    firsts = np.empty(BATCH, np.uint64)
    for low in range(0, n_places, BATCH):
        size = min(BATCH, n_places - low)
        # Each loop loads from one array and does little else, so that many loads, each from a
        # place in memory that is far from the others, are under way at once.
        for i in range(size):
            bucket = keys[places[low + i]] >> bucket_shift
            begins[i], ends[i] = buckets[bucket], buckets[bucket + ONE]
        for i in range(size):
            firsts[i] = entries[min(begins[i], entries.size - 1)]
        for i in range(size):
            place, key = places[low + i], keys[places[low + i]] & LOW32
            entry = firsts[i]
            for j in range(begins[i], ends[i]):
                if j > begins[i]:
                    entry = entries[j]
                if (entry >> HALF) == key:
                    places[n], found[n], where[n] = place, j, entry & LOW32
                    n += 1
                    break
    return n
