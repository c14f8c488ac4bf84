"""Text that is anybody's is shown without harm and without breaking a table, in good English."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import EVIL

from arena.display import amount, error_line, listing, plain
from arena.errors import ArenaError, ConvergenceError, ReadError


def cells(text):
    """The width of a text in a terminal: marks take no cell, wide characters two."""
    wide = sum(unicodedata.east_asian_width(c) in ("W", "F") for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


# ── plain ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gpt-4o", "gpt-4o"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b31mred", "31mred"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\u202edesrever\u2066", "desrever"),
        ("a\r\nb\tc\x00", "abc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("private\ue000 lone\ud800", "private lone"),
        ("模型 é", "模型 é"),
        ("", ""),
    ],
)
def test_plain_text_has_no_control_or_format_characters(text, shown):
    """Escapes lose what makes them escapes, overrides of direction vanish, letters stay."""
    assert plain(text) == shown


@given(text=st.text(), width=st.integers(1, 20))
def test_plain_text_is_never_wider_than_its_width(text, width):
    """Text is cut to its width in cells, and only text that was too wide is."""
    cut = plain(text, width)

    assert cells(cut) <= width
    assert (cut == plain(text)) == (cells(plain(text)) <= width)
    assert cut == plain(text) or cut.endswith("…")


@given(text=st.text(), width=st.integers(1, 20))
def test_what_is_cut_begins_as_the_text_does(text, width):
    """Nothing is left out from the middle, and no more than has to be from the end."""
    whole, cut = plain(text), plain(text, width)

    kept = cut.removesuffix("…") if cut != whole else whole
    assert whole.startswith(kept)
    assert cut == whole or cells(cut) >= width - 1


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
        ("漢字", 2, "…"),
        ("ｆｕｌｌ", 5, "ｆｕ…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("\u0301" * 50, 1, "\u0301" * 50),
        ("a\x1b\x1b\x1bb", 2, "ab"),
    ],
)
def test_width_is_counted_in_cells(text, width, shown):
    """A Chinese character takes two, an accent none, and what is not shown none either."""
    assert plain(text, width) == shown


def test_without_a_width_nothing_is_cut():
    """Text of any length stays whole."""
    assert plain("x" * 100_000) == "x" * 100_000


# ── wording ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "0 votes"),
        (1, "1 vote"),
        (1.0, "1 vote"),
        (2, "2 votes"),
        (1_234_567, "1,234,567 votes"),
        (2.6, "3 votes"),
        *(
            pytest.param(
                *(n, "1 vote"),
            )
            for n in (0.8, 1.4)
        ),
    ],
)
def test_a_number_and_its_noun_agree(n, said):
    """One vote, all other numbers votes, thousands grouped."""
    assert amount(n, "vote") == said


@pytest.mark.parametrize(
    ("values", "most", "said"),
    [
        ([], 8, ""),
        (["a"], 8, "'a'"),
        (["a", "b"], 2, "'a', 'b'"),
        (["a", "b", "c"], 2, "'a', 'b' and 1 more"),
        ((n for n in range(10)), 3, "0, 1, 2 and 7 more"),
        (pl.Series(["x", None]), 8, "'x', None"),
        ({"k": 1}, 8, "'k'"),
    ],
)
def test_a_list_is_cut_and_says_how_much_is_missing(values, most, said):
    """Anything that can be gone through can be listed, in its order."""
    assert listing(values, most) == said


def test_listed_text_cannot_break_out_of_its_quotes():
    """A name with a line feed and an escape is listed on one line."""
    said = listing([EVIL, "two\nlines"])

    assert plain(said) == said
    assert r"two\nlines" in said


# ── errors ─────────────────────────────────────────────────────────────────────────────────


def test_an_error_is_one_line_without_escapes():
    """Whatever a message quotes, it stays on its line and cannot touch the terminal."""
    error = ReadError(f"{EVIL}\n  second\tline\u2028third")

    line = error_line(error)

    assert line == plain(EVIL) + " second line third"


def test_an_error_of_many_pages_is_cut():
    """A message that quotes ten thousand characters does not fill the screen."""
    line = error_line(ConvergenceError("x" * 10_000))

    assert len(line) == 2_000


def test_an_error_may_be_cut_shorter():
    """The bound is the caller's."""
    assert error_line(ArenaError("a b  c"), most=4) == "a b…"
