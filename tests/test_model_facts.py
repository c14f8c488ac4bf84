"""Files of facts on models: what is shipped, what is read, and what is refused in one line."""

import datetime as dt

import polars as pl
import pytest

from arena.corpora import USER_ROLES, Corpus, parse_roles
from arena.datasets import shipped
from arena.errors import ColumnError, OptionError, ReadError, UserError
from arena.model_facts import ABOUT, corpora_of, read_facts

TEXT = """
[corpora.chats]
title = "Chats of 2023"
source = "https://example.org/chats"
files = ["chats/*.parquet", "one.txt"]
column = "conversation"
roles = ["human"]

[corpora.books]
source = "a shelf"

[models.amber]
organisation = "Amber Labs"
licence = "Apache-2.0"
released = 2024-06-27
source = "https://example.org/amber"

[[models.amber.trained_on]]
corpus = "chats"
part = "prompts"
source = "https://example.org/amber-report, section 4"

[[models.amber.trained_on]]
corpus = "books"
source = "hearsay"

[models.zinc]

[models."a b.c"]
organisation = "Somebody"

[[models."a b.c".trained_on]]
corpus = "chats"
source = "their page"
"""


@pytest.fixture
def facts_file(tmp_path):
    """A function that writes a models file and gives its path."""

    def write(text=TEXT):
        path = tmp_path / "facts.toml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    """A folder with the corpora that the file names."""
    (tmp_path / "chats").mkdir()
    for name in ("b", "a"):
        turns = [[{"role": "human", "content": name}]]
        pl.DataFrame({"conversation": turns}).write_parquet(tmp_path / f"chats/{name}.parquet")
    (tmp_path / "one.txt").write_text("one\n")
    return tmp_path


# ── what is shipped ────────────────────────────────────────────────────────────────────────


def test_every_shipped_fact_has_a_source():
    """Models, corpora, and that one was trained on the other."""
    facts = read_facts(shipped("models.toml"))

    assert facts.models
    assert facts.corpora
    assert all(one.source for one in (*facts.models.values(), *facts.corpora.values()))
    assert all(one.source for model in facts.models.values() for one in model.trained_on)
    assert all(one.organisation and one.licence and one.released for one in facts.models.values())


def test_shipped_names_are_those_of_the_shipped_log():
    """A name that no board has would tell nobody anything."""
    log = pl.read_parquet(shipped())

    assert set(read_facts(shipped("models.toml")).models) <= {*log["model_a"], *log["model_b"]}


def test_gemma_is_said_to_be_trained_on_the_chats_that_it_says():
    """All shipped facts on training are of one corpus, which is not shipped."""
    facts = read_facts(shipped("models.toml"))

    assert facts.trained_on("lmsys-chat-1m") == (
        "gemma-2-27b-it",
        "gemma-2-2b-it",
        "gemma-2-9b-it",
    )
    with pytest.raises(OptionError, match=r"models\.toml: no corpus in it names files"):
        corpora_of(shipped("models.toml"))


# ── what is read ───────────────────────────────────────────────────────────────────────────


def test_the_frame_has_a_row_per_model(facts_file):
    """In the file's order; what is not said is null, and a corpus goes by its title if it can."""
    frame = read_facts(facts_file()).frame()

    assert frame.schema == pl.Schema(ABOUT)
    assert frame.rows() == [
        (
            *("amber", "Amber Labs", "Apache-2.0", dt.date(2024, 6, 27)),
            "Chats of 2023 (prompts), books",
        ),
        ("zinc", None, None, None, None),
        ("a b.c", "Somebody", None, None, "Chats of 2023"),
    ]


def test_models_of_a_corpus_are_sorted(facts_file):
    """By name; of a corpus that nobody names there are none."""
    facts = read_facts(facts_file())

    assert facts.trained_on("chats") == ("a b.c", "amber")
    assert facts.trained_on("books") == ("amber",)
    assert facts.trained_on("Chats of 2023") == ()


def test_an_empty_file_says_nothing(facts_file):
    """And still has the columns of a board."""
    facts = read_facts(facts_file(""))

    assert (facts.models, facts.corpora) == ({}, {})
    assert facts.frame().schema == pl.Schema(ABOUT)


def test_corpora_are_found_beside_the_file(facts_file, folder, monkeypatch):
    """Patterns are seen from the file, wherever one stands; a corpus without files is left out."""
    monkeypatch.chdir("/")
    found = corpora_of(facts_file())

    files = ("chats/a.parquet", "chats/b.parquet", "one.txt")
    paths = tuple(str(folder / file) for file in files)
    assert found == [(Corpus("chats", paths, "conversation", ("human",)), ("a b.c", "amber"))]


