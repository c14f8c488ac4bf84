"""Results that show themselves: in a notebook as a table, and as text."""

import io
from dataclasses import replace

import polars as pl
import pytest
from logs import round_robin
from pages import BENIGN, HOSTILE, Reader, log_of, match_of
from rich.console import Console

from arena.battles import read_battles
from arena.comparison import compare
from arena.comparison_report import comparison_sheet
from arena.display import plain
from arena.notebooks import ROWS, as_html, as_text
from arena.pipeline import rate
from arena.report import render_table, title
from arena.tables import frame_table
from arena.unseen_filter import unseen


@pytest.fixture(scope="module", params=[BENIGN, HOSTILE], ids=["benign", "hostile"])
def results(request, tmp_path_factory):
    """A board, a match and a comparison, of harmless and of hostile models."""
    log = read_battles(log_of(request.param))
    match = match_of(log, tmp_path_factory.mktemp("match"))
    told = compare(log, unseen(match), draws=20, rounds=20)
    return request.param, rate(log_of(request.param)), match, told


def printed(table):
    """What rich prints, without spaces at the ends of lines."""
    out = Console(file=io.StringIO(), width=160, markup=False, highlight=False, emoji=False)
    out.print(table)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def test_a_board_is_its_table(results):
    """As text the terminal's, as HTML a row per model in the board's order."""
    _, board, _, _ = results

    page = Reader(board._repr_html_())

    assert str(board).splitlines() == printed(render_table(board, ROWS))
    assert page.faults == []
    names = [plain(name) for name in board.frame["model"]]
    assert [text for _, text in page.all("th", scope="row")] == names
    assert page.all("caption")[0][1] == title(board)
    assert len(page.all("svg")) == len(names)


def test_a_comparison_is_its_table(results):
    """As text what `arena compare` shows, as HTML each change over what chance would do."""
    _, _, _, told = results
    sheet = comparison_sheet(told)

    page = Reader(told._repr_html_())

    lines = printed(frame_table(sheet.summary, sheet.title, sheet.lines))
    assert str(told).splitlines() == lines
    assert page.faults == []
    names = [plain(name) for name in told.frame["model"]]
    assert [text for _, text in page.all("th", scope="row")] == names
    assert len(page.all("rect")) == len(names)


def test_a_match_is_its_classes(results):
    """Prompts and battles of each class, and by which rule."""
    _, _, match, _ = results

    page, text = Reader(match._repr_html_()), str(match)

    assert [text for _, text in page.all("th", scope="row")] == ["seen", "unseen", "short", "stock"]
    assert "at least 50% of a prompt's 5-grams" in page.all("caption")[0][1]
    assert text.splitlines()[0].startswith("1,471 distinct prompts held against 500 training texts")
    assert page.faults == []


def test_any_sheet_has_both_forms(results):
    """Whatever is given as a sheet can be shown: its summary, and the lines under it."""
    _, _, _, told = results
    sheet = comparison_sheet(told)

    page = Reader(as_html(sheet))

    assert len(page.all("tr")) == 1 + sheet.summary.height
    assert [text for _, text in page.all("p")] == list(sheet.lines)
    assert as_text(sheet) == as_text(told)


def test_hostile_text_does_nothing(results):
    """No element but those of a table, no control character in the text."""
    _, board, match, told = results

    for result in (board, match, told):
        tags = {tag for tag, _, _ in Reader(as_html(result)).elements}
        assert not tags & {"img", "script", "b", "button", "a", "style"}
        assert all(plain(line) == line for line in as_text(result).splitlines())


def test_a_long_board_is_cut_and_says_so():
    """The first rows, and how many there are."""
    board = rate(pl.DataFrame(round_robin(*(f"model {i:02d}" for i in range(ROWS + 5)))))

    page = Reader(as_html(board))

    assert len(page.all("th", scope="row")) == ROWS
    assert page.all("p")[0][1] == f"{ROWS} of {ROWS + 5} models shown."
    assert f"{ROWS} of {ROWS + 5} models shown." in str(board)


def test_a_board_without_intervals_has_no_drawing(results):
    """It has ranks, names, ratings and votes."""
    names, board, _, _ = results
    bare = replace(board, uncertainty=None)

    page = Reader(as_html(bare))

    assert page.all("svg") == []
    assert len(page.all("th", scope="row")) == len(names)


def test_other_things_do_not_pretend():
    """What has no form of its own is refused, not shown as something else."""
    with pytest.raises(TypeError, match="int has no HTML form"):
        as_html(3)
    with pytest.raises(TypeError, match="int has no form as text"):
        as_text(3)
