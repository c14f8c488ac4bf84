"""The compiled loops over the bytes of text; importing this module imports numba.

What is hashed of a token are the UTF-8 bytes of its normalised characters, eight at a time, the
first one lowest, the last word filled up with zeros. So ASCII words, which most words are, can be
found, folded and hashed with a few operations on words of eight bytes; all other text goes
through the tables of `arena.characters`, character by character.

Loops hand arrays only to functions small enough to be inlined: every other call would count
references, which takes as long as a dozen characters.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from arena import characters
from arena.compiling import Integers, compiled

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
U64 = np.uint64

SEED, STEP = U64(0x9E3779B97F4A7C15), U64(0xFF51AFD7ED558CCD)
FINISH, BASE = U64(0xC4CEB9FE1A85EC53), U64(0xD6E8FEB86659FD93)
"""Odd numbers without a pattern: 2^64 over the golden ratio, two of MurmurHash3, one of rrmxmx."""

NONE, ONE, TWO, THREE, EIGHT, WIDTH = (U64(k) for k in (0, 1, 2, 3, 8, 64))
ALL = U64(0xFFFFFFFFFFFFFFFF)
TOPS, LOWS = U64(0x8080808080808080), U64(0x7F7F7F7F7F7F7F7F)
CASE, IS_LETTER = U64(0x2020202020202020), U64(0x4040404040404040)
FROM_A, PAST_Z = U64(0x1F1F1F1F1F1F1F1F), U64(0x0505050505050505)
FROM_0, PAST_9 = U64(0x5050505050505050), U64(0x4646464646464646)
"""Added to each byte below 0x80 these set its top bit from 'a', '{', '0' and ':' on."""
GATHER = U64(0x0102040810204080)
"""Times this, eight bytes that are 0 or 1 have their bits side by side in the top byte."""
REACH = U64(64 + 8)
"""So far past a place are bytes read where ASCII words are looked for."""

BYTES = U64(0xFFFFFFFF)
LENGTH, KIND, ORDER = (
    U64(bit) for bit in (characters.LENGTH_BIT, characters.KIND_BIT, characters.ORDER_BIT)
)
SEPARATE, DROP, LETTER, ALONE, MARK, REORDERED, EXPAND = (U64(kind) for kind in range(7))
MOST_MARKS = 30
"""So many marks in a row are put into order, as in Unicode's stream-safe text (UAX 15)."""


