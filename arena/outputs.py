"""Writing results to files: the suffix picks the form, and no file is ever half written."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from arena.display import plain
from arena.errors import OptionError
from arena.leaderboard import Leaderboard
from arena.pictures import board_pictures
from arena.report import render_csv, render_json, render_markdown, shown_rows
from arena.tables import Draw, Sheet, frame_json, frame_markdown

Writer = Callable[[Leaderboard, Path, int | None], None]


def _text(render: Callable[[Leaderboard, int | None], str]) -> Writer:
    def write(board: Leaderboard, path: Path, top: int | None) -> None:
        path.write_text(render(board, top), encoding="utf-8")

    return write


def _parquet(board: Leaderboard, path: Path, top: int | None) -> None:
    manifest = {"arena_manifest": json.dumps(dict(board.manifest))}
    shown_rows(board, top).write_parquet(path, metadata=manifest)


WRITERS: dict[str, Writer] = {
    ".csv": _text(render_csv),
    ".json": _text(render_json),
    ".md": _text(render_markdown),
    ".parquet": _parquet,
}
"""Suffix → what writes a leaderboard as text or table."""

PICTURES = (".png", ".svg", ".pdf")
"""Suffixes of pictures."""
TABLES = (".csv", ".parquet")
"""Suffixes of plain tables."""
FRAMES = (*TABLES, ".json", ".md")
"""Suffixes of tables that are a result of their own."""


def check_output(path: str | Path, suffixes: Sequence[str] = (*WRITERS, *PICTURES)) -> Path:
    """A path that can be written to, found out before the work is done.

    Raises:
        OptionError: for an unknown suffix, a folder that does not exist, or a directory.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise OptionError(f"{path}: the suffix must be one of {', '.join(suffixes)}")
    if target.is_dir():
        raise OptionError(f"{path}: is a directory")
    if not target.parent.is_dir():
        raise OptionError(f"{path}: there is no folder '{target.parent}'")
    if not os.access(target.parent, os.W_OK):
        raise OptionError(f"{path}: the folder '{target.parent}' cannot be written to")
    return target


def write_board(
    board: Leaderboard,
    path: str | Path,
    top: int | None = None,
    *,
    plot: str | None = None,
    dark: bool = False,
) -> None:
    """Write a leaderboard as its path's suffix says: csv, json, md, parquet, png, svg, pdf.

    JSON and Parquet carry the manifest.

    Args:
        board: the leaderboard.
        path: where to.
        top: rows; None for all, of a picture for as many as is usual, and 0 for all there, too.
        plot: the kind of picture; see `arena.pictures.board_pictures`.
        dark: draw on dark paper.

    Raises:
        OptionError: if the path cannot be written to, or there is no such picture.
    """
    target = check_output(path)
    if target.suffix.lower() in PICTURES:
        _write_picture(board_pictures(board), target, top, plot, dark)
        return
    writer = WRITERS[target.suffix.lower()]
    write_whole(target, lambda temporary: writer(board, temporary, top or None))


def _write_picture(
    pictures: Mapping[str, Draw],
    target: Path,
    top: int | None,
    plot: str | None,
    dark: bool,
    said: str = "",
) -> None:
    """Draw one of the pictures, with what is to be said under it."""
    kind = next(iter(pictures)) if plot is None else plot
    if kind not in pictures:
        raise OptionError(f"plot: '{kind}' is not one of {', '.join(pictures)}")
    from arena.plots import foot, save_picture

    figure = pictures[kind](top, dark)
    if said:
        foot(figure, said, dark)
    write_whole(target, lambda temporary: save_picture(figure, temporary, plain(said)))


def write_frame(frame: pl.DataFrame, path: str | Path, title: str = "") -> None:
    """Write a table as CSV, Parquet, JSON or Markdown, as the suffix says."""
    write_sheet(Sheet("rows", title, frame, frame), path)


def write_sheet(
    sheet: Sheet,
    path: str | Path,
    top: int | None = None,
    *,
    plot: str | None = None,
    dark: bool = False,
) -> None:
    """Write a result as CSV, Parquet, JSON, Markdown or a picture, as the suffix says.

    Markdown holds the summary, the others every row and column; JSON and Parquet carry the
    manifest. A picture has the sheet's title under it.

    Args:
        sheet: the result.
        path: where to.
        top: of a picture, the models drawn; None for as many as is usual, 0 for all.
        plot: the kind of picture; None for the sheet's first.
        dark: draw on dark paper.

    Raises:
        OptionError: if the path cannot be written to, or there is no such picture.
    """
    target = check_output(path, (*FRAMES, *(PICTURES if sheet.pictures else ())))
    if target.suffix.lower() in PICTURES:
        _write_picture(sheet.pictures, target, top, plot, dark, sheet.title)
        return
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
