"""Data goes to standard output, words to standard error, and a terminal obeys nothing."""

import io
import os
import sys

import pytest
from logs import EVIL
from rich.table import Table
from rich.text import Text

from arena.display import plain
from arena.terminal import (
    PIPE_WIDTH,
    console,
    emit,
    note,
    progress_bar,
    show,
    speaks_unicode,
)


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self):
        return True


class Closed(io.StringIO):
    """A pipe whose reader has gone; it has a descriptor of its own."""

    def __init__(self, descriptor):
        super().__init__()
        self.descriptor = descriptor

    def write(self, _):
        raise BrokenPipeError

    def fileno(self):
        return self.descriptor


@pytest.fixture
def on_screen(monkeypatch):
    """Make standard output a terminal, and give it back; to be called within the test."""

    def put(encoding="utf-8"):
        stream = Screen()
        stream.encoding = encoding
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        return stream

    return put


def one_cell(text):
    """A table of one cell."""
    table = Table("head")
    table.add_row(Text(text))
    return table


# ── emit ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "a", "a\n", f"{EVIL}\n", "a\r\nb\tc\x00\x0b\u2028d\n\n"])
def test_a_pipe_gets_every_character(capsys, text):
    """Data is passed on as it is, line ends and escapes included."""
    emit(text)

    assert capsys.readouterr() == (text, "")


def test_a_pipe_gets_every_byte(capfdbinary):
    """In UTF-8, as files are written."""
    sys.stdout.reconfigure(encoding="utf-8")

    emit(f"模型 {EVIL}\n")

    assert capfdbinary.readouterr().out == f"模型 {EVIL}\n".encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("a\nb\n", "a\nb\n"),
        ("a", "a\n"),
        (f"{EVIL},1\n", plain(EVIL) + ",1\n"),
        ("a\tb\x00\x9b1m\u202e\n", "ab1m\n"),
    ],
)
def test_a_terminal_is_shown_no_control_characters(on_screen, text, shown):
    """Lines stay lines, and nothing else is obeyed."""
    screen = on_screen()

    emit(text)

    assert screen.getvalue() == shown


# ── show ───────────────────────────────────────────────────────────────────────────────────


def test_a_table_in_a_pipe_is_plain_and_wide(capsys, monkeypatch):
    """Without colours, and as wide as anybody's table needs."""
    monkeypatch.delenv("COLUMNS", raising=False)

    show(one_cell("x" * (PIPE_WIDTH - 4)))

    out, err = capsys.readouterr()
    assert "x" * (PIPE_WIDTH - 4) in out
    assert "\x1b" not in out
    assert err == ""


def test_a_table_in_a_pipe_is_as_wide_as_asked(capsys, monkeypatch):
    """COLUMNS is respected where somebody sets it."""
    monkeypatch.setenv("COLUMNS", "30")

    show(one_cell("x" * 100))

    assert max(map(len, capsys.readouterr().out.splitlines())) == 30


def test_a_table_on_a_terminal_may_have_a_bold_head(on_screen, monkeypatch):
    """Rich draws it as it draws any table."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = on_screen()

    show(one_cell("x"))

    assert "\x1b[1m" in screen.getvalue()


def test_no_color_is_respected(on_screen, monkeypatch):
    """Then a terminal gets no colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    screen = on_screen()

    show(Text("red", style="red"))

    assert screen.getvalue().strip() == "red"


def test_a_table_holds_text_and_not_markup(capsys):
    """Square brackets and colons mean themselves."""
    show(one_cell("[bold]x[/bold] :smile:"))

    assert "[bold]x[/bold] :smile:" in capsys.readouterr().out


# ── note ───────────────────────────────────────────────────────────────────────────────────


def test_a_note_goes_to_standard_error(capsys):
    """It says who speaks, and a pipe does not get it."""
    note("read 3 votes")

    assert capsys.readouterr() == ("", "arena: read 3 votes\n")


def test_a_note_is_one_harmless_line(capsys):
    """Even of a hostile name with a line feed in it."""
    note(f"{EVIL}\nsecond")

    assert capsys.readouterr().err == f"arena: {plain(EVIL)}second\n"


# ── the reader leaves ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("write", [lambda: emit("data\n"), lambda: show(one_cell("x"))])
def test_a_reader_who_has_seen_enough_ends_the_program_in_peace(monkeypatch, tmp_path, write):
    """The exit code is 0, and what is left in the buffer goes nowhere."""
    descriptor = os.open(tmp_path / "pipe", os.O_WRONLY | os.O_CREAT)
    monkeypatch.setattr(sys, "stdout", Closed(descriptor))

    with pytest.raises(SystemExit) as left:
        write()

    os.write(descriptor, b"what Python flushes at its end")
    os.close(descriptor)
    assert left.value.code == 0
    assert (tmp_path / "pipe").read_bytes() == b""


# ── what the stream is ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("encoding", "speaks"),
    [("utf-8", True), ("UTF-8", True), ("utf-16", True), ("ascii", False), (None, False)],
)
def test_an_encoding_says_whether_lines_can_be_drawn(on_screen, encoding, speaks):
    """Only Unicode encodings have line drawing."""
    on_screen(encoding)

    assert speaks_unicode() is speaks


def test_a_console_is_as_wide_as_its_stream(on_screen, monkeypatch):
    """A pipe has a width of its own, a terminal that of the window."""
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((77, 20)))
    screen = on_screen()

    assert console(io.StringIO()).width == PIPE_WIDTH
    assert console(screen).width == 77


@pytest.mark.parametrize("quiet", [True, False])
def test_a_pipe_gets_no_progress(capsys, quiet):
    """Nobody reads a bar in a log file."""
    with progress_bar(quiet) as progress:
        assert progress is None

    assert capsys.readouterr() == ("", "")


def test_quick_work_shows_no_progress(monkeypatch):
    """A bar that would vanish at once is not begun, even on a terminal."""
    stream = Screen()
    monkeypatch.setattr(sys, "stderr", stream)

    with progress_bar(quiet=False) as progress:
        progress("votes.json", 10, 100)

    assert "votes" not in stream.getvalue()


def test_long_work_shows_how_far_it_is(monkeypatch):
    """The bar names the file, without its escapes, and is gone when the work is done."""
    stream = Screen()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("arena.terminal.threading.Timer", AtOnce)

    with progress_bar(quiet=False) as progress:
        progress(f"{EVIL}.json", 10, 100)

    assert f"reading {plain(EVIL)}"[:12] in stream.getvalue()
    assert "\x1b]0;" not in stream.getvalue()


class AtOnce:
    """A timer that does not wait."""

    def __init__(self, _, function):
        self.start = function

    def cancel(self):
        """There is nothing to call off."""

    def join(self):
        """Nor to wait for."""
