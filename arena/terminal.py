"""What reaches the user's terminal or pipe: results, notes, progress.

Results go to standard output, all else to standard error, so that a pipe gets only data. A
terminal is shown no control characters, whatever a vote log holds; a pipe gets what is there.
"""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from arena.display import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from arena.json_arrays import Progress

PIPE_WIDTH = 160
PROGRESS_AFTER = 1.0


def speaks_unicode() -> bool:
    """Whether standard output can show more than ASCII."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def console(stream: TextIO, file: Any = None) -> "Console":
    """A console as wide as the stream, which may print into another file."""
    from rich.console import Console

    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    shape = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    if file is None:
        return shape
    color = shape.color_system if stream.isatty() else None
    return Console(
        file=file,
        width=shape.width,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=color,  # type: ignore[arg-type]
        force_terminal=stream.isatty(),
    )


def show(table: "RenderableType") -> None:
    """Print a table."""
    text = io.StringIO()
    console(sys.stdout, text).print(table)
    _write(text.getvalue())


def emit(text: str) -> None:
    """Print data: as it is into a pipe, without control characters on a terminal."""
    if sys.stdout.isatty():
        text = "".join(plain(line) + "\n" for line in text.splitlines())
    _write(text)


def note(text: str) -> None:
    """Say something beside the result."""
    sys.stderr.write(f"arena: {plain(text)}\n")


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Python would complain again while closing the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def progress_bar(quiet: bool, doing: str = "reading") -> Iterator["Progress | None"]:
    """A progress bar on a terminal, once the work has taken a second."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress as Bar

    bar = Bar(console=console(sys.stderr), transient=True)
    task = bar.add_task("counting votes", total=None)
    timer = threading.Timer(PROGRESS_AFTER, bar.start)
    timer.start()

    def advance(name: str, done: int, total: int) -> None:
        bar.update(task, description=f"{doing} {plain(name)}", completed=done, total=total)

    try:
        yield advance
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
