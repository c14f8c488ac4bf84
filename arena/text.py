"""Text as tokens: normalised, cut and hashed in one compiled pass over the bytes of a column.

Per character: compatibility decomposition (NFKD) and full case folding; combining diacritics and
characters that are not seen, such as a zero-width space or a soft hyphen, are dropped. So
`Straße`, `STRASSE` and `Ｓｔｒａｓｓｅ` are one word, and so are `café` and `cafe`. Beyond Unicode's
folding a dotless `ı` is an `i`, so that Turkish words in capitals and in small letters agree.

Letters, digits and marks make words. In scripts without spaces between words (Han, kana,
bopomofo, Thai, Lao, Khmer, Myanmar) each character is a token, with the marks on it, and so is
each emoji. All else separates tokens and is gone: `2+2` and `2-2` are the same two tokens.

    text                       tokens
    Don't PANIC (ﬁrst ½)       don · t · panic · first · 1 · 2
    snake_case, C++            snake · case · c
    東京へ2023年               東 · 京 · へ · 2023 · 年
    가나다 abc                 가나다 · abc
    👍🏽ok                       👍 · 🏽 · ok

Where that says too little, in short prompts, the `strict` unit keeps everything but differences
of case, of compatibility and of white space: there `2+2` is not `2-2`, `C++` is not `C#`.

The hashes are the same on every machine, and in every version but for characters that are new
in the version of Unicode that Python brings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from arena.characters import Unit, characters
from arena.errors import ColumnError

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Column: TypeAlias = "pl.Series | pa.Array | pa.ChunkedArray | Texts"

PIECE_ROWS = 1 << 16
"""Rows of a column that are turned into one run of bytes where that takes a copy."""
BYTES_PER_TOKEN = 4
"""Fewer than in almost any text, so that one pass does; where not, a second one follows."""


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of text as one run of bytes.

    Attributes:
        data: uint8 [b], valid UTF-8.
        starts: int [n], where in `data` each text begins.
        ends: int [n], and where it ends; a text that is missing is empty.
    """

    data: Bytes
    starts: Integers
    ends: Integers

    def __len__(self) -> int:
        return self.starts.size

    def __getitem__(self, rows: slice | Integers) -> "Texts":
        """Some of the texts, of the same bytes."""
        return Texts(self.data, self.starts[rows], self.ends[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Texts as hashed tokens.

    Attributes:
        hashes: uint64 [t], of all texts, one after the other.
        offsets: int [n + 1], where in `hashes` each text's tokens begin; the last one is t.
    """

    hashes: Words
    offsets: Integers

    @property
    def counts(self) -> Integers:
        """How many tokens each text has, [n]."""
        return np.diff(self.offsets)


COLUMNS = (pl.Series, pa.Array, pa.ChunkedArray, Texts)
"""What a `Column` may be."""


def pieces(column: Column) -> Iterator[Texts]:
    """A column bit by bit, so that not all of it is copied at once; see `texts_of`."""
    if isinstance(column, pl.Series):
        for row in range(0, column.len(), PIECE_ROWS):
            yield texts_of(column.slice(row, PIECE_ROWS))
    elif isinstance(column, pa.ChunkedArray):
        yield from map(texts_of, column.iterchunks())
    else:
        yield texts_of(column)


def texts_of(column: Column) -> Texts:
    """The bytes of a column: nothing is copied where it is one Arrow array of strings already.

    Bytes that are no UTF-8, such as half of a surrogate pair, become U+FFFD as in Python's
    ``decode("utf-8", "replace")``.

    Raises:
        ColumnError: a column that holds something else than text.
    """
    if isinstance(column, Texts):
        return column
    name = "texts"
    if isinstance(column, pl.Series):
        name = f"'{column.name}'" if column.name else name
        if isinstance(column.dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        checked = column.dtype == pl.String
        column = column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    else:
        checked = False
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        column = column.cast(pa.large_string())
    is_text = pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view
    is_bytes = pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view
    if not any(check(column.type) for check in is_text + is_bytes):
        raise ColumnError(f"{name}: holds {column.type}, not text; name a column of strings")
    if not checked:
        column = _valid(column)
    array = column.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return _bytes_of(array)


def _valid(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The same as strings that are known to be UTF-8."""
    try:
        text = column.cast(pa.large_string())  # of bytes this is a check too
        text.validate(full=True)
    except pa.ArrowInvalid:
        rows = column.cast(pa.large_binary()).to_pylist()
        decoded = [None if row is None else row.decode("utf-8", "replace") for row in rows]
        return pa.array(decoded, pa.large_string())
    return text


def _bytes_of(array: pa.Array) -> Texts:
    """The buffers of an Arrow array of large strings."""
    _, places, data = array.buffers()
    n = len(array)
    if n == 0 or places is None:
        return Texts(np.empty(0, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64))
    offsets = np.frombuffer(places, np.int64)[array.offset : array.offset + n + 1]
    starts, ends = offsets[:-1], offsets[1:]
    if array.null_count:
        ends = np.where(array.is_valid().to_numpy(zero_copy_only=False), ends, starts)
    return Texts(np.frombuffer(data or b"", np.uint8), starts, ends)


def tokenise(texts: Column, unit: Unit = "words", room: Words | None = None) -> Tokens:
    """Cut texts into tokens.

    >>> prompts = pl.Series(["Straße: 2+2?", "STRASSE 2-2", "東京へ", None])
    >>> tokens = tokenise(prompts)
    >>> tokens.counts.tolist()
    [3, 3, 3, 0]
    >>> bool((tokens.hashes[:3] == tokens.hashes[3:6]).all())
    True

    Args:
        texts: strings, or bytes that are UTF-8.
        unit: `words` as above; `characters`, each letter or digit a token; or `strict`, all that
            is between white space, marks and punctuation included.
        room: an array to use for the hashes if it is large enough.

    Raises:
        ColumnError: a column that holds something else than text.
    """
    from arena.text_kernel import tokenise as cut

    texts, table = texts_of(texts), characters(unit)
    offsets = np.empty(len(texts) + 1, np.int64)
    where = texts.data, texts.starts, texts.ends, table.entries, table.expansions, unit == "words"
    if room is None:
        n_bytes = int((texts.ends - texts.starts).sum())
        room = np.empty(n_bytes // BYTES_PER_TOKEN, np.uint64)
    n = cut(*where, room, offsets)
    if n > room.size:
        room = np.empty(n, np.uint64)
        cut(*where, room, offsets)
    return Tokens(room[:n], offsets)


def fingerprint_texts(texts: Column, unit: Unit = "strict") -> Words:
    """A hash [n] of each whole text, equal where the texts are; 0 for a text without tokens.

    >>> sums = fingerprint_texts(pl.Series(["2+2", "2-2", " 2+2 ", "２+２", "", None]))
    >>> sums[0] == sums[2] == sums[3], sums[0] == sums[1], sums[4:].tolist()
    (np.True_, np.False_, [0, 0])
    """
    from arena.text_kernel import roll

    tokens = tokenise(texts, unit)
    fingerprints = np.empty(tokens.offsets.size - 1, np.uint64)
    roll(tokens.hashes, tokens.offsets, 1, np.empty_like(tokens.hashes), fingerprints)
    return fingerprints
