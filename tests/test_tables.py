"""Any frame becomes a table, Markdown or JSON, with nothing lost and nothing let through."""

import io
import json
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest
from logs import EVIL, MARKUP
from rich.console import Console

from arena.display import plain
from arena.report import NAME_WIDTH
from arena.tables import cell, frame_json, frame_markdown, frame_table, texts

NAN, INFINITE = float("nan"), float("inf")


def on_terminal(frame, title="A title", *, unicode=True, width=100):
    """The table as a terminal that understands nothing but text would show it."""
    out = Console(file=io.StringIO(), width=width, markup=True, highlight=True, emoji=True)
    out.print(frame_table(frame, title, unicode=unicode))
    return out.file.getvalue()


def markdown_rows(text):
    """The cells of a Markdown table, split at the bars that are not escaped."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# ── cells ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (-1_234_567, "-1,234,567"),
        (1234.56, "1,234.6"),
        (-0.04, "-0.0"),
        (NAN, "nan"),
        (INFINITE, "inf"),
        ("name", "name"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29 12:00:00+00:00"),
        ("\x1b[31mred", "[31mred"),
        ("x" * 1_000, "x" * (NAME_WIDTH - 1) + "…"),
    ],
)
def test_a_cell_is_its_value_in_words(value, shown):
    """Nothing for null, yes and no for truth, numbers with their thousands grouped."""
    assert cell(value) == shown


def test_digits_are_the_callers():
    """As many as asked for, of floats; integers have none."""
    assert cell(1234.5678, 3) == "1,234.568"
    assert cell(1234, 3) == "1,234"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.5, -9.99], ["0.5000", "-9.9900"]),
        ([0.5, 10.0], ["0.5", "10.0"]),
        ([0.5, -1000.0], ["0.5", "-1,000.0"]),
        ([0.5, None], ["0.5000", ""]),
        ([0.5, INFINITE], ["0.5", "inf"]),
        ([None, None], ["", ""]),
    ],
)
def test_a_column_of_small_numbers_has_more_digits(values, shown):
    """Shares and errors need four, ratings need one, and a column has as many throughout."""
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Float64})

    assert [row[0] for row in texts(frame)] == shown


@pytest.mark.filterwarnings("error")
def test_a_column_of_nothing_but_nan_is_shown():
    """It has no largest number, which is no reason to warn or to fail."""
    frame = pl.DataFrame({"x": [NAN, NAN]})

    assert list(texts(frame)) == [["nan"], ["nan"]]


# ── terminal ───────────────────────────────────────────────────────────────────────────────


def test_a_table_has_a_title_a_head_and_a_row_per_row():
    """Numbers are flush right, text is flush left."""
    frame = pl.DataFrame({"model": ["a", "long name"], "battles": [1_000, 20]})

    lines = on_terminal(frame).splitlines()

    assert lines[0] == "A title"
    shown = [line.rstrip() for line in lines[1:] if re.search(r"\w", line)]
    assert shown == [" model       battles", " a             1,000", " long name        20"]


def test_a_table_in_ascii_is_ascii():
    """Where the terminal cannot draw lines, none are drawn."""
    frame = pl.DataFrame({"model": ["a"], "battles": [1]})

    assert on_terminal(frame, unicode=False).isascii()
    assert not on_terminal(frame, unicode=True).isascii()


@pytest.mark.parametrize("name", [EVIL, MARKUP, "[bold]x[/bold]", "[/]", ":smile:", "a\nb"])
def test_a_name_in_a_cell_is_shown_and_not_obeyed(name):
    """Neither a terminal's escapes nor rich's markup mean anything."""
    shown = on_terminal(pl.DataFrame({"model": [name]}))

    assert shown.count(plain(name)) == 1
    assert plain(shown.replace("\n", "")) == shown.replace("\n", "")


@pytest.mark.parametrize("name", [MARKUP, "[bold]x[/bold]", "[/]", ":smile:"])
def test_markup_in_a_head_or_title_is_shown_and_not_obeyed(name):
    """Column names may be a log's own."""
    shown = on_terminal(pl.DataFrame({name: [1]}), name)

    assert shown.count(name) == 2


