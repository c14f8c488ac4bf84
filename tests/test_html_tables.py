"""Tables as HTML and CSV: what stands in them is shown as it is, and nothing of it acts."""

import csv
import io
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import EVIL, MARKUP
from pages import CLOSER, FORMULA, HOSTILE, Reader

from arena.display import plain
from arena.html_tables import (
    DRAWN,
    Axis,
    Drawing,
    axis_over,
    fragment,
    frame_view,
    name_cell,
    shown,
    spreadsheet_csv,
    value_cell,
)

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
STARTS = ("=", "+", "-", "@")


def read_csv(text):
    return list(csv.reader(io.StringIO(text)))


# ── HTML ───────────────────────────────────────────────────────────────────────────────────


def test_hostile_text_is_text():
    """Names, headings, captions and lines with markup come out as the text they are."""
    frame = pl.DataFrame({MARKUP: list(HOSTILE), "n": range(len(HOSTILE))})

    page = Reader(fragment(frame_view(frame, CLOSER, [MARKUP])))

    assert page.faults == []
    assert {tag for tag, _, _ in page.elements} == {
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p")
    }
    assert [text for _, text in page.all("th", scope="row")] == [plain(one) for one in HOSTILE]
    assert page.all("caption")[0][1] == CLOSER
    assert page.all("p")[0][1] == MARKUP
    assert not any(name.startswith("on") for _, had, _ in page.elements for name in had)


@settings(deadline=None)
@given(TEXT)
def test_any_text_comes_through_once(text):
    """Whatever a name is, its row has one cell for it, which reads as the name does."""
    page = Reader(fragment(frame_view(pl.DataFrame({"model": [text], "n": [1]}), "c")))

    assert page.faults == []
    assert [said for _, said in page.all("th", scope="row")] == [shown(text)]


def test_a_fragment_needs_no_script_and_no_style():
    """A notebook shows it as it stands: no button, no script, no attribute with style in it."""
    view = replace(frame_view(pl.DataFrame({"model": ["x"]}), "c"), sorted_by=0)

    page = Reader(fragment(view))

    assert not {"button", "script", "style"} & {tag for tag, _, _ in page.elements}
    assert not any("style" in had for _, had, _ in page.elements)


@pytest.mark.parametrize(
    ("text", "most", "said"),
    [
        ("a\n b\tc", 9, "a b c"),
        ("abcdef", 4, "abc…"),
        ("x" * 10_000_000, 4, "xxx…"),
        (EVIL, 40, plain(EVIL)),
    ],
)
def test_text_is_one_line_of_bounded_length(text, most, said):
    """Line breaks become spaces, control characters go, and what is too long is cut."""
    result = shown(text, most)

    assert result == said


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (1234.56, 1, False, "1,234.6"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (3, 0, True, "+3"),
        (0, 0, True, "0"),
        (-2.25, 1, True, "-2.2"),
        (None, 1, True, ""),
    ],
)
def test_numbers_are_read_easily(value, digits, sign, text):
    """Thousands are grouped, nothing is said to be below zero that is shown as zero."""
    cell = value_cell(value, digits, sign=sign)

    assert cell.text == text


def test_a_number_is_sorted_by_its_value():
    """The order of a cell is the number itself, without grouping; a missing one has none."""
    cells = [value_cell(12345.678, 1), value_cell(1670250), value_cell(None)]

    assert [cell.order for cell in cells] == ["12345.7", "1670250", ""]
    assert name_cell("b").order == ""


# ── axes ───────────────────────────────────────────────────────────────────────────────────


def test_an_axis_is_linear_and_keeps_its_margin():
    """Both ends are five units inside the drawing, and the middle is in the middle."""
    axis = axis_over([900.0, None, 1100.0, 1000.0])

    assert [axis.place(at) for at in (900.0, 1000.0, 1100.0)] == [5.0, DRAWN / 2, DRAWN - 5.0]


@pytest.mark.parametrize("values", [[], [None], [7.0, 7.0]])
def test_an_axis_over_nothing_still_has_a_length(values):
    """Without two different values it is two points long."""
    axis = axis_over(values)

    assert axis.high - axis.low == 2.0


@settings(deadline=None)
@given(st.floats(-2000, 2000), st.floats(0.01, 5000))
def test_marks_are_few_and_inside(low, length):
    """There is at least one round value on an axis, at most six, and all of them are on it."""
    marks = Axis(low, low + length).marks()

    assert 1 <= len(marks) <= 6
    assert all(4.9 <= place <= DRAWN - 4.9 for place in marks)


def test_marks_are_round_values():
    """From 836 to 1,106 they are the fifties."""
    axis = Axis(836.0, 1106.0)

    assert axis.marks() == tuple(axis.place(at) for at in (850, 900, 950, 1000, 1050, 1100))


def test_a_drawing_says_what_it_shows():
    """Its label is what a screen reader reads, escaped like all else."""
    cell = name_cell("x")
    view = frame_view(pl.DataFrame({"model": ["x"]}), "c")
    drawing = Drawing(CLOSER, 20.0, (10.0, 30.0))
    view = type(view)(view.caption, view.heads * 2, ((cell, type(cell)("", drawing=drawing)),))

    page = Reader(fragment(view))

    assert page.all("svg")[0][0]["aria-label"] == CLOSER
    assert page.all("path")[0][0]["d"] == "M10.0 8H30.0"


# ── CSV ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1+1", "@SUM(1)", "\t=1", " =1", FORMULA])
def test_no_cell_is_a_formula(name):
    """A text that a spreadsheet would run begins with an apostrophe instead."""
    text = spreadsheet_csv(pl.DataFrame({name: [name], "n": [-1.5]}))

    head, row = read_csv(text)
    assert head[0] == row[0] == "'" + plain(name)
    assert float(row[1]) == -1.5


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_csv_holds_every_text_harmlessly(names):
    """Whatever the names are, there is a row for each, none a formula, and none is lost."""
    rows = read_csv(spreadsheet_csv(pl.DataFrame({"model": names, "n": range(len(names))})))[1:]

    assert [int(row[1]) for row in rows] == list(range(len(names)))
    assert not any(row[0].lstrip().startswith(STARTS) for row in rows)
    assert [row[0].removeprefix("'") for row in rows] == [
        plain(name).removeprefix("'") for name in names
    ]


def test_csv_keeps_full_precision_and_empty_cells():
    """Numbers are as they are; null is empty; a text that is no formula is as it was."""
    frame = pl.DataFrame({"model": ["a,b", None], "rating": [0.1 + 0.2, None], "note": ["x-1", ""]})

    rows = read_csv(spreadsheet_csv(frame))

    assert rows[1:] == [["a,b", "0.30000000000000004", "x-1"], ["", "", ""]]
