import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from logs import EVIL, encode, round_robin, votes, write

from arena.formats import FORMATS

LEVEL = round_robin("x", "y", "z")
UNBEATEN = [*LEVEL, *votes("champ x model_a", "champ y model_a")]
ISLANDS = [*LEVEL, *votes("p q model_a", "p q model_b")]
FAULTY = [
    *LEVEL,
    {"model_a": "x", "model_b": "y", "winner": None},
    {"model_a": "x", "model_b": "x", "winner": "tie"},
]
ONE_MODEL = votes("x x tie")
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that do something to a terminal, but for the end of a line."""

needs_script = pytest.mark.skipif(
    shutil.which("arena", path=str(Path(sys.executable).parent)) is None,
    reason="the console script is not installed beside this Python",
)


def script(*arguments, **options):
    """The command line as a process of its own."""
    command = shutil.which("arena", path=str(Path(sys.executable).parent))
    return subprocess.run(
        [command, *map(str, arguments)], capture_output=True, check=False, timeout=60, **options
    )


def on_terminal(*arguments, **environment):
    """What the command writes when standard output and standard error are a terminal."""
    ours, theirs = pty.openpty()
    command = shutil.which("arena", path=str(Path(sys.executable).parent))
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    with subprocess.Popen(
        [command, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=settings
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # a terminal whose other end is closed says so in this way
                break
            if not data:
                break
            written += data
    os.close(ours)
    assert process.returncode == 0
    return written.decode()


# ── what it says about itself ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], [], ["rate", "--help"]])
def test_help_is_help(arena, arguments):
    """Help goes to standard output and is no mistake."""
    result = arena(*arguments)

    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: arena")


def test_the_version_is_that_of_the_package(arena):
    """The number is the one in the package's metadata."""
    from importlib.metadata import version

    result = arena("--version")

    assert (result.code, result.out) == (0, f"arena, version {version('arena-ratings')}\n")


