import json
import os

import polars as pl
import pytest
from logs import MARKUP, round_robin, votes

from arena.errors import OptionError
from arena.outputs import PICTURES, WRITERS, check_output, write_board, write_frame, write_whole
from arena.pipeline import rate
from arena.report import render_csv, render_json, render_markdown

BEGINS = {
    ".csv": b"rank,model,",
    ".json": b"{",
    ".md": b"Bradley",
    ".parquet": b"PAR1",
    ".png": b"\x89PNG\r\n",
    ".svg": b"<?xml",
    ".pdf": b"%PDF-",
}


@pytest.fixture(scope="module")
def board():
    return rate(pl.DataFrame([*round_robin("x", "y", MARKUP), *votes("champ x model_a")]))


def test_every_suffix_has_a_test_here():
    """A form of output that nobody tests is no form of output."""
    assert set(BEGINS) == {*WRITERS, *PICTURES}


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(("suffix", "begins"), BEGINS.items())
def test_the_suffix_picks_the_form(tmp_path, board, suffix, begins, upper):
    """A file is what its name says, in capitals or not."""
    path = tmp_path / f"board{suffix.upper() if upper else suffix}"

    write_board(board, path)

    assert path.read_bytes().startswith(begins)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("suffix", "render"), [(".csv", render_csv), (".json", render_json), (".md", render_markdown)]
)
@pytest.mark.parametrize("top", [None, 1])
def test_a_text_file_holds_what_is_rendered(tmp_path, board, suffix, render, top):
    """A file and standard output say the same."""
    path = tmp_path / f"board{suffix}"

    write_board(board, path, top)

    assert path.read_text(encoding="utf-8") == render(board, top)


def test_parquet_carries_the_board_and_its_manifest(tmp_path, board):
    """The table comes back with its types, and the manifest with it."""
    path = tmp_path / "board.parquet"

    write_board(board, path)

    assert pl.read_parquet(path).equals(board.frame)
    manifest = json.loads(pl.read_parquet_metadata(path)["arena_manifest"])
    assert manifest == json.loads(json.dumps(dict(board.manifest)))


def test_a_picture_is_of_every_rated_model_asked_for(tmp_path, board):
    """A picture of one model is smaller than one of three."""
    one, three = tmp_path / "one.svg", tmp_path / "three.svg"

    write_board(board, one, 1)
    write_board(board, three)

    assert one.stat().st_size < three.stat().st_size


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("board.xlsx", "the suffix must be one of .csv"),
        ("board", "the suffix must be one of .csv"),
        ("nowhere/board.csv", "there is no folder"),
        ("folder.csv", "is a directory"),
    ],
)
@pytest.mark.parametrize("write", [check_output, lambda path: write_board(None, path)])
def test_a_path_that_cannot_be_written_is_refused_before_the_work(tmp_path, name, complaint, write):
    """The path is looked at first, and is named with what is wrong with it."""
    (tmp_path / "folder.csv").mkdir()
    path = tmp_path / name

    with pytest.raises(OptionError) as raised:
        write(path)

    assert str(raised.value).startswith(f"{path}: ")
    assert complaint in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path):
    """A folder that cannot be written to is found out at once."""
    tmp_path.chmod(0o500)

    with pytest.raises(OptionError, match="cannot be written to"):
        check_output(tmp_path / "board.csv")

    tmp_path.chmod(0o700)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_is_written_as_its_suffix_says(tmp_path, suffix):
    """Rejected rows go to CSV or Parquet."""
    frame = pl.DataFrame({"row": [1], "reason": ["no winner"]})
    path = tmp_path / f"rejected{suffix}"

    write_frame(frame, path)

    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet}[suffix]
    assert read(path).equals(frame)


@pytest.mark.parametrize("name", ["rejected.svg", "rejected.png"])
def test_a_table_is_not_drawn_as_a_board_can_be(tmp_path, name):
    """A table of rows makes no picture."""
    with pytest.raises(OptionError, match=r"must be one of \.csv, \.parquet"):
        write_frame(pl.DataFrame({"row": [1]}), tmp_path / name)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError, MemoryError])
@pytest.mark.parametrize("before", [None, "the old board"])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, interruption, before):
    """Either the whole new file is there, or the old one, or none; and no temporary."""
    path = tmp_path / "board.csv"
    if before:
        path.write_text(before)

    def write(temporary):
        temporary.write_text("half a")
        raise interruption

    with pytest.raises(interruption):
        write_whole(path, write)

    assert [(one, one.read_text()) for one in tmp_path.iterdir()] == (
        [(path, before)] if before else []
    )


def test_until_it_is_whole_the_new_file_has_another_name(tmp_path):
    """A reader who comes while a file is written sees the old one."""
    path = tmp_path / "board.csv"
    path.write_text("old")
    seen = []

    def write(temporary):
        temporary.write_text("new")
        seen.append((path.read_text(), temporary.parent, temporary.suffix))

    write_whole(path, write)

    assert seen == [("old", tmp_path, ".csv")]
    assert path.read_text() == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, board, mask, mode):
    """A board is as readable as any other file its owner makes."""
    path = tmp_path / "board.csv"
    before = os.umask(mask)

    try:
        write_board(board, path)
        after = os.umask(mask)
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == mode
    assert after == mask


@pytest.mark.parametrize("name", ["模型-七", "🤖"])
def test_a_script_that_no_font_has_is_no_reason_to_fail(tmp_path, name):
    """Its characters are drawn as boxes, without a warning for each."""
    board = rate(pl.DataFrame(votes(f"{name} y tie", f"y {name} model_a")))

    write_board(board, tmp_path / "board.png")

    assert (tmp_path / "board.png").stat().st_size > 0