@pytest.mark.parametrize("name", [EVIL, "a\nb"])
@pytest.mark.parametrize("place", ["head", "title"])
def test_escapes_in_a_head_or_title_are_not_obeyed(name, place):
    """As in Markdown, where they are taken out of both."""
    frame = pl.DataFrame({name if place == "head" else "x": [1]})

    shown = on_terminal(frame, name if place == "title" else "t")

    assert plain(name) in shown
    assert plain(shown.replace("\n", "")) == shown.replace("\n", "")


def test_a_frame_without_rows_is_a_head():
    """Nothing to show is no error."""
    frame = pl.DataFrame(schema={"model": pl.String, "rating": pl.Float64})

    assert "rating" in on_terminal(frame)
    assert len(markdown_rows(frame_markdown(frame, "t"))) == 2
    assert json.loads(frame_json(frame, "rows")) == {"rows": []}


# ── Markdown ───────────────────────────────────────────────────────────────────────────────


def test_markdown_is_a_title_and_a_table():
    """Numbers are flush right by the second row, and everything ends with a line feed."""
    frame = pl.DataFrame({"model": ["a", None], "rating": [1000.25, NAN], "new": [True, False]})

    text = frame_markdown(frame, "Ratings")

    assert text == (
        "Ratings\n\n"
        "| model | rating | new |\n"
        "| :-- | --: | :-- |\n"
        "| a | 1,000.2 | yes |\n"
        "|  | nan | no |\n"
    )


@pytest.mark.parametrize("name", [EVIL, MARKUP, "a|b", "\\|", "<script>", "a\nb", "_x_ `y` [z](u)"])
def test_no_name_breaks_out_of_markdown(name):
    """Every row has as many cells as the head, and no tag is left, in a cell, head or title."""
    frame = pl.DataFrame({name: [name], "other": [1]})

    text = frame_markdown(frame, name)

    assert {len(row) for row in markdown_rows(text)} == {2}
    assert "<" not in text
    assert len(text.splitlines()) == 5
    assert plain(text.replace("\n", "")) == text.replace("\n", "")


# ── JSON ───────────────────────────────────────────────────────────────────────────────────


def test_json_is_the_rows_under_a_name():
    """Values keep their types; what is null or not a number is null."""
    frame = pl.DataFrame(
        {"model": ["a", None], "rating": [1000.25, NAN], "battles": [3, None], "new": [True, None]}
    )

    document = json.loads(frame_json(frame, "board"))

    assert document == {
        "board": [
            {"model": "a", "rating": 1000.25, "battles": 3, "new": True},
            {"model": None, "rating": None, "battles": None, "new": None},
        ]
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29 12:00:00+00:00"),
    ],
)
def test_json_has_dates_as_text(value, text):
    """As ISO 8601 has them, with their time zone."""
    document = json.loads(frame_json(pl.DataFrame({"at": [value]}), "rows"))

    assert document["rows"][0]["at"] == text
    assert type(value).fromisoformat(text) == value


@pytest.mark.parametrize("name", [EVIL, MARKUP, "模型", 'quo"te', "a\nb"])
def test_json_gives_every_name_back(name):
    """A name in data is the name in the log, in keys and values."""
    frame = pl.DataFrame({name: [name]})

    text = frame_json(frame, name)

    assert json.loads(text) == {name: [{name: name}]}
    assert text.endswith("\n")


@pytest.mark.parametrize("value", [INFINITE, -INFINITE, [1.0, NAN]])
def test_json_has_no_number_that_is_not_finite(value):
    """JSON knows none: it is null, alone or within a list."""
    text = frame_json(pl.DataFrame({"x": [value]}), "rows")

    assert json.loads(text)["rows"][0]["x"] in (None, [1.0, None])


def test_the_frame_is_left_as_it_was():
    """Showing a frame changes nothing in it."""
    frame = pl.DataFrame({"model": ["a"], "rating": [NAN]})
    before = frame.clone()

    frame_json(frame, "rows")
    frame_markdown(frame, "t")
    on_terminal(frame)

    assert frame.equals(before)
