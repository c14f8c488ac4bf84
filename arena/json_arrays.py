"""One JSON array, row by row, in blocks.

clean_battle files are one array of up to 2 GB, which polars would read whole. Here blocks of it
are cut into rows, which are what polars' JSON-lines reader takes.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from arena.errors import ReadError

Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes read, bytes in all."""

GZIP, BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
JSON_BLOCK = 4 << 20
"""Bytes of a JSON array taken at once; small enough to be worked on while in cache."""


def json_rows(
    path: str, block: int = JSON_BLOCK, progress: Progress | None = None
) -> Iterator[list[bytes]]:
    """The elements of a JSON array as raw bytes, block by block, each on one line."""
    total = Path(path).stat().st_size
    with open_bytes(path) as file:
        # A newline inside a JSON string is written \n, so a bare one is only white space.
        pending = file.read(block).removeprefix(BOM).replace(b"\n", b" ").lstrip()[1:]
        key = re.match(rb'\s*\{\s*("(?:[^"\\]|\\.)*")', pending)
        done = len(pending)
        while data := file.read(block):
            done += len(data)
            pending += data.replace(b"\n", b" ")
            try:
                cut = _last_boundary(pending, key[1] if key else b'"')
            except _MalformedError as error:
                raise ReadError(f"{path}: not valid JSON: {error}") from None
            if cut is not None:
                rows, at = cut
                yield rows
                pending = pending[at:]
            if progress:
                progress(path, min(done, total), total)
    try:
        last = _elements(b"[" + pending)
    except _MalformedError as error:
        raise ReadError(f"{path}: not valid JSON: {error}") from None
    if last is None:
        raise ReadError(f"{path}: not valid JSON: the array is not closed; is the file truncated?")
    if last:
        yield last


def open_bytes(path: str) -> IO[bytes]:
    """A file's bytes, after decompression if it is gzipped."""
    with Path(path).open("rb") as file:
        compressed = file.read(2) == GZIP
    return cast(IO[bytes], gzip.open(path)) if compressed else Path(path).open("rb")


def _last_boundary(text: bytes, key: bytes, tries: int = 8) -> tuple[list[bytes], int] | None:
    """Cut after the last whole element: the elements, and where the rest begins.

    A candidate is a comma between braces before an object that opens with the same key as the
    first one. Whether it separates two elements, and is not nested or part of a string, is
    decided by parsing what stands before it as a whole array: that succeeds only at a true
    boundary. None when there is no such place, and more must be read.
    """
    end = len(text)
    for _ in range(tries):
        end = text.rfind(key, 0, end)
        if end < 0:
            return None
        before = text[max(0, end - 64) : end]
        comma = re.search(rb"\}\s*(,)\s*\{\s*$", before)
        if comma is None:
            continue
        at = end - len(before) + comma.start(1)
        rows = _elements(b"[" + text[:at] + b"]")
        if rows is not None:
            return rows, at + 1
    return None


class _MalformedError(ValueError):
    """The text cannot be part of a JSON array, wherever it is cut."""


def _elements(array: bytes) -> list[bytes] | None:
    """The raw elements of a JSON array; None if it ends too early to be one."""
    import msgspec

    try:
        return cast(list[bytes], msgspec.json.decode(array, type=list[msgspec.Raw]))
    except msgspec.DecodeError as error:
        place = re.search(r"\(byte (\d+)\)", str(error))
        if place and int(place[1]) < len(array) - 1:
            at = int(place[1])
            near = array[max(0, at - 20) : at + 20].decode(errors="replace")
            raise _MalformedError(f"near {near!r}") from None
        return None