def test_whole_paths_and_addresses_stay_as_they_are(facts_file, folder):
    """Only what is seen from the file is looked for beside it; roles are those of users."""
    address = "s3://bucket/*.parquet"
    text = f'[corpora.c]\nfiles = ["{folder}/one.txt", "{address}"]\n'

    ((corpus, models),) = corpora_of(facts_file(text))

    assert corpus.files == (str(folder / "one.txt"), address)
    assert (corpus.column, corpus.roles, models) == (None, USER_ROLES, ())


def test_a_folder_may_be_called_anything(tmp_path):
    """Brackets in the name of the folder that the file is in are no pattern."""
    folder = tmp_path / "runs [2024]"
    folder.mkdir()
    (folder / "one.txt").write_text("one\n")
    (folder / "facts.toml").write_text('[corpora.c]\nfiles = ["*.txt"]\n')

    ((corpus, _),) = corpora_of(folder / "facts.toml")

    assert corpus.files == (str(folder / "one.txt"),)


# ── what is refused ────────────────────────────────────────────────────────────────────────

WRONG = {
    "unknown key of a model": ("[models.amber]\ncolour = 1", "colour"),
    "unknown key of a corpus": ("[corpora.chats]\npath = 'x'", "path"),
    "unknown table": ("[people.ann]\nage = 3", "people"),
    "unknown key of a training": (
        "[corpora.c]\n[[models.a.trained_on]]\ncorpus = 'c'\nsource = 's'\nshare = 1",
        "share",
    ),
    "training without a source": (
        "[corpora.c]\n[[models.a.trained_on]]\ncorpus = 'c'",
        "source",
    ),
    "training without a corpus": ("[[models.a.trained_on]]\nsource = 's'", "corpus"),
    "number for a name": ("[models.amber]\norganisation = 3", "organisation"),
    "text for a date": ("[models.amber]\nreleased = 'May 2024'", "released"),
    "number for a date": ("[models.amber]\nreleased = 2024", "released"),
    "text for files": ("[corpora.c]\nfiles = 'one.txt'", "files"),
    "text for a model": ("models = 'amber'", "models"),
    "unknown corpus": (
        "[corpora.c]\n[[models.amber.trained_on]]\ncorpus = 'd'\nsource = 's'",
        "model 'amber' is trained on 'd'; corpora are 'c'",
    ),
    "no corpora at all": (
        "[[models.amber.trained_on]]\ncorpus = 'd'\nsource = 's'",
        "model 'amber' is trained on 'd'; corpora are none",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_one_line_with_file_and_key(facts_file, case):
    """Whether it does not belong there, is of the wrong kind, or names what there is not."""
    text, key = WRONG[case]

    with pytest.raises(ColumnError) as told:
        read_facts(facts_file(text))

    message = str(told.value)
    assert "facts.toml: " in message
    assert key in message
    assert "\n" not in message


def test_a_wrong_value_is_traced_to_its_model(facts_file):
    """By name: a file may have hundreds."""
    with pytest.raises(ColumnError, match="zinc"):
        read_facts(facts_file("[models.amber]\n[models.zinc]\norganisation = 3"))


def test_a_role_means_what_it_means_on_the_command_line(facts_file, folder):
    """There user stands for its other spellings as well."""
    text = "[corpora.c]\nfiles = ['one.txt']\nroles = ['user']\n"

    ((corpus, _),) = corpora_of(facts_file(text))

    assert corpus.roles == parse_roles("user")


@pytest.mark.parametrize("text", ["models = ", "a = 1\na = 2", "[models.amber\n", "\x00"])
def test_a_file_that_is_no_toml_is_refused(facts_file, text):
    """With the place where it stops being one."""
    with pytest.raises(ReadError, match=r"facts\.toml: is no TOML \(.*\)$"):
        read_facts(facts_file(text))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing, a folder, or binary."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00PAR1")

    for path in (tmp_path / "none.toml", tmp_path, binary):
        with pytest.raises(ReadError, match=rf"{path}: cannot be read \(.*\)$"):
            read_facts(path)


@pytest.mark.parametrize("pattern", ["none/*.parquet", "none.txt"])
def test_files_that_are_not_there_are_named(facts_file, pattern):
    """As they are looked for."""
    with pytest.raises(UserError, match=r"none.*: no (such )?file"):
        corpora_of(facts_file(f"[corpora.c]\nfiles = ['{pattern}']"))
