"""Text that is safe and short enough to be shown, and the wording that messages share.

Model names come from vote logs, and are anybody's text.
"""

import unicodedata
from itertools import accumulate

from arena.errors import ArenaError


def plain(text: str, width: int | None = None) -> str:
    r"""Text without control or format characters, cut to a width in terminal cells.

    >>> plain("ab\x1b[31mc\u202e")
    'ab[31mc'
    >>> plain("a long model name", width=8), plain("漢字漢字", width=6)
    ('a long …', '漢字…')
    """
    clean = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    if width is None:
        return clean
    ends = list(accumulate(map(_cells, clean)))
    if not ends or ends[-1] <= width:
        return clean
    return clean[: sum(end < width for end in ends)] + "…"


def _cells(character: str) -> int:
    """How many terminal cells a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def listing(values: object, most: int = 8) -> str:
    """Join values for a one-line message, saying how many were left out.

    >>> listing(["b", "a"])
    "'b', 'a'"
    >>> listing(range(5), most=2)
    '0, 1 and 3 more'
    """
    items = list(values)  # type: ignore[call-overload]
    shown = ", ".join(repr(item) for item in items[:most])
    hidden = len(items) - most
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def amount(n: float, thing: str) -> str:
    """A number of things, in words that agree with it.

    >>> amount(1, "battle"), amount(2500, "battle")
    ('1 battle', '2,500 battles')
    """
    number = f"{n:,.0f}"
    return f"{number} {thing if number == '1' else thing + 's'}"


def error_line(error: ArenaError, most: int = 2_000) -> str:
    """An error's message on one line of bounded length, safe for a terminal."""
    return plain(" ".join(str(error).split()), most)