@intrinsic
def _lowest(_context: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


lowest = cast(Callable[[U64], U64], _lowest)
"""The place of the lowest bit that is set in a word; 64 if none is."""


@compiled
def tokenise(
    data: Bytes,
    starts: Integers,
    ends: Integers,
    entries: Words,
    expansions: Words,
    ascii_words: bool,
    hashes: Words,
    offsets: Integers,
) -> int:
    """Cut texts into tokens.

    Args:
        data: uint8 [b], the bytes of all texts, valid UTF-8.
        starts: int [n], where in `data` each text begins.
        ends: int [n], and where it ends.
        entries: uint64 [0x110000], see `arena.characters.Characters`.
        expansions: uint64 [e], see there.
        ascii_words: whether of ASCII these make words of letters and digits, and nothing else.
        hashes: uint64 [r], filled with the tokens' hashes, as many as there is room for.
        offsets: int [n + 1], filled with where each text's tokens begin.

    Returns:
        How many tokens there are; where they are more than r, some are missing.
    """
    n, size, room = NONE, U64(data.size), U64(hashes.size)
    marks = np.empty(MOST_MARKS, np.uint64)
    for text in range(starts.size):
        offsets[text] = n
        i, end = U64(starts[text]), U64(ends[text])
        while i < end:
            # ── ASCII words that end within the next 64 bytes
            if ascii_words and i + REACH <= size:
                inside, foreign = NONE, NONE
                for k in range(8):
                    word = load(data, i + U64(8 * k))
                    inside |= gather(alphanumeric(word)) << U64(8 * k)
                    foreign |= gather(word & TOPS) << U64(8 * k)
                if end - i < WIDTH:
                    inside &= (ONE << (end - i)) - ONE
                    foreign &= (ONE << (end - i)) - ONE
                first, past = inside & ~(inside << ONE), ~inside & (inside << ONE)
                if foreign:
                    past &= (foreign & (~foreign + ONE)) - ONE  # a word before it may go on in it
                while past:
                    begin = i + lowest(first)
                    length = i + lowest(past) - begin
                    state = SEED
                    while length > EIGHT:
                        state = step(state, lower(load(data, begin)))
                        begin += EIGHT
                        length -= EIGHT
                    word = lower(load(data, begin)) & (ALL >> (WIDTH - (length << THREE)))
                    if n < room:
                        hashes[n] = finish(step(state, word))
                    n += ONE
                    first &= first - ONE
                    past &= past - ONE
                if foreign:
                    i += min(lowest(first), lowest(foreign))
                else:
                    i += lowest(first)
                    if inside != ALL:
                        continue

            # ── any characters, up to a word that looks like ASCII again
            begin, n_marks = i, 0
            state, pending, filled, within = SEED, NONE, NONE, NONE
            while i < end:
                code, width = decode(data, i)
                entry = entries[code]
                kind = kind_of(entry)
                if kind == LETTER and n_marks == 0:
                    if within == LETTER:
                        state, pending, filled = push(state, pending, filled, entry)
                        i += width
                        continue
                    may_be_ascii = ascii_words and i > begin and i + REACH <= size
                    if within == NONE and may_be_ascii and load(data, i) & TOPS == NONE:
                        break
                i += width
                at, last = NONE, ONE
                if kind == EXPAND:
                    at = entry & BYTES
                    last = at + ((entry >> ORDER) & U64(0xFF))
                    entry = expansions[at]
                while True:
                    kind = kind_of(entry)
                    if kind == REORDERED and n_marks < MOST_MARKS:
                        k = n_marks
                        while k > 0 and marks[k - 1] >> ORDER > entry >> ORDER:
                            marks[k] = marks[k - 1]
                            k -= 1
                        marks[k] = entry
                        n_marks += 1
                        within = max(within, LETTER)
                    elif kind != DROP:
                        for k in range(n_marks):
                            state, pending, filled = push(state, pending, filled, marks[k])
                        n_marks = 0
                        if within != NONE and begins_another(kind, within):
                            if n < room:
                                hashes[n] = close(state, pending, filled)
                            n += ONE
                            state, pending, filled, within = SEED, NONE, NONE, NONE
                        if kind != SEPARATE:
                            state, pending, filled = push(state, pending, filled, entry)
                            within = ALONE if kind == ALONE else max(within, LETTER)
                    at += ONE
                    if at >= last:
                        break
                    entry = expansions[at]
            for k in range(n_marks):
                state, pending, filled = push(state, pending, filled, marks[k])
            if within != NONE:
                if n < room:
                    hashes[n] = close(state, pending, filled)
                n += ONE
    offsets[starts.size] = n
    return int(n)


@compiled
def load(data: Bytes, i: U64) -> U64:
    """Eight bytes, the first one lowest: one instruction where memory is in that order."""
    word = U64(0)
    for k in range(8):
        word |= U64(data[i + U64(k)]) << U64(8 * k)
    return word


@compiled
def alphanumeric(word: U64) -> U64:
    """The top bit of each byte that is an ASCII letter or digit."""
    low = word & LOWS
    folded = low | CASE
    letter = (folded + FROM_A) & ~(folded + PAST_Z)
    digit = (low + FROM_0) & ~(low + PAST_9)
    return (letter | digit) & ~word & TOPS


@compiled
def lower(word: U64) -> U64:
    """ASCII letters in lower case; digits, which lack the bit that all letters have, as they are."""
    return word | ((word & IS_LETTER) >> ONE)


@compiled
def gather(tops: U64) -> U64:
    """The top bits of eight bytes side by side."""
    return ((tops >> U64(7)) * GATHER) >> U64(56)


@compiled
def step(state: U64, word: U64) -> U64:
    """Take eight more bytes into a hash."""
    state = (state ^ word) * STEP
    return state ^ (state >> U64(32))


@compiled
def finish(state: U64) -> U64:
    """The hash of what has been taken in."""
    state *= FINISH
    return state ^ (state >> U64(29))


@compiled
def push(state: U64, pending: U64, filled: U64, entry: U64) -> tuple[U64, U64, U64]:
    """Take a character's bytes into a hash; the lowest `filled` bits of `pending` wait for more."""
    spelled = entry & BYTES
    width = ((entry >> LENGTH) & U64(7)) << THREE
    pending |= spelled << filled
    filled += width
    if filled >= WIDTH:
        filled -= WIDTH
        state = step(state, pending)
        pending = spelled >> (width - filled)
    return state, pending, filled


@compiled
def close(state: U64, pending: U64, filled: U64) -> U64:
    """The hash of a token that ends here."""
    return finish(step(state, pending) if filled else state)


@compiled
def kind_of(entry: U64) -> U64:
    """What a character does."""
    return (entry >> KIND) & U64(7)


@compiled
def begins_another(kind: U64, within: U64) -> bool:
    """Whether a character ends the token before it, which is a word or a character alone."""
    alone = kind == ALONE or within == ALONE
    return bool(kind == SEPARATE or (alone and kind < MARK))


@compiled
def decode(data: Bytes, i: U64) -> tuple[U64, U64]:
    """The code point that begins here, and how many bytes it has."""
    code = U64(data[i])
    if code < U64(0x80):
        return code, ONE
    if code < U64(0xE0):
        return (code & U64(0x1F)) << U64(6) | more(data, i + ONE), TWO
    if code < U64(0xF0):
        code = (code & U64(0x0F)) << U64(6) | more(data, i + ONE)
        return code << U64(6) | more(data, i + TWO), THREE
    code = (code & U64(0x07)) << U64(6) | more(data, i + ONE)
    code = code << U64(6) | more(data, i + TWO)
    return code << U64(6) | more(data, i + THREE), U64(4)


@compiled
def more(data: Bytes, i: U64) -> U64:
    """Six more bits of a code point."""
    return U64(data[i]) & U64(0x3F)


@compiled
def roll(hashes: Words, offsets: Integers, size: int, keys: Words, fingerprints: Words) -> None:
    """The n-grams of texts, and a fingerprint of each whole text.

    Args:
        hashes: uint64 [t], the tokens of all texts.
        offsets: int [n + 1], where each text's tokens begin.
        size: tokens in an n-gram.
        keys: uint64 [t], filled with the hash of the n-gram that begins at each token; 0 where
            the text ends before the n-gram does.
        fingerprints: uint64 [n], filled with a hash of all tokens in their order; 0 for none.
    """
    power = ONE  # what the oldest token of an n-gram has been multiplied with when it leaves
    for _ in range(size):
        power *= BASE
    for text in range(offsets.size - 1):
        first, last = offsets[text], offsets[text + 1]
        whole, window = U64(last - first), NONE
        full = min(first + size, last)
        for i in range(first, full):
            window = window * BASE + hashes[i]
            whole = stir(whole, hashes[i])
        if last - first >= size:
            keys[first] = spread(window)
        for i in range(full, last):
            window = window * BASE + (hashes[i] - hashes[i - size] * power)
            keys[i - size + 1] = spread(window)
            whole = stir(whole, hashes[i])
        for i in range(max(first, last - size + 1), last):
            keys[i] = NONE
        fingerprints[text] = spread(whole) if last > first else NONE


@compiled
def stir(whole: U64, token: U64) -> U64:
    """Take a token into the fingerprint of a text."""
    return ((whole << U64(25) | whole >> U64(39)) ^ token) * STEP


@compiled
def spread(word: U64) -> U64:
    """Let every bit depend on those below and above it; never 0, which stands for nothing."""
    word = finish(word ^ (word >> U64(32)))
    return word if word else ONE