def test_help_waits_for_nothing_heavy():
    """Asking for help imports neither polars nor numpy, nor anything that draws."""
    code = (
        "import sys\n"
        "from arena.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    heavy = {'polars', 'numpy', 'scipy', 'matplotlib', 'pyarrow', 'rich', 'msgspec'}\n"
        "    sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert "rate" in done.stdout


def test_all_formats_are_listed(arena):
    """Every format that is read is listed with its tell-tale columns."""
    result = arena("formats")

    assert (result.code, result.err) == (0, "")
    assert [each.name for each in FORMATS if f"\n{each.name} " not in result.out] == []
    assert "tie (bothbad)" in result.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(arena, shell):
    """The script that is printed asks arena for completions."""
    result = arena("completion", shell)

    assert result.code == 0
    assert f"_ARENA_COMPLETE={shell}_complete" in result.out


def test_completion_knows_the_commands(arena, monkeypatch):
    """What the shell asks for while one types is answered."""
    for name, value in {
        "_ARENA_COMPLETE": "bash_complete",
        "COMP_WORDS": "arena ra",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(name, value)

    result = arena()

    assert result.out.splitlines() == ["plain,rate"]


# ── arena rate ─────────────────────────────────────────────────────────────────────────────


def test_without_a_file_the_shipped_log_is_rated(arena):
    """The first thing one types works, and says what it is."""
    result = arena("rate", "--top", "3")

    assert result.code == 0
    assert "1,670,250 battles, 129 models" in result.out
    assert "chatgpt-4o-latest" in result.out
    assert "3 of 129 models shown." in result.out
    assert "shipped Chatbot Arena log" in result.err


def test_a_table_goes_to_standard_output_and_notes_to_standard_error(arena, tmp_path):
    """What became of the file's rows is a note; the board is the output."""
    path = write(tmp_path / "votes.csv", LEVEL)

    result = arena("rate", path)

    assert result.code == 0
    assert result.out.startswith("Bradley-Terry, 24 battles, 3 models")
    assert result.err == f"arena: {path}: plain format, 24 votes\n"


@pytest.mark.parametrize("form", ["csv", "json", "markdown", "table"])
def test_quiet_means_nothing_but_the_result(arena, tmp_path, form):
    """Under --quiet standard error is empty, and standard output is as it was."""
    path = write(tmp_path / "votes.csv", FAULTY)

    quiet = arena("rate", path, "--quiet", "--format", form)
    loud = arena("rate", path, "--format", form)

    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out == loud.out


@pytest.mark.parametrize(
    ("form", "name"), [("csv", "board.csv"), ("json", "board.json"), ("markdown", "board.md")]
)
def test_each_format_on_standard_output_is_what_a_file_holds(arena, tmp_path, form, name):
    """A pipe gets only data, and the same as a file."""
    votes_path = write(tmp_path / "votes.csv", UNBEATEN)

    result = arena("rate", votes_path, "--format", form, "-o", tmp_path / name)

    assert result.code == 0
    assert result.out == (tmp_path / name).read_text(encoding="utf-8")
    assert "x" in result.out


def test_json_on_standard_output_can_be_parsed(arena, tmp_path):
    """The output of a pipe is JSON from its first byte to its last."""
    path = write(tmp_path / "votes.csv", UNBEATEN)

    document = json.loads(arena("rate", path, "--format", "json").out)

    assert [row["model"] for row in document["leaderboard"]] == ["x", "y", "z", "champ"]
    assert document["manifest"]["inputs"][0]["name"] == str(path)


def test_several_outputs_are_written_at_once(arena, tmp_path):
    """-o may be repeated, and each suffix picks a form."""
    path = write(tmp_path / "votes.csv", LEVEL)
    names = ["b.csv", "b.json", "b.md", "b.parquet", "b.svg", "b.png"]
    options = [part for name in names for part in ("-o", tmp_path / name)]

    result = arena("rate", path, *options)

    assert result.code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(["votes.csv", *names])
    assert pl.read_csv(tmp_path / "b.csv").shape == pl.read_parquet(tmp_path / "b.parquet").shape


@pytest.mark.parametrize(("top", "shown"), [("1", 1), ("2", 2), ("0", 40), (None, 30)])
def test_a_table_shows_the_best_thirty_unless_told_otherwise(arena, tmp_path, top, shown):
    """--top cuts the table, and --top 0 shows all of it."""
    ring = [row for i in range(39) for row in round_robin(f"m{i:02}", f"m{i + 1:02}")]
    path = write(tmp_path / "votes.csv", ring)

    result = arena("rate", path, *(["--top", top] if top else []))

    assert len(re.findall(r"^ +\d+ .*\bm\d\d ", result.out, flags=re.MULTILINE)) == shown
    assert ("of 40 models shown" in result.out) == (shown < 40)


def test_top_cuts_what_is_written_too(arena, tmp_path):
    """The best two are two rows on standard output and in the file."""
    path = write(tmp_path / "votes.csv", UNBEATEN)
    board = tmp_path / "board.csv"

    result = arena("rate", path, "--top", "2", "--format", "csv", "-o", board)

    assert len(result.out.splitlines()) == 3
    assert board.read_text() == result.out


def test_every_option_reaches_the_board(arena, tmp_path):
    """What is asked for on the command line stands in the manifest."""
    rows = [{"left": r["model_a"], "right": r["model_b"], "pick": r["winner"]} for r in UNBEATEN]
    path = write(tmp_path / "votes.csv", [*rows, {"left": "x", "right": "y", "pick": "equal"}])

    result = arena(
        *("rate", path, "--columns", "model_a=left,model_b=right", "--columns", "winner=pick"),
        *("--outcomes", "equal=tie", "--ties", "davidson", "--on-separation", "prior"),
        *("--prior", "2", "--ci", "fisher", "--level", "0.9", "--interval-of", "anchor"),
        *("--seed", "7", "--anchor", "x=1200", "--scale", "200", "--base", "2.5"),
        *("--init", "500", "--strict", "--format", "json", "-q"),
    )

    assert (result.code, result.err) == (0, "")
    manifest = json.loads(result.out)["manifest"]
    assert manifest["reading"]["columns"] == {
        "model_a": "left",
        "model_b": "right",
        "winner": "pick",
    }
    assert manifest["reading"]["outcomes"] == {"equal": "tie"}
    assert manifest["reading"]["strict"] is True
    assert (manifest["fit"]["ties"], manifest["fit"]["prior"]) == ("davidson", 2.0)
    assert {"fisher", 0.9, "anchor", 7} <= set(manifest["interval"].values())
    assert manifest["scale"] == {"points": 200, "base": 2.5, "init": 500, "anchor": {"x": 1200}}


@pytest.mark.parametrize("ci", ["sandwich", "fisher", "none"])
def test_intervals_can_be_chosen(arena, tmp_path, ci):
    """The kind of interval asked for stands over the table."""
    path = write(tmp_path / "votes.csv", LEVEL)

    result = arena("rate", path, "--ci", ci)

    assert result.code == 0
    assert (f"{ci} intervals" in result.out) == (ci != "none")


def test_an_anchor_may_have_an_equals_sign_in_its_name(arena, tmp_path):
    """The rating stands behind the last equals sign."""
    path = write(tmp_path / "votes.csv", round_robin("a=b", "y"))

    result = arena("rate", path, "--anchor", "a=b=1100")

    assert result.code == 0
    assert "a=b = 1100" in result.out


def test_rejected_rows_are_written_where_asked(arena, tmp_path):
    """Rows that are no votes go to a file with their number and reason."""
    path = write(tmp_path / "votes.csv", FAULTY)
    rejected = tmp_path / "rejected.csv"

    result = arena("rate", path, "--rejected", rejected)

    assert result.code == 0
    assert pl.read_csv(rejected).select("row", "reason").rows() == [
        (25, "no winner"),
        (26, "a model against itself"),
    ]


# ── votes that are not all there is to rate ────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rows", "said_out", "said_err"),
    [
        (UNBEATEN, ["champ: never lost (2 battles)"], ["26 votes"]),
        (ISLANDS, ["p: never met the rated models", "q: never met"], ["26 votes"]),
        (FAULTY, [], ["24 of 26 votes", "no winner: 1", "a model against itself: 1"]),
    ],
    ids=["unbeaten", "islands", "faulty"],
)
def test_who_is_left_out_is_said_with_the_reason(arena, tmp_path, rows, said_out, said_err):
    """Rating goes on without what cannot be rated, and not in silence."""
    path = write(tmp_path / "votes.csv", rows)

    result = arena("rate", path)

    assert result.code == 0
    assert "24 battles, 3 models" in result.out
    assert [part for part in said_out if part not in result.out] == []
    assert [part for part in said_err if part not in result.err] == []


@pytest.mark.parametrize("form", ["csv", "markdown", "json"])
def test_who_is_left_out_is_said_in_every_format(arena, tmp_path, form):
    """A pipe hears of models that were left out, too."""
    path = write(tmp_path / "votes.csv", UNBEATEN)

    result = arena("rate", path, "--format", form, "--quiet")

    assert re.search(r"champ.*never lost", result.out.replace("\n", " "))


# ── mistakes ───────────────────────────────────────────────────────────────────────────────


def a_file(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def a_log(name, rows):
    return lambda folder: write(folder / name, rows)


MISTAKES = {
    "undefeated": (a_log("v.csv", UNBEATEN), ["--on-separation", "error"], "champ"),
    "islands": (a_log("v.csv", ISLANDS), ["--on-separation", "error"], "'p', 'q'"),
    "one model": (a_log("v.csv", ONE_MODEL), [], "v.csv"),
    "empty": (a_file("v.csv", b""), [], "v.csv: is empty"),
    "only a header": (a_file("v.csv", b"model_a,model_b,winner\n"), [], "v.csv"),
    "no winner": (a_file("v.csv", b"model_a,model_b\nx,y\n"), [], "no column 'winner'"),
    "misspelt": (a_log("v.csv", [*LEVEL, *votes("x y modelA")]), [], "'modelA' (1 vote)"),
    "null, strict": (a_log("v.csv", FAULTY), ["--strict"], "no winner: 1"),
    "truncated parquet": (a_file("v.csv", encode(LEVEL, "parquet")[:-30]), [], "v.csv"),
    "truncated arrow": (a_file("v.csv", encode(LEVEL, "arrow")[:-30]), [], "v.csv"),
    "truncated json": (a_file("v.csv", encode(LEVEL, "json")[:-30]), [], "truncated"),
    "truncated jsonl": (a_file("v.csv", encode(LEVEL, "jsonl")[:-30]), [], "v.csv"),
    "malformed json": (a_file("v.csv", b'[{"model_a": }]'), [], "v.csv"),
    "directory": (lambda folder: (folder / "v.csv").mkdir(), [], "v.csv: is a directory"),
    "missing": (lambda _: None, [], "v.csv: no such file"),
    "not utf-8": (
        a_file("v.csv", b"model_a,model_b,winner\nx,y,tie\nx,caf\xe9,tie\n"),
        [],
        "line 3 is not UTF-8",
    ),
    "ragged": (a_file("v.csv", b"model_a,model_b,winner\nx,y,tie,1,2\n"), [], "v.csv"),
    "binary": (a_file("v.csv", bytes(range(256)) * 9), [], "v.csv"),
    "unknown anchor": (a_log("v.csv", round_robin("gpt", "y")), ["--anchor", "gtp=1"], "mean gpt?"),
    "anchor left out": (a_log("v.csv", UNBEATEN), ["--anchor", "champ=1"], "never lost"),
    "anchor without =": (a_log("v.csv", LEVEL), ["--anchor", "x"], "--anchor: 'x'"),
    "anchor no number": (a_log("v.csv", LEVEL), ["--anchor", "x=high"], "--anchor: 'x=high'"),
    "level": (a_log("v.csv", LEVEL), ["--level", "2"], "level: 2"),
    "scale": (a_log("v.csv", LEVEL), ["--scale", "0"], "scale: 0"),
    "base": (a_log("v.csv", LEVEL), ["--base", "1"], "base: 1"),
    "prior": (a_log("v.csv", LEVEL), ["--on-separation", "prior", "--prior", "-1"], "prior: -1"),
    "interval of": (a_log("v.csv", LEVEL), ["--interval-of", "anchor"], "needs an anchor"),
    "unknown option": (a_log("v.csv", LEVEL), ["--colums", "a=b"], "'--colums'"),
    "unknown choice": (a_log("v.csv", LEVEL), ["--ties", "quarter"], "'quarter'"),
    "unknown ci": (a_log("v.csv", LEVEL), ["--ci", "guess"], "guess"),
    "no number": (a_log("v.csv", LEVEL), ["--top", "many"], "'many'"),
    "unknown column": (a_log("v.csv", LEVEL), ["--columns", "judge=who"], "no column 'who'"),
    "unknown field": (a_log("v.csv", LEVEL), ["--columns", "best=winner"], "'best'"),
    "columns without =": (a_log("v.csv", LEVEL), ["--columns", "winner"], "--columns: 'winner'"),
    "unknown outcome": (a_log("v.csv", LEVEL), ["--outcomes", "tie=draw"], "'draw'"),
    "output suffix": (a_log("v.csv", LEVEL), ["-o", "board.doc"], "board.doc"),
    "output folder": (a_log("v.csv", LEVEL), ["-o", "nowhere/b.csv"], "no folder 'nowhere'"),
    "rejected suffix": (a_log("v.csv", LEVEL), ["--rejected", "r.md"], "r.md"),
}

TO_FIX = {
    "negative seed": (a_log("v.csv", LEVEL), ["--seed", "-1"], "seed"),
    "damaged gzip": (
        a_file("v.csv", gzip.compress(encode(LEVEL * 5_000, "csv"))[:-30]),
        [],
        "v.csv",
    ),
}


@pytest.mark.parametrize(
    ("prepare", "options", "culprit"),
    [
        *(pytest.param(*mistake, id=name) for name, mistake in MISTAKES.items()),
        *(
            pytest.param(
                *mistake,
                id=name,
            )
            for name, mistake in TO_FIX.items()
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_culprit(arena, tmp_path, prepare, options, culprit):
    """Exit code 2, one line on standard error, nothing on standard output, no traceback."""
    prepare(tmp_path)

    result = arena("rate", tmp_path / "v.csv", *options)

    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("arena: ")
    assert culprit in result.err
    assert not RAW.search(result.err)


def test_a_pattern_that_matches_nothing_is_named(arena, tmp_path):
    """A glob that finds no file is quoted back."""
    result = arena("rate", tmp_path / "*.csv")

    assert (result.code, result.out) == (2, "")
    assert result.err == f"arena: {tmp_path}/*.csv: no file matches this pattern\n"


def test_an_empty_path_is_not_called_a_directory(arena):
    """An empty shell variable gives an empty path, and one would like to know."""
    result = arena("rate", "")

    assert result.code == 2
    assert "/*.parquet" not in result.err


def test_an_unknown_command_is_named(arena):
    """A command that does not exist is quoted back."""
    result = arena("rank")

    assert (result.code, result.out) == (2, "")
    assert "'rank'" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("option", ["-o", "--rejected"])
def test_an_output_that_cannot_be_written_is_found_out_before_reading(arena, tmp_path, option):
    """Nobody waits for an hour to learn of a misspelt suffix."""
    result = arena("rate", tmp_path / "missing.csv", option, tmp_path / "board.doc")

    assert result.code == 2
    assert "board.doc" in result.err
    assert "missing.csv" not in result.err


def test_a_board_that_fails_leaves_the_old_file(arena, tmp_path):
    """A mistake in the votes does not cost the last good board."""
    board = tmp_path / "board.csv"
    board.write_text("old")

    result = arena("rate", write(tmp_path / "v.csv", ONE_MODEL), "-o", board)

    assert result.code == 2
    assert board.read_text() == "old"


# ── names that are attacks ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "make",
    [
        lambda name: (round_robin(name, "y"), []),
        lambda name: ([*LEVEL, {"model_a": name, "model_b": "x", "winner": "model_a"}], []),
        lambda name: (
            [*LEVEL, {"model_a": name, "model_b": "x", "winner": "model_a"}],
            ["--on-separation", "error"],
        ),
        lambda name: ([*LEVEL, {"model_a": "x", "model_b": "y", "winner": name}], []),
        lambda name: (LEVEL, ["--anchor", f"{name}=1"]),
        lambda name: (round_robin(name, "y"), ["--anchor", f"{name}=1"]),
        lambda name: (round_robin(name, "y"), ["--anchor", f"{name}y=1"]),
        lambda name: (LEVEL, ["--columns", f"winner={name}"]),
        lambda name: (LEVEL, ["--outcomes", f"x={name}"]),
        lambda name: (LEVEL, ["--ties", name]),
        lambda name: (LEVEL, [f"--{name}"]),
        lambda name: (LEVEL, ["-o", f"{name}.doc"]),
        lambda name: ([{"model_a": "x", name: "y", "winner": "tie"}], []),
    ],
    ids=[
        *("rated", "left out", "refused", "label", "unknown anchor", "anchor", "close to anchor"),
        *("column", "outcome", "choice", "option", "output", "header"),
    ],
)
@pytest.mark.parametrize("form", ["table", "markdown"])
def test_no_escape_from_a_log_reaches_the_terminal(arena, tmp_path, make, form):
    """Wherever a name is shown, on either stream, it has lost what a terminal would obey."""
    rows, options = make(EVIL)
    path = write(tmp_path / "votes.csv", rows)

    result = arena("rate", path, "--format", form, *options)

    assert result.code in (0, 2)
    assert not RAW.search(result.out + result.err)


def test_a_file_with_escapes_in_its_name_does_no_harm(arena, tmp_path):
    """File names come from elsewhere, too."""
    path = write(tmp_path / "ev\x1b[31mil\u202e.csv", LEVEL)

    read, missing = arena("rate", path), arena("rate", f"{path}x")

    assert (read.code, missing.code) == (0, 2)
    assert not RAW.search(read.out + read.err + missing.out + missing.err)


# ── as a process ───────────────────────────────────────────────────────────────────────────


@needs_script
def test_the_command_as_a_process_ends_with_its_exit_code(tmp_path):
    """0 for a board, 2 for a mistake, and each stream gets its own."""
    path = write(tmp_path / "votes.csv", LEVEL)

    good = script("rate", path, "--format", "csv")
    bad = script("rate", path, "--level", "2")

    assert (good.returncode, bad.returncode) == (0, 2)
    assert good.stdout.startswith(b"rank,model,")
    assert (bad.stdout, bad.stderr.count(b"\n")) == (b"", 1)


@needs_script
def test_a_pipe_gets_no_escapes(tmp_path):
    """Where the output is no terminal it is plain text, even if colour is on for terminals."""
    path = write(tmp_path / "votes.csv", LEVEL)

    piped = script("rate", path, env={**os.environ, "TERM": "xterm-256color"})

    assert b"\x1b" not in piped.stdout + piped.stderr
    assert "●".encode() in piped.stdout


@needs_script
def test_an_encoding_without_line_drawing_is_no_reason_to_fail(tmp_path):
    """In a latin-1 world names and drawings are replaced, not fatal."""
    path = write(tmp_path / "votes.csv", round_robin("模型", "y"))

    done = script("rate", path, env={**os.environ, "PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert done.stdout.isascii()
    assert b"--o--" in done.stdout


@needs_script
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path):
    """`arena rate | head -1` ends in peace."""
    path = write(tmp_path / "votes.csv", LEVEL)
    command = shutil.which("arena", path=str(Path(sys.executable).parent))

    with subprocess.Popen(
        [command, "rate", str(path), "--format", "json", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()

    assert (process.returncode, complaint) == (0, b"")


@needs_script
def test_no_color_means_no_colour(tmp_path):
    """On a terminal NO_COLOR leaves no escape that sets one."""
    path = write(tmp_path / "votes.csv", LEVEL)

    written = on_terminal("rate", path, NO_COLOR="1")

    assert "24 battles, 3 models" in written
    assert not re.search(r"\x1b\[(?:\d+;)*(?:[349]\d|10\d)(?:;\d+)*m", written)


@needs_script
def test_a_hostile_name_does_nothing_to_a_real_terminal(tmp_path):
    """On a terminal only the table's own escapes are written."""
    path = write(tmp_path / "votes.csv", round_robin(EVIL, "y"))

    written = on_terminal("rate", path)

    # Colours; and what a progress bar writes, which is there if the machine is slow.
    own = re.sub(r"\x1b\[(?:[\d;]*m|2K|\?25[lh]|1A)|\r", "", written)
    assert "[31mil]0;owned" in own
    assert not RAW.search(own)


@needs_script
@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_hostile_name_does_nothing_to_a_real_terminal_as_data_either(tmp_path, form):
    """Data that is shown on a terminal instead of piped must not touch it."""
    path = write(tmp_path / "votes.csv", round_robin(EVIL, "y"))

    written = on_terminal("rate", path, "--format", form)

    assert not RAW.search(written.replace("\r\n", "\n"))


@needs_script
def test_a_pipe_gets_the_names_that_a_file_gets(tmp_path):
    """A name in data is the name in the log, also when it is piped."""
    path = write(tmp_path / "votes.csv", round_robin(EVIL, "y"))
    board = tmp_path / "board.csv"

    piped = script("rate", path, "--format", "csv", "-o", board)

    assert piped.stdout == board.read_bytes()


def test_spreadsheets_get_no_formula(arena, tmp_path):
    """On request, a name that a spreadsheet would run is text in it; plain CSV keeps the name."""
    rows = [*LEVEL, *votes("=cmd() x model_a", "=cmd() x model_b", "=cmd() y tie")]
    path = write(tmp_path / "votes.csv", rows)

    asked, plain = (
        arena("rate", path, "--format", form, "-q").out for form in ("spreadsheet", "csv")
    )

    assert ",'=cmd()," in asked
    assert ",=cmd()," in plain
