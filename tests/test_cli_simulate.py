import json

import polars as pl
import pytest

from arena.errors import ColumnError, OptionError, ReadError
from arena.world_file import read_world

WORLD = """
ties = 0.3
start = 2024-05-01

[strengths]
amber = 1050
birch = 1000.5

[judges]
number = 40

[[corpora]]
name = "chats"
models = ["amber"]
uplift = 50
unrelated = 20
"""


@pytest.fixture
def world(tmp_path):
    """A world written down."""
    path = tmp_path / "world.toml"
    path.write_text(WORLD)
    return path


def test_a_world_file_says_what_a_world_is(world):
    """Tables, dates and lists become what `World` takes."""
    told = read_world(world)

    assert told.strengths == {"amber": 1050, "birch": 1000.5}
    assert (told.ties, told.start.isoformat(), told.judges.number) == (0.3, "2024-05-01", 40)
    assert (told.corpora[0].models, told.corpora[0].uplift) == (("amber",), 50)


def test_a_world_without_strengths_takes_those_given(tmp_path):
    """And without either there are no models."""
    path = tmp_path / "world.toml"
    path.write_text("ties = 0.1\n")

    assert read_world(path, {"x": 1.0, "y": 2.0}).models == ("x", "y")
    with pytest.raises(ColumnError, match=r"world.toml: no \[strengths\]"):
        read_world(path)


FAULTS = {
    "tiez = 0.1": (ColumnError, "no 'tiez'; there are strengths"),
    "ties = 2": (OptionError, "ties: 2 is not a share"),
    "ties = 'many'": (ColumnError, "a value is of the wrong kind"),
    "judges = 3": (ColumnError, r"\[judges\]: is no table of number"),
    "[judges]\nnumbers = 3": (ColumnError, r"\[judges\]: no 'numbers'; there are number"),
    "[corpora]\nname = 'x'": (ColumnError, r"write \[\[corpora\]\]"),
    "[[corpora]]\nname = 'x'\nmodels = ['z']": (OptionError, "no model 'z' in strengths"),
    "ties = ": (ReadError, "is no TOML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_world_file_is_named(tmp_path, fault):
    """With the file and the key."""
    kind, message = FAULTS[fault]
    path = tmp_path / "world.toml"
    path.write_text(f"{fault}\n")

    with pytest.raises(kind, match=rf"world.toml: .*{message}"):
        read_world(path, {"x": 1000.0, "y": 1010.0})


def test_the_command_writes_votes_corpora_and_truth(arena, world, tmp_path):
    """All from one seed; the votes are read as any others."""
    votes, truth = tmp_path / "synthetic.parquet", tmp_path / "truth.json"
    options = ["--world", world, "--votes", "400", "--truth", truth, "--corpora", tmp_path]

    made = arena("simulate", "-o", votes, *options)
    rated = arena("rate", votes, "-q", "--format", "json")

    assert (made.code, made.out) == (0, "")
    assert "400 synthetic votes, which nobody cast" in made.err
    assert pl.read_parquet(votes)["battle_id"].str.starts_with("synthetic").all()
    assert json.loads(truth.read_text())["world"]["ties"] == 0.3
    assert pl.read_parquet(tmp_path / "chats.parquet").height > 20
    rows = json.loads(rated.out)["leaderboard"]
    assert {row["model"] for row in rows} == {"amber", "birch"}


def test_the_same_seed_gives_the_same_votes(arena, world, tmp_path):
    """And another seed others."""
    frames = []
    for number, seed in enumerate((5, 5, 6)):
        path = tmp_path / f"synthetic-{number}.csv"
        options = ["--world", world, "--votes", "200", "--no-texts", "--seed", seed, "-q"]
        assert arena("simulate", "-o", path, *options).code == 0
        frames.append(pl.read_csv(path))

    assert frames[0].equals(frames[1])
    assert not frames[0].equals(frames[2])


def test_the_published_schema_is_read_as_such(arena, world, tmp_path):
    """--schema 100k is told by its columns, and gives the same board."""
    paths = [tmp_path / f"{schema}.parquet" for schema in ("arena", "100k")]
    boards = []
    for path in paths:
        arena("simulate", "-o", path, "--world", world, "--votes", "300", "--schema", path.stem)
        boards.append(arena("rate", path, "-q", "--format", "csv").out)

    assert boards[0] == boards[1]
    assert "100k format" in arena("rate", paths[1]).err


def test_without_a_world_the_shipped_board_is_the_world(arena, tmp_path):
    """Its best models, with the strengths they have there."""
    path = tmp_path / "synthetic.parquet"

    result = arena("simulate", "-o", path, "--votes", "300", "--top", "5", "--no-texts")

    assert result.code == 0, result.err
    models = pl.concat([pl.read_parquet(path)[side] for side in ("model_a", "model_b")])
    assert models.n_unique() == 5
    assert "chatgpt-4o-latest" in models


MISTAKES = {
    "suffix": (["-o", "x.txt"], "the suffix must be one of .csv, .parquet"),
    "no folder": (["-o", "x.parquet", "--corpora", "nowhere"], "there is no folder 'nowhere'"),
    "no texts": (["-o", "x.parquet", "--no-texts", "--schema", "100k"], "--no-texts: leaves"),
    "nested": (["-o", "x.csv", "--schema", "100k"], "the suffix must be one of .parquet"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_before_anything_is_drawn(arena, tmp_path, monkeypatch, mistake):
    """Exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    arguments, message = MISTAKES[mistake]

    result = arena("simulate", *arguments)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert list(tmp_path.iterdir()) == []
