"""From a path or a frame to a lazy frame of its columns as they stand.

What a file *is* (Parquet, Arrow, CSV, JSON lines, one JSON array) is read off its first
bytes, not its name. Text formats are read with every plain column as text, so that a column
that is numeric for a thousand rows and then is not makes no difference; the battle schema
casts what it uses.
"""

import glob
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import polars as pl

from arena.errors import ReadError
from arena.json_arrays import BOM, GZIP, Progress, json_rows, open_bytes

Kind = Literal["parquet", "arrow", "csv", "jsonl", "json", "frame"]
UNREADABLE = (pl.exceptions.PolarsError, OSError, EOFError, zlib.error)
"""What reading a damaged file can raise."""

INFER_ROWS = 10_000
REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://")
ARROW_STREAM = b"\xff\xff\xff\xff"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MAGIC: dict[bytes, Kind] = {b"PAR1": "parquet", b"ARROW1": "arrow", ARROW_STREAM: "arrow"}
SUFFIX: dict[str, Kind] = {
    "parquet": "parquet",
    "arrow": "arrow",
    "ipc": "arrow",
    "feather": "arrow",
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One input as it stands, before any column has been given a meaning.

    Attributes:
        name: the path as it was given, or "frame".
        kind: what the first bytes say it is.
        raw: its columns under their own names, lazily.
        held: the same where it is a frame in memory, else None.
    """

    name: str
    kind: Kind
    raw: pl.LazyFrame
    held: pl.DataFrame | None = None

    def sha256(self) -> str | None:
        """Hash of the file's bytes; None for a frame or a remote path."""
        if self.kind == "frame" or REMOTE.match(self.name):
            return None
        with Path(self.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def open_sources(votes: object, progress: Progress | None = None) -> tuple[Source, ...]:
    """Open one input or several: paths, glob patterns, frames, in any mixture.

    Raises:
        ReadError: naming the path that is missing, empty, a directory, or not readable.
    """
    if isinstance(votes, list | tuple):
        opened = tuple(source for one in votes for source in open_sources(one, progress))
        if not opened:
            raise ReadError("no vote files given")
        return opened
    if isinstance(votes, str | Path):
        return tuple(_open_path(path, progress) for path in expand_path(str(votes)))
    return (_open_frame(votes),)


def _open_frame(votes: object) -> Source:
    if isinstance(votes, pl.LazyFrame):
        try:
            votes.collect_schema()
        except UNREADABLE as error:
            raise ReadError(f"frame: cannot be read ({one_line(error)})") from error
        return Source("frame", "frame", votes)
    if isinstance(votes, pl.DataFrame) or hasattr(votes, "__arrow_c_stream__"):
        held = pl.DataFrame(cast(Any, votes))
        return Source("frame", "frame", held.lazy(), held)
    message = (
        f"cannot read votes from {type(votes).__name__}: "
        "give a path, a polars frame, or anything with the Arrow C stream interface"
    )
    raise ReadError(message)


def expand_path(path: str) -> list[str]:
    """The files a path stands for; a pattern is expanded, a remote path is left to polars.

    Raises:
        ReadError: if there is no such file.
    """
    if not path or REMOTE.match(path) or Path(path).exists():
        return [path]
    if not glob.has_magic(path):
        raise ReadError(f"{path}: no such file")
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise ReadError(f"{path}: no file matches this pattern")
    return found


def _open_path(path: str, progress: Progress | None) -> Source:
    if REMOTE.match(path):
        return _open_remote(path)
    if not path:
        raise ReadError("an empty path names no file")
    if Path(path).is_dir():
        raise ReadError(
            f"{path}: is a directory; give its files, e.g. '{path.rstrip('/')}/*.parquet'"
        )
    try:
        head = _first_bytes(path)
    except UNREADABLE as error:
        raise ReadError(f"{path}: cannot be read ({error})") from error
    if not head.strip():
        raise ReadError(f"{path}: is empty")
    if head.startswith(UTF_16):
        raise ReadError(f"{path}: is UTF-16; convert it first, e.g. with iconv -f UTF-16 -t UTF-8")
    kind = _kind(head)
    try:
        raw = _scan(path, kind, head, progress)
        raw.collect_schema()
    except ReadError:
        raise
    except UNREADABLE as error:
        reason = _undecodable(path, kind) or f"not readable as {kind} ({one_line(error)})"
        raise ReadError(f"{path}: {reason}") from error
    return Source(path, kind, raw)


def _open_remote(path: str) -> Source:
    suffix = path.partition("?")[0].rpartition(".")[2].lower()
    kind = SUFFIX.get(suffix)
    if kind is None:
        message = f"{path}: a remote path must end in one of {', '.join(SUFFIX)}"
        raise ReadError(message)
    try:
        raw = _scan(path, kind, b"", None)
        raw.collect_schema()
    except UNREADABLE as error:
        raise ReadError(f"{path}: cannot be opened ({one_line(error)})") from error
    return Source(path, kind, raw)


def one_line(error: BaseException) -> str:
    """The first line of an error's message, for use inside our own."""
    return str(error).strip().partition("\n")[0].rstrip(".:")


def _first_bytes(path: str, n: int = 1 << 16) -> bytes:
    """The first bytes of what a file holds, after decompression where we can."""
    with Path(path).open("rb") as file:
        head = file.read(n)
    if head.startswith(GZIP):
        with gzip.open(path) as file:
            return file.read(n)
    return head


def _kind(head: bytes) -> Kind:
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            return kind
    text = head.removeprefix(BOM).lstrip()
    if text.startswith(b"["):
        return "json"
    return "jsonl" if text.startswith(b"{") else "csv"


def _scan(path: str, kind: Kind, head: bytes, progress: Progress | None) -> pl.LazyFrame:
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False)
    if kind == "arrow":
        if head.startswith(ARROW_STREAM):
            return pl.read_ipc_stream(path).lazy()
        return pl.scan_ipc(glob.escape(path))
    if kind == "csv":
        header = head.partition(b"\n")[0]
        separator = max(b",\t;", key=lambda byte: header.count(bytes([byte])))
        return pl.scan_csv(path, infer_schema=False, separator=chr(separator), glob=False)
    if kind == "jsonl":
        # polars takes no byte order mark here, so such a file goes by way of memory.
        lines = io.BytesIO(_decompressed(path)[len(BOM) :]) if head.startswith(BOM) else None
        text = glob.escape(path) if lines is None else lines
        inferred = pl.scan_ndjson(text, infer_schema_length=INFER_ROWS)
        return pl.scan_ndjson(text, schema=_plain_as_text(inferred))
    return _scan_json_array(path, progress)


def _decompressed(path: str) -> bytes:
    with open_bytes(path) as file:
        return file.read()


def _plain_as_text(frame: pl.LazyFrame) -> dict[str, pl.DataType]:
    """The frame's schema with numbers and all-null columns as text.

    A JSON number may turn into a string ten thousand rows later; flags and nested values keep
    their type.
    """
    plain = (pl.Int64, pl.Float64, pl.Null)
    schema = frame.collect_schema()
    return {name: pl.String() if kind in plain else kind for name, kind in schema.items()}


def _scan_json_array(path: str, progress: Progress | None) -> pl.LazyFrame:
    """A lazy frame over the array; only the columns in use are ever held."""
    from polars.io.plugins import register_io_source

    first = next(json_rows(path), None)
    if first is None:
        raise ReadError(f"{path}: is an empty JSON array")
    sample = b"\n".join(first[:INFER_ROWS])
    schema = _plain_as_text(pl.scan_ndjson(io.BytesIO(sample), infer_schema_length=INFER_ROWS))

    def read(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        wanted = {name: schema[name] for name in with_columns or schema}
        # With no column wanted (a bare row count), one still has to be read.
        wanted = wanted or dict([next(iter(schema.items()))])
        left = n_rows
        for rows in json_rows(path, progress=progress):
            frame = pl.read_ndjson(io.BytesIO(b"\n".join(rows[:left])), schema=wanted)
            if left is not None:
                left -= frame.height
            yield frame if predicate is None else frame.filter(predicate)
            if left == 0:
                return

    return register_io_source(read, schema=schema, is_pure=True)


# ── collecting, with the culprit named ─────────────────────────────────────────────────────


def collect(frame: pl.LazyFrame, sources: Sequence[Source]) -> pl.DataFrame:
    """Run a query over sources, naming the file if one of them cannot be read.

    Raises:
        ReadError: with the file, and for text that is not UTF-8 the line.
    """
    try:
        return frame.collect(engine="streaming")
    except UNREADABLE as error:
        for source in sources:
            reason = _unreadable(source, frame, single=len(sources) == 1)
            if reason:
                raise ReadError(f"{source.name}: {reason}") from error
        raise


def _unreadable(source: Source, frame: pl.LazyFrame, *, single: bool) -> str | None:
    """Why this source cannot be read to its end, or None if it can."""
    try:
        (frame if single else source.raw).collect(engine="streaming")
    except UNREADABLE as error:
        reason = f"cannot be read to its end ({one_line(error)})"
        return _undecodable(source.name, source.kind) or reason
    return None


def _undecodable(path: str, kind: Kind) -> str | None:
    """Where a text file is not UTF-8, and what to do; None if that is not what is wrong."""
    if kind not in ("csv", "jsonl", "json") or REMOTE.match(path):
        return None
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    way_out = "convert it first, e.g. with iconv -t UTF-8"
                    return f"line {number:,} is not UTF-8; {way_out}"
    except UNREADABLE:
        pass  # a damaged archive, which the caller's own error describes
    return None
