"""What each character of a text turns into, as tables that compiled code looks up.

A table is made once, from Python's own Unicode data, when the first text is read; characters
that this version of Unicode does not know yet separate words. An entry is one 64-bit word:

    bits  0-31   the UTF-8 bytes of the character that it stands for, the first one lowest
    bits 32-34   how many bytes these are
    bits 35-37   what it does: SEPARATE, DROP, LETTER, ALONE, MARK, REORDERED or EXPAND
    bits 40-47   the place of a REORDERED mark among its neighbours: its combining class

An EXPAND entry stands for several characters: bits 0-31 say where in `expansions` they begin,
bits 40-47 how many they are.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Unit = Literal["words", "characters", "strict"]
Words = NDArray[np.uint64]
Ranges = tuple[tuple[int, int], ...]

SEPARATE, DROP, LETTER, ALONE, MARK, REORDERED, EXPAND = range(7)
LENGTH_BIT, KIND_BIT, ORDER_BIT = 32, 35, 40

N_CODES = 0x110000
KNOWN = ((0, 0xD7FF), (0xE000, 0x3FFFF), (0xE0000, 0xE0FFF))
"""Code points that may be assigned, but for those of private use."""

DIACRITICS: Ranges = (
    (0x0300, 0x036F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
"""The five blocks of combining diacritics; marks of other blocks belong to their script."""

INVISIBLE: Ranges = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0xFE00, 0xFE0F),  # variation selectors
    (0xE0000, 0xE0FFF),  # tags, more variation selectors
)
"""Ignorable by default in Unicode, besides what is a format character (Cf) anyway."""

UNSPACED: Ranges = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic marks
    (0x3021, 0x303C),
    (0x3041, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # ideographs
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAA7F),
    (0xFA00, 0xFAFF),  # ideographs that are no other's variant
    (0x16FE0, 0x18DFF),  # Tangut, Khitan
    (0x1AFF0, 0x1B2FF),  # kana, Nushu
    (0x20000, 0x3FFFF),  # ideographs
)
"""Letters of scripts without spaces between words."""

EMOJI: Ranges = (
    (0x231A, 0x231B),
    (0x23E9, 0x23FA),
    (0x2600, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B50),
    (0x2B55, 0x2B55),
    (0x1F000, 0x1FAFF),
)
"""Symbols, assigned or to be assigned, that stand in a text like words."""

LEADS = ((0, 0x80), (0xC0, 0x800), (0xE0, 0x10000), (0xF0, N_CODES))
"""Of characters of one, two, three and four bytes: the first byte's mark, and where they end."""

CATEGORIES = (
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe"),
    *("Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"),
)

DOTLESS_I = "\u0131"


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """What characters turn into in one way of cutting text.

    Attributes:
        entries: uint64 [0x110000], one for each code point.
        expansions: uint64 [e], the entries of those that turn into several.
    """

    entries: Words
    expansions: Words


@cache
def characters(unit: Unit) -> Characters:
    """The table of one way of cutting text, see `arena.text.tokenise`."""
    kinds, orders = _kinds(unit)
    entries = _utf8() | kinds.astype(np.uint64) << np.uint64(KIND_BIT)
    entries |= orders.astype(np.uint64) << np.uint64(ORDER_BIT)
    expansions: list[int] = []
    for code, turned in _changed():
        if unit != "strict" and turned == DOTLESS_I:
            turned = "i"
        kept = [int(entries[ord(char)]) for char in turned if kinds[ord(char)] != DROP]
        if len(kept) == 1:
            entries[code] = kept[0]
        else:
            kind = EXPAND if kept else DROP
            entries[code] = len(expansions) | kind << KIND_BIT | len(kept) << ORDER_BIT
            expansions += kept
    return Characters(entries, np.array(expansions, np.uint64))


def turn(text: str) -> str:
    """NFKD and case-folded; marks are not letters, so they have no case.

    The mark U+0345 would become a letter and no longer move with its neighbours.
    """
    apart = unicodedata.normalize("NFKD", text)
    folded = "".join(c if c == "\u0345" else c.casefold() for c in apart)
    return unicodedata.normalize("NFKD", folded)


@cache
def _changed() -> list[tuple[int, str]]:
    """Code points that turn into something else, and what; a dotless i turns into itself."""
    found = []
    for first, last in KNOWN:
        for char in map(chr, range(first, last + 1)):
            apart = unicodedata.normalize("NFKD", char)
            if apart != char or char.casefold() != char:
                found.append((ord(char), turn(char)))
    return [*found, (ord(DOTLESS_I), DOTLESS_I)]


def _kinds(unit: Unit) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a character does that turns into itself, and its combining class, [0x110000] each."""
    category, order = _categories()
    letter, number, mark = _in(category, "L"), _in(category, "N"), _in(category, "M")
    if unit == "strict":
        kept = ~(_in(category, "Z") | _in(category, "Cc"))
        alone = np.zeros(N_CODES, bool)
    elif unit == "characters":
        kept = alone = letter | number
    else:
        unspaced = _within(UNSPACED) & (letter | _in(category, "Nl"))
        emoji = _within(EMOJI) & _in(category, "So", "Sk", "Cn")
        kept, alone = letter | number | emoji, unspaced | emoji
    kinds = np.full(N_CODES, SEPARATE, np.uint8)
    kinds[kept] = LETTER
    kinds[alone] = ALONE
    kinds[mark] = MARK
    kinds[mark & (order > 0)] = REORDERED
    kinds[_within(INVISIBLE) | _in(category, "Cf")] = DROP
    if unit != "strict":
        kinds[_within(DIACRITICS)] = DROP
    return kinds, np.where(kinds == REORDERED, order, np.uint8(0))


@cache
def _categories() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The general category of each code point, as its place in CATEGORIES, and combining class."""
    category = np.full(N_CODES, CATEGORIES.index("Cn"), np.uint8)
    order = np.zeros(N_CODES, np.uint8)
    place = {name: i for i, name in enumerate(CATEGORIES)}
    for first, last in KNOWN:
        chars = [chr(code) for code in range(first, last + 1)]
        category[first : last + 1] = [place[unicodedata.category(char)] for char in chars]
        order[first : last + 1] = list(map(unicodedata.combining, chars))
    return category, order


def _in(category: NDArray[np.uint8], *names: str) -> NDArray[np.bool_]:
    """Which code points are in one of the categories, or groups of them, [0x110000]."""
    wanted = [name.startswith(names) for name in CATEGORIES]
    return np.array(wanted)[category]


def _within(ranges: Ranges) -> NDArray[np.bool_]:
    """Which code points are in one of the ranges, [0x110000]."""
    found = np.zeros(N_CODES, bool)
    for first, last in ranges:
        found[first : last + 1] = True
    return found


@cache
def _utf8() -> Words:
    """The UTF-8 bytes of each code point and how many they are, [0x110000]."""
    spelled = np.empty(N_CODES, np.uint64)
    begin = 0
    for width, (lead, end) in enumerate(LEADS, start=1):
        code = np.arange(begin, end, dtype=np.uint32)
        word = code >> 6 * (width - 1) | lead
        for k in range(1, width):
            word |= (code >> 6 * (width - 1 - k) & 0x3F | 0x80) << 8 * k
        spelled[begin:end] = word
        spelled[begin:end] |= np.uint64(width << LENGTH_BIT)
        begin = end
    return spelled
