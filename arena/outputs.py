"""Writing results to files: the suffix picks the form, and no file is ever half written."""

import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import polars as pl

from arena.errors import OptionError
from arena.leaderboard import Leaderboard
from arena.report import render_csv, render_json, render_markdown, shown_rows
from arena.tables import Sheet, frame_json, frame_markdown

Writer = Callable[[Leaderboard, Path, int | None], None]


def _text(render: Callable[[Leaderboard, int | None], str]) -> Writer:
    def write(board: Leaderboard, path: Path, top: int | None) -> None:
        path.write_text(render(board, top), encoding="utf-8")

    return write


def _parquet(board: Leaderboard, path: Path, top: int | None) -> None:
    manifest = {"arena_manifest": json.dumps(dict(board.manifest))}
    shown_rows(board, top).write_parquet(path, metadata=manifest)


def _picture(board: Leaderboard, path: Path, top: int | None) -> None:
    from arena.plots import plot_ratings

    figure = plot_ratings(board, 40 if top is None else top)
    with warnings.catch_warnings():
        # A script that no installed font has is drawn as boxes; SVG keeps the text itself.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(path, dpi=200, format=path.suffix[1:].lower())


WRITERS: dict[str, Writer] = {
    ".csv": _text(render_csv),
    ".json": _text(render_json),
    ".md": _text(render_markdown),
    ".parquet": _parquet,
    ".png": _picture,
    ".svg": _picture,
    ".pdf": _picture,
}


TABLES = (".csv", ".parquet")
"""Suffixes of plain tables."""
FRAMES = (*TABLES, ".json", ".md")
"""Suffixes of tables that are a result of their own."""


def check_output(path: str | Path, suffixes: object = tuple(WRITERS)) -> Path:
    """A path that can be written to, found out before the work is done.

    Raises:
        OptionError: for an unknown suffix, a folder that does not exist, or a directory.
    """
    target = Path(path)
    known = list(suffixes)  # type: ignore[call-overload]
    if target.suffix.lower() not in known:
        raise OptionError(f"{path}: the suffix must be one of {', '.join(known)}")
    if target.is_dir():
        raise OptionError(f"{path}: is a directory")
    if not target.parent.is_dir():
        raise OptionError(f"{path}: there is no folder '{target.parent}'")
    if not os.access(target.parent, os.W_OK):
        raise OptionError(f"{path}: the folder '{target.parent}' cannot be written to")
    return target


def write_board(board: Leaderboard, path: str | Path, top: int | None = None) -> None:
    """Write a leaderboard as its path's suffix says: csv, json, md, parquet, png, svg, pdf.

    JSON and Parquet carry the manifest.

    Raises:
        OptionError: if the path cannot be written to.
    """
    target = check_output(path)
    writer = WRITERS[target.suffix.lower()]
    write_whole(target, lambda temporary: writer(board, temporary, top))


def write_frame(frame: pl.DataFrame, path: str | Path, title: str = "") -> None:
    """Write a table as CSV, Parquet, JSON or Markdown, as the suffix says."""
    write_sheet(Sheet("rows", title, frame, frame), path)


def write_sheet(sheet: Sheet, path: str | Path) -> None:
    """Write a result as CSV, Parquet, JSON or Markdown, as the suffix says.

    Markdown holds the summary, the others every row and column; JSON and Parquet carry the
    manifest.
    """
    target = check_output(path, FRAMES)
    manifest = sheet.manifest
    held = {} if manifest is None else {"arena_manifest": json.dumps(dict(manifest))}
    text: dict[str, Callable[[], str]] = {
        ".csv": sheet.frame.write_csv,
        ".json": lambda: frame_json(sheet.frame, sheet.name, manifest),
        ".md": lambda: frame_markdown(sheet.summary, sheet.title, sheet.lines),
    }

    def write(file: Path) -> None:
        if file.suffix.lower() == ".parquet":
            sheet.frame.write_parquet(file, metadata=held)
        else:
            file.write_text(text[file.suffix.lower()](), encoding="utf-8")

    write_whole(target, write)


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target under another name, then rename: all of it or nothing."""
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=".arena-", suffix=target.suffix.lower()
    )
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
