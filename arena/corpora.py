"""Training corpora as streams of texts: what users asked in them, a block at a time.

Files may be larger than memory, so nothing is held beyond one block. A text is one user turn; its
id is the file and the row, which for a conversation is the conversation.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import polars as pl

from arena.display import listing
from arena.errors import ColumnError, OptionError, ReadError
from arena.json_arrays import BOM, GZIP
from arena.sources import INFER_ROWS, REMOTE, UNREADABLE, expand_path, one_line, open_sources

USER_ROLES = ("user", "human", "prompter")
"""How published conversations name the one who asks."""

CONVERSATIONS = ("conversation", "conversations", "messages", "conversation_a", "history")
TEXTS = ("prompt", "text", "content", "instruction", "question", "turns", "query", "input")
"""Columns that are looked for, in this order, where none is named."""

ZSTD = b"\x28\xb5\x2f\xfd"
BLOCK_ROWS = 20_000
BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Corpus:
    """A training corpus: files of texts.

    Attributes:
        name: what it is called.
        files: paths, in their order; a text's id counts files from 0 in it.
        column: the column of texts or conversations; None to look for it in each file.
        roles: whose turns count in conversations; ``all`` for everybody's.
    """

    name: str
    files: tuple[str, ...]
    column: str | None = None
    roles: tuple[str, ...] = USER_ROLES


def open_corpus(path: str, name: str | None = None, roles: Sequence[str] = USER_ROLES) -> Corpus:
    """A corpus from ``FILE`` or ``FILE:COLUMN``, where the file may be a glob pattern.

    Raises:
        ReadError: if there is no such file.
    """
    file, column = _split_column(path)
    return Corpus(name or Path(file).name, tuple(expand_path(file)), column, tuple(roles))


def _split_column(path: str) -> tuple[str, str | None]:
    """A path and the column named after it; a path that exists is taken as it is."""
    head, colon, column = path.rpartition(":")
    if not colon or not head or not column or "/" in column or Path(path).exists():
        return path, None
    return (path, None) if head in ("hf", "s3", "https", "http", "gs") else (head, column)


def corpus_blocks(corpus: Corpus, file: str, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
    """The texts of one file, in blocks of about so many rows.

    Yields:
        Frames with `row`, the row of the file, from 0, and `text`, never null; a row has as
        many texts as user turns.

    Raises:
        ReadError: naming the file if it cannot be read, or not to its end.
        ColumnError: naming the file if it has no column of texts; the message lists what it has.
    """
    at = 0
    try:
        for block in _raw_blocks(corpus, file, rows):
            texts = user_texts(block, corpus, file)
            numbered = pl.DataFrame({"text": texts}).with_row_index("row", offset=at)
            at += block.height
            if isinstance(texts.dtype, pl.List):
                numbered = numbered.explode("text", empty_as_null=True)
            yield numbered.drop_nulls("text").with_columns(pl.col("row").cast(pl.Int64))
    except UNREADABLE as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(f"{file}: cannot be read to its end ({one_line(error)})") from error


def _raw_blocks(corpus: Corpus, file: str, rows: int) -> Iterator[pl.DataFrame]:
    """The column of texts, in blocks."""
    if not REMOTE.match(file):
        with _decompressed(file) as stream:
            head = stream.read(1 << 16)
        start = head.removeprefix(BOM).lstrip()
        if not start:
            raise ReadError(f"{file}: is empty")
        if start.startswith(b"{"):
            yield from _json_lines(corpus, file)
            return
        if _is_plain_text(file):
            yield from _lines(file)
            return
    source = open_sources(file)[0]
    column = text_column(source.raw.collect_schema(), corpus, file)
    role = [name for name in ("role",) if name in source.raw.collect_schema()]
    wanted = source.raw.select(column, *role)
    yield from wanted.collect_batches(chunk_size=rows, maintain_order=True, lazy=True)


def _is_plain_text(file: str) -> bool:
    suffixes = [suffix for suffix in Path(file).suffixes if suffix not in (".gz", ".zst")]
    return bool(suffixes) and suffixes[-1].lower() == ".txt"


@contextmanager
def _decompressed(file: str) -> Iterator[IO[bytes]]:
    """A local file's bytes, decompressed if its first bytes say so."""
    with Path(file).open("rb") as raw:
        magic = raw.read(4)
    kind = "gzip" if magic.startswith(GZIP) else "zstd" if magic == ZSTD else None
    if kind is None:
        with Path(file).open("rb") as stream:
            yield stream
        return
    from pyarrow import input_stream

    with input_stream(file, compression=kind) as stream:
        yield cast(IO[bytes], stream)


