"""Every command that has a picture draws it, and none waits for what draws."""

import subprocess
import sys

import polars as pl
import pytest
from logs import round_robin, votes, write
from worlds import battles

from arena.errors import OptionError
from arena.filter_commands import COMPARISON_PICTURES
from arena.outputs import PICTURES, write_board, write_sheet
from arena.palette import DARK, LIGHT
from arena.pictures import board_pictures, comparison_pictures, match_pictures
from arena.pipeline import rate
from arena.prompt_commands import MATCH_PICTURES
from arena.rating_commands import RATE_PICTURES
from arena.tables import Sheet

LOG = pl.DataFrame([*round_robin("x", "y", "z"), *votes("x y model_a")])


@pytest.mark.parametrize(
    ("kinds", "pictures"),
    [
        (RATE_PICTURES, board_pictures),
        (COMPARISON_PICTURES, comparison_pictures),
        (MATCH_PICTURES, match_pictures),
    ],
)
def test_a_command_names_the_pictures_that_there_are(kinds, pictures):
    """In their order, the usual one first."""
    assert list(pictures(None)) == list(kinds)


@pytest.mark.parametrize("kind", RATE_PICTURES)
def test_each_kind_of_a_board_is_another_picture(tmp_path, kind):
    """By its heading, on the paper asked for."""
    light, dark, usual = (tmp_path / f"{name}.svg" for name in ("light", "dark", "usual"))
    board = rate(LOG)

    write_board(board, light, plot=kind)
    write_board(board, dark, plot=kind, dark=True)
    write_board(board, usual)

    assert LIGHT.paper in light.read_text("utf-8")
    assert DARK.paper in dark.read_text("utf-8")
    assert (light.read_bytes() == usual.read_bytes()) == (kind == "ratings")


def test_a_picture_of_a_sheet_has_its_title_under_it(tmp_path):
    """So that synthetic votes are called so there, too."""
    drawn = []

    def draw(top, dark):
        drawn.append((top, dark))
        return board_pictures(rate(LOG))["ratings"](top, dark)

    frame = pl.DataFrame({"model": ["x"]})
    sheet = Sheet("s", "Synthetic votes; of <x> & $y$", frame, frame, pictures={"one": draw})

    write_sheet(sheet, tmp_path / "s.svg", 2, dark=True)

    text = (tmp_path / "s.svg").read_text("utf-8")
    assert drawn == [(2, True)]
    assert ">Synthetic votes; of &lt;x&gt; &amp; $y$<" in text


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_sheet_without_pictures_is_not_drawn(tmp_path, suffix):
    """The message says what there is."""
    frame = pl.DataFrame({"model": ["x"]})

    with pytest.raises(OptionError, match=r"must be one of \.csv, \.parquet, \.json, \.md"):
        write_sheet(Sheet("s", "t", frame, frame), tmp_path / f"s{suffix}")

    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_there_is_not_is_refused(tmp_path):
    """The message names those that there are, and nothing is written."""
    with pytest.raises(OptionError, match="'pie' is not one of ratings, ranks, win-rates"):
        write_board(rate(LOG), tmp_path / "b.svg", plot="pie")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("top", "n"), [(None, 40), (3, 3), (0, 45)])
def test_top_is_of_pictures_too(tmp_path, top, n):
    """As many models as asked for; by itself forty, and with 0 all."""
    board = rate(battles(45, 4_000, spread=0.3))

    write_board(board, tmp_path / "b.svg", top)

    text = (tmp_path / "b.svg").read_text("utf-8")
    assert sum(f">{model}</text>" in text for model in board.frame["model"]) == n


# ── on the command line ────────────────────────────────────────────────────────────────────


@pytest.fixture
def path(tmp_path):
    frame = battles(5, 600, spread=0.4).with_columns(
        turns=pl.int_range(pl.len()) % 3 + 1,
        tstamp=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(hours=pl.int_range(pl.len())),
    )
    frame.write_parquet(tmp_path / "votes.parquet")
    return tmp_path / "votes.parquet"


QUICK = ["--draws", "20", "--rounds", "20"]
INJECT = ["whatif", "inject", "VOTES", "--model", "m001", "--share", "10%", "--uplift", "50"]
DRAWN = {
    "rate": ["rate", "VOTES", "--plot", "win-rates"],
    "compare": ["compare", "VOTES", "--multi-turn", *QUICK],
    "ranks": ["compare", "VOTES", "--multi-turn", *QUICK, "--plot", "ranks"],
    "history": ["history", "VOTES", "--every", "week"],
    "elo": ["elo", "VOTES", "--orders", "5"],
    "evaluate": ["evaluate", "VOTES"],
    "inject": INJECT,
    "best of n": ["whatif", "best-of-n"],
}


@pytest.mark.parametrize("command", DRAWN)
def test_a_command_draws_its_result(arena, tmp_path, path, command):
    """Beside the table that it shows, on dark paper if asked for."""
    files = [tmp_path / "light.svg", tmp_path / "dark.svg"]
    words = [str(path) if word == "VOTES" else word for word in DRAWN[command]]

    light = arena(*words, "-q", "-o", files[0])
    dark = arena(*words, "-q", "--dark", "-o", files[1])

    assert (light.code, light.err, dark.code, dark.err) == (0, "", 0, "")
    assert light.out == dark.out
    papers = [DARK.paper in file.read_text("utf-8") for file in files]
    assert papers == [False, True]


MISTAKES = {
    "kind": (["rate", "VOTES", "--plot", "pie", "-o", "HERE/b.svg"], "'win-rates'"),
    "no file": (["rate", "VOTES", "--plot", "ranks"], "--plot: no picture is written; add"),
    "dark table": (["rate", "VOTES", "--dark", "-o", "HERE/b.csv"], "--dark: no picture"),
    "no ranks": (["rate", "VOTES", "--ci", "none", "--plot", "ranks", "-o", "HERE/b.svg"], "ranks"),
    "one kind": (["history", "VOTES", "--plot", "lines"], "--plot"),
    "no picture": (["judges", "VOTES", "-o", "HERE/j.png"], "must be one of .csv, .parquet, .json"),
    "category": (["rate", "VOTES", "--category", "multiturn", "-o", "HERE/c.png"], "must be one"),
    "its kind": (["rate", "VOTES", "--category", "multiturn", "--plot", "ranks"], "no picture of"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_culprit(arena, tmp_path, path, mistake):
    """Exit code 2, nothing on standard output, and no file."""
    words, message = MISTAKES[mistake]
    words = [word.replace("VOTES", str(path)).replace("HERE", str(tmp_path)) for word in words]

    result = arena(*words, "-q")

    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_waits_for_nothing_that_draws(tmp_path):
    """Who writes no picture does not import matplotlib."""
    votes_file = write(tmp_path / "votes.csv", LOG.to_dicts())
    code = (
        "import sys\n"
        "from arena.cli import main\n"
        "try:\n"
        f"    main(['rate', {str(votes_file)!r}, '-q', '-o', {str(tmp_path / 'b.csv')!r}])\n"
        "except SystemExit:\n"
        "    pass\n"
        "sys.stderr.write(str('matplotlib' in sys.modules))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == "False"
