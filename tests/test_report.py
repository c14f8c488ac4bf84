import csv
import io
import json
import re

import polars as pl
import pytest
from logs import EVIL, MARKUP, round_robin, votes
from rich.console import Console

from arena import Interval, Scale
from arena.display import plain
from arena.leaderboard import COLUMNS
from arena.pipeline import rate
from arena.report import (
    DRAWING_WIDTH,
    NAME_WIDTH,
    decimals,
    footer,
    markdown_text,
    rated,
    render_csv,
    render_json,
    render_markdown,
    render_table,
    title,
    whiskers,
)

UNBEATEN = votes("champ x model_a", "champ y model_a")


def board_of(*models, more=(), **options):
    return rate(pl.DataFrame([*round_robin(*models), *more]), **options)


def on_terminal(board, top=None, *, unicode=True, width=120):
    """The table as a terminal that understands nothing but text would show it."""
    out = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    out.print(render_table(board, top, unicode=unicode))
    return out.file.getvalue()


def markdown_rows(text):
    """The cells of a Markdown table, split at the bars that are not escaped."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# ── text that is anybody's ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("_x_ *y* `z`", r"\_x\_ \*y\* \`z\`"),
        ("[a](http://b)", r"\[a\](http://b)"),
        ("a\\|b", r"a\\\|b"),
        ("\x1b[31mred", r"\[31mred"),
        ("one\n| two |", r"one\| two \|"),
    ],
)
def test_markdown_text_shows_as_it_is(text, escaped):
    """No character of a name has a meaning in Markdown, or in the HTML made from it."""
    assert markdown_text(text) == escaped


# ── title, digits, drawing ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            {},
            [
                "Bradley-Terry, 8 battles, 2 models",
                "95% sandwich",
                "mean rating 1000",
                "half a win",
            ],
        ),
        ({"scale": Scale(anchor=("x", 1114.0))}, ["x = 1114"]),
        ({"scale": Scale(init=1500.0)}, ["mean rating 1500"]),
        ({"interval": Interval("fisher", level=0.9)}, ["90% fisher intervals"]),
        ({"ties": "drop"}, ["ties dropped"]),
        ({"ties": "davidson"}, ["Bradley-Terry (davidson)"]),
        ({"ties": "rao-kupper"}, ["Bradley-Terry (rao-kupper)"]),
        (
            {"scale": Scale(anchor=("x", 0.0)), "interval": Interval(of="anchor")},
            ["x = 0", "intervals of the difference from the anchor"],
        ),
    ],
)
def test_the_title_says_all_that_is_needed_to_read_the_numbers(options, parts):
    """Estimator, size, intervals, anchor and tie rule stand over every table."""
    board = board_of("x", "y", **options)

    line = title(board)

    assert [part for part in parts if part not in line] == []
    assert "\n" not in line


def test_the_title_speaks_of_no_interval_where_there_is_none():
    """Without intervals none are claimed."""
    board = board_of("x", "y", interval=Interval("none"))

    assert "interval" not in title(board)


def test_the_title_says_that_there_is_a_prior():
    """A rating that owes something to a prior must not pass for one that does not."""
    board = board_of("x", "y", more=UNBEATEN, on_separation="prior", prior=2.0)

    assert "prior: 2 battles of each model" in title(board)


def test_a_prior_of_one_battle_is_one_battle():
    """Numbers and their nouns agree."""
    board = board_of("x", "y", more=UNBEATEN, on_separation="prior", prior=1.0)

    assert "prior: 1 battle of each model" in title(board)


@pytest.mark.parametrize(
    ("times", "number"),
    [(1, "1035"), (100, "1035.2"), (10_000, "1035.22"), (10_000_000, "1035.22")],
)
def test_decimals_follow_the_standard_error(times, number):
    """Digits are shown as far as the standard error supports them, and two at most."""
    counts = pl.DataFrame(
        {"model_a": ["x"], "model_b": ["y"], "wins_a": [6 * times], "wins_b": [4 * times]}
    ).with_columns(ties=0)

    board = rate(counts)

    assert decimals(board) == len(number.partition(".")[2])
    assert f" {number} " in on_terminal(board)


def test_whiskers_share_one_axis():
    """The lowest bound is the left edge, the highest the right, and a dot is the rating."""
    shown = pl.DataFrame(
        {
            "rating_lower": [100.0, 0.0, None],
            "rating": [150.0, 50.0, 100.0],
            "rating_upper": [200.0, 100.0, None],
        }
    )

    high, low, unknown = whiskers(shown)

    assert {len(high), len(low), len(unknown)} == {DRAWING_WIDTH}
    assert low.startswith("─")
    assert high.endswith("─")
    assert low.index("●") < unknown.index("●") < high.index("●")
    assert low.rindex("─") - high.index("─") in (-1, 0, 1)
    assert "─" not in unknown


def test_whiskers_can_be_drawn_without_unicode():
    """A terminal that knows only ASCII gets a drawing, too."""
    board = board_of("x", "y")

    drawings = whiskers(rated(board), unicode=False)

    assert all(drawing.isascii() and "o" in drawing and "--" in drawing for drawing in drawings)


def test_whiskers_of_a_single_point_have_an_axis():
    """One model without interval is a dot, not a division by zero."""
    shown = pl.DataFrame(
        {"rating_lower": [None], "rating": [1000.0], "rating_upper": [None]},
        schema=dict.fromkeys(["rating_lower", "rating", "rating_upper"], pl.Float64),
    )

    (drawing,) = whiskers(shown)

    assert drawing.count("●") == 1


# ── the table ──────────────────────────────────────────────────────────────────────────────


def test_a_table_shows_every_rated_model_and_what_its_ranks_could_be():
    """Level models share a rank, and may each have any."""
    board = board_of("x", "y", "z")

    shown = on_terminal(board)

    assert len(re.findall(r"^\s+1\s+1–3\s+[xyz]\s+1000\s", shown, flags=re.MULTILINE)) == 3
    assert "16 battles" in shown


def test_a_table_without_intervals_shows_none():
    """Without intervals there is neither a column for them nor one for rank sets."""
    board = board_of("x", "y", interval=Interval("none"))

    shown = on_terminal(board)

    assert "±" not in shown
    assert "could be" not in shown
    assert "●" not in shown


def test_rows_not_shown_are_mentioned():
    """A table of the best says how many there are."""
    board = board_of("x", "y", "z")

    shown = on_terminal(board, 2)

    assert "2 of 3 models shown." in shown
    assert rated(board, 2)["model"].to_list() == ["x", "y"]


def test_models_left_out_stand_under_the_table_with_the_reason():
    """A model that cannot be rated is not forgotten."""
    board = board_of("x", "y", more=UNBEATEN)

    lines = footer(board)

    assert "  champ: never lost (2 battles)" in lines
    assert any("(1)" in line for line in lines)
    assert "champ: never lost" in on_terminal(board)


def test_a_long_list_of_models_left_out_is_cut():
    """Thirty unbeaten models make twenty lines and one that counts the rest."""
    more = [row for i in range(30) for row in votes(f"champ{i:02} x model_a")]
    board = board_of("x", "y", more=more)

    lines = footer(board)

    assert sum(line.startswith("  champ") for line in lines) == 20
    assert "  and 10 more, all of them in any -o file" in lines


def test_a_table_in_ascii_is_ascii():
    """Where the terminal cannot show line drawing, none is used in the table."""
    board = board_of("x", "y")

    shown = on_terminal(board, unicode=False)

    assert not set("─●│") & set(shown)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(EVIL, id="escapes"),
        pytest.param(MARKUP, id="markup"),
        pytest.param("x" * 10_000, id="long"),
        "[bold]x[/bold]",
        ":smile:",
        pytest.param(
            "模" * 99,
            id="wide",
        ),
    ],
)
def test_any_name_fits_into_a_table(name):
    """A hostile or endless name takes one line, with its rating, and leaves the terminal alone."""
    board = board_of(name, "y")

    lines = on_terminal(board).splitlines()

    (line,) = [line for line in lines if plain(name)[:5] in line and "●" in line]
    assert plain(line) == line
    assert plain(name)[:20] in line
    assert " 1000 " in line
    assert not [line for line in lines if "x" * (NAME_WIDTH + 1) in line]


# ── files and pipes ────────────────────────────────────────────────────────────────────────


def test_markdown_has_one_row_per_rated_model_and_a_list_of_the_others():
    """The table is a table in any Markdown reader: every row has as many cells as the head."""
    board = board_of("x", "y", more=UNBEATEN)

    text = render_markdown(board)
    rows = markdown_rows(text)

    assert rows[0] == ["rank", "could be", "model", "rating", "interval", "battles", "note"]
    assert [row[2] for row in rows[2:]] == ["x", "y"]
    assert {len(row) for row in rows} == {7}
    assert "- champ: never lost (2 battles)" in text


def test_markdown_without_intervals_has_no_columns_for_them():
    """What was not estimated has no column."""
    board = board_of("x", "y", interval=Interval("none"))

    rows = markdown_rows(render_markdown(board))

    assert rows[0] == ["rank", "model", "rating", "battles", "note"]
    assert {len(row) for row in rows} == {5}


@pytest.mark.parametrize(
    "name", [MARKUP, EVIL, "a|b|c", "x" * 10_000, "\\|", "<script>", "a\nb"], ids=range(7)
)
@pytest.mark.parametrize("left_out", [False, True])
def test_no_name_breaks_out_of_markdown(name, left_out):
    """Neither a bar nor a tag nor an escape in a name gets through, rated or left out."""
    more = votes("champ x model_a")
    more = [{**row, "model_a": name} for row in more] if left_out else []
    board = board_of("x" if left_out else name, "y", more=more)

    text = render_markdown(board)

    assert {len(row) for row in markdown_rows(text)} == {7}
    assert "<" not in text
    assert plain(text.replace("\n", "")) == text.replace("\n", "")
    assert markdown_text(name) in text


def test_csv_holds_all_columns_at_full_precision():
    """What is written can be read back as exactly the board."""
    board = board_of("x", "y", "z", more=[*votes("x y model_a"), *UNBEATEN])

    text = render_csv(board)

    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert pl.read_csv(text.encode(), schema=board.frame.schema).equals(board.frame)


@pytest.mark.parametrize("name", [MARKUP, 'a,"b"', "a\nb", "x" * 10_000, EVIL, " lead"])
def test_csv_gives_every_name_back(name):
    """A file is data: a name in it is the name in the log, whatever it holds."""
    board = board_of(name, "y")

    rows = list(csv.DictReader(io.StringIO(render_csv(board), newline="")))

    assert {row["model"] for row in rows} == {name, "y"}


def test_json_holds_the_rows_and_the_manifest():
    """A JSON board carries all that is needed to make it again; what is unknown is null."""
    board = board_of("x", "y", more=UNBEATEN)

    document = json.loads(render_json(board))

    assert document["leaderboard"] == board.frame.to_dicts()
    assert document["manifest"] == json.loads(json.dumps(dict(board.manifest)))
    assert document["leaderboard"][-1]["rating"] is None
    assert document["manifest"]["fit"]["left_out"] == {"champ": "never lost (2 battles)"}


@pytest.mark.parametrize("name", [MARKUP, EVIL, "x" * 10_000])
def test_json_gives_every_name_back(name):
    """A name in JSON is the name in the log."""
    board = board_of(name, "y")

    document = json.loads(render_json(board))

    assert {row["model"] for row in document["leaderboard"]} == {name, "y"}


@pytest.mark.parametrize("render", [render_csv, render_json, render_markdown])
def test_the_best_few_are_the_best_of_all(render):
    """Asking for the best two gives two models, and none that is not rated."""
    board = board_of("x", "y", "z", more=[*votes("z x model_a"), *UNBEATEN])

    text = render(board, 2).partition('"manifest"')[0]

    assert re.findall(r"\b[xyz]\b(?=[\",| ]+1\d\d\d|\",\n)", text) == ["z", "y"]
    assert "champ" not in text or render is render_markdown


@pytest.mark.parametrize("text", ["- x", "---", "1. x", "2) x", "+ x", "7."])
def test_what_would_begin_a_list_does_not(text):
    """A name is no list, and a number with a point in it is left as it is."""
    assert "\\" in markdown_text(text)
    assert markdown_text("240.8") == "240.8"
    assert markdown_text("2024-01-01") == "2024-01-01"