def _byte_blocks(file: str) -> Iterator[bytes]:
    """Whole lines of a file, some megabytes at once."""
    with _decompressed(file) as stream:
        pending = b""
        while data := stream.read(BLOCK_BYTES):
            whole, newline, rest = data.rpartition(b"\n")
            if newline:
                yield pending + whole + newline
                pending = rest
            else:
                pending += data
        if pending.strip():
            yield pending


def _json_lines(corpus: Corpus, file: str) -> Iterator[pl.DataFrame]:
    schema: dict[str, pl.DataType] | None = None
    # polars maps a file of JSON lines into memory as a whole; blocks of it stay small.
    for block in _byte_blocks(file):
        lines = io.BytesIO(block.removeprefix(BOM))
        if schema is None:
            found = pl.scan_ndjson(lines, infer_schema_length=INFER_ROWS).collect_schema()
            column = text_column(found, corpus, file)
            schema = {name: found[name] for name in (column, "role") if name in found}
            lines.seek(0)
        yield pl.read_ndjson(lines, schema=schema)


def _lines(file: str) -> Iterator[pl.DataFrame]:
    for block in _byte_blocks(file):
        lines = block.removesuffix(b"\n").split(b"\n")
        yield pl.DataFrame({"text": [line.decode("utf-8", errors="replace") for line in lines]})


# ── which column, and whose turns ──────────────────────────────────────────────────────────


def text_column(schema: pl.Schema, corpus: Corpus, file: str) -> str:
    """The column that holds the texts.

    Raises:
        ColumnError: if there is none; the message lists the columns there are.
    """
    if corpus.column is not None:
        if corpus.column in schema:
            return corpus.column
        message = f"{file}: no column '{corpus.column}'; columns are {listing(schema, most=12)}"
        raise ColumnError(message)
    for name in (*CONVERSATIONS, *TEXTS):
        if name in schema:
            return name
    message = (
        f"{file}: no column of prompts found among {listing(schema, most=12)}; "
        f"name it, e.g. {file}:COLUMN"
    )
    raise ColumnError(message)


def user_texts(block: pl.DataFrame, corpus: Corpus, file: str) -> pl.Series:
    """The texts of a block's rows: text, or a list of texts where a row has several."""
    name = text_column(block.schema, corpus, file)
    column, kind = pl.col(name), block.schema[name]
    if kind == pl.String and name == "text" and "role" in block.columns:
        return block.select(_of_roles(column, pl.col("role"), corpus)).to_series()
    if kind == pl.String:
        return block[name]
    if isinstance(kind, pl.List):
        texts = _list_texts(column, kind, corpus)
        if texts is not None:
            return block.select(texts).to_series()
    raise ColumnError(f"{file}: column '{name}' holds {kind}, where texts or turns are needed")


def _list_texts(column: pl.Expr, kind: pl.List, corpus: Corpus) -> pl.Expr | None:
    """The turns that count, of a column of lists."""
    if kind.inner == pl.String:
        return column
    if not isinstance(kind.inner, pl.Struct):
        return None
    fields = {field.name: field.dtype for field in kind.inner.fields}
    turn = pl.element().struct
    if fields.get("user") == pl.String:  # one entry per exchange: {user, bot}
        return column.list.eval(turn.field("user"))
    role = next((name for name in ("role", "from") if name in fields), None)
    said = next((name for name in ("content", "value", "text") if name in fields), None)
    if role is None or said is None:
        return None
    content = turn.field(said)
    if isinstance(fields[said], pl.List):  # a list of {type, text} parts
        content = content.list.eval(pl.element().struct.field("text")).list.join("")
    elif fields[said] != pl.String:
        return None
    return column.list.eval(_of_roles(content, turn.field(role), corpus))


def _of_roles(text: pl.Expr, role: pl.Expr, corpus: Corpus) -> pl.Expr:
    """The text, null where it is not that of a role that counts."""
    if corpus.roles == ("all",):
        return text
    return pl.when(role.is_in(list(corpus.roles))).then(text)


def parse_roles(text: str) -> tuple[str, ...]:
    """The roles in ``user,assistant``; ``user`` stands for its other spellings as well.

    >>> parse_roles("user"), parse_roles("all")
    (('user', 'human', 'prompter'), ('all',))
    """
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise OptionError(f"--roles: '{text}' names an empty one")
    roles = [role for name in names for role in (USER_ROLES if name == "user" else (name,))]
    return tuple(dict.fromkeys(roles))
