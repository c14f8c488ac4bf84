"""What a file is, is read off its first bytes; what cannot be read is named."""

import gzip
import hashlib
import random

import pandas as pd
import polars as pl
import pytest
from logs import encode, table, votes, write

from arena.errors import ReadError
from arena.sources import collect, open_sources
from arena.tally import count_pairs

ROWS = votes(
    "x y model_a", "y x both_bad", "x z tie", "z y model_b", "x y model_a", "é\u202e z tie"
)

FORMS = ("csv", "tsv", "ssv", "jsonl", "json", "pretty", "parquet", "arrow")
TEXT_FORMS = ("csv", "tsv", "ssv", "jsonl", "json", "pretty")


class OnlyAStream:
    """An object with nothing but the Arrow C stream interface."""

    def __init__(self, frame):
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self._frame.__arrow_c_stream__(requested_schema)


def incompressible(n):
    """Rows that stay large when compressed, so that a cut falls far behind the first block."""
    random_bytes = random.Random(0)
    return [{**ROWS[0], "junk": random_bytes.randbytes(40).hex()} for _ in range(n)]


# ── the same votes in every form ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_votes_gives_the_same_counts(tmp_path, form):
    """It makes no difference in which form votes are published."""
    path = write(tmp_path / f"votes.{form}", ROWS)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_text_forms_may_be_gzipped(tmp_path, form):
    """A gzipped text file holds the same votes as the plain one."""
    path = write(tmp_path / f"votes.{form}.gz", ROWS)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize(
    "convert",
    [
        pl.DataFrame,
        pl.LazyFrame,
        pd.DataFrame,
        lambda rows: pd.DataFrame(rows).astype("category"),
        lambda rows: pl.DataFrame(rows).to_arrow(),
        lambda rows: OnlyAStream(pl.DataFrame(rows)),
        lambda rows: pl.DataFrame(rows).cast(pl.Categorical),
    ],
    ids=["polars", "lazy", "pandas", "pandas-category", "pyarrow", "stream", "polars-category"],
)
def test_every_kind_of_frame_of_the_same_votes_gives_the_same_counts(convert):
    """It makes no difference whose frame votes come in."""
    frame = convert(ROWS)

    counts = count_pairs(frame)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("parquet", "votes.csv"),
        ("csv", "votes.parquet"),
        ("json", "votes.csv"),
        ("jsonl", "votes.json"),
        ("pretty", "votes.jsonl"),
        ("arrow", "votes.parquet"),
        ("tsv", "votes.csv"),
        ("csv", "votes"),
    ],
)
def test_a_misleading_suffix_misleads_nobody(tmp_path, form, name):
    """What a file is, is read off its bytes and not off its name."""
    path = tmp_path / name
    path.write_bytes(encode(ROWS, form))

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_a_gzipped_file_need_not_say_so_in_its_name(tmp_path, form):
    """Compression is read off the bytes, too."""
    path = tmp_path / "votes.txt"
    path.write_bytes(gzip.compress(encode(ROWS, form)))

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize(
    "form",
    [
        "csv",
        "json",
        "pretty",
        pytest.param(
            "jsonl",
        ),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_votes(tmp_path, form):
    """Files saved on Windows begin with a byte order mark and read the same."""
    path = tmp_path / "votes"
    path.write_bytes(b"\xef\xbb\xbf" + encode(ROWS, form).replace(b"\n", b"\r\n"))

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_a_column_that_turns_from_numbers_to_text_is_text(tmp_path, form):
    """A model called 7 stays '7' when row ten thousand and one is called 'x'."""
    rows = [{"model_a": 7, "model_b": 8, "winner": "tie"}] * 10_001
    path = write(tmp_path / f"votes.{form}", [*rows, {**rows[0], "model_a": "x"}])

    counts = count_pairs(path)

    assert counts.frame().rows() == [("7", "8", 0, 0, 10_001, 0), ("x", "8", 0, 0, 1, 0)]


def test_a_quoted_csv_field_may_hold_separators_quotes_and_newlines(tmp_path):
    """A model's name may hold whatever CSV can quote."""
    rows = [{"model_a": 'x, "the"\none', "model_b": "y", "winner": "tie"}]
    path = write(tmp_path / "votes.csv", rows)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(rows)


def test_an_arrow_stream_file_is_read_like_an_arrow_file(tmp_path):
    """The streaming Arrow format, which Hugging Face caches use, is Arrow, too."""
    path = tmp_path / "votes.arrow"
    pl.DataFrame(ROWS).write_ipc_stream(path)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


# ── several at once ────────────────────────────────────────────────────────────────────────


def test_several_logs_in_different_forms_are_counted_together(tmp_path):
    """Files and frames in any mixture are one log."""
    mixture = [
        str(write(tmp_path / "one.csv", ROWS)),
        write(tmp_path / "two.json.gz", ROWS),
        pl.DataFrame(ROWS),
    ]

    counts = count_pairs(mixture)

    assert counts.frame().rows() == table(ROWS * 3)


def test_a_pattern_stands_for_the_files_it_matches(tmp_path):
    """A glob pattern opens its files in the order of their names, and no others."""
    for name in ("b.csv", "a.csv", "other.json"):
        write(tmp_path / name, ROWS)

    sources = open_sources(str(tmp_path / "*.csv"))

    assert [one.name for one in sources] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]


def test_two_stars_reach_into_folders(tmp_path):
    """A pattern with two stars matches files at any depth."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write(tmp_path / "deep" / "er" / "votes.csv", ROWS)

    counts = count_pairs(str(tmp_path / "**" / "*.csv"))

    assert counts.frame().rows() == table(ROWS)


@pytest.mark.parametrize(
    "form",
    [
        "csv",
        "json",
        "parquet",
        *(
            pytest.param(
                form,
            )
            for form in ("jsonl", "arrow")
        ),
    ],
)
def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path, form):
    """A file that exists is opened as it is called, brackets and all."""
    path = write(tmp_path / f"votes[1].{form}", ROWS)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(ROWS)


# ── what cannot be read ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing.csv", "no such file"),
        ("*.nothing", "no file matches this pattern"),
        ("", "is a directory"),
    ],
)
def test_a_path_that_is_no_file_is_named(tmp_path, name, complaint):
    """A missing file, an idle pattern and a directory are each called what they are."""
    path = str(tmp_path / name)

    with pytest.raises(ReadError) as raised:
        open_sources(path)

    assert path in str(raised.value)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b" \n\t\n", gzip.compress(b"")], ids=["nothing", "white", "gzip"]
)
def test_a_file_without_content_is_called_empty(tmp_path, content):
    """Nothing, white space, and nothing gzipped are all an empty file."""
    path = tmp_path / "votes.csv"
    path.write_bytes(content)

    with pytest.raises(ReadError, match=r"votes\.csv: is empty"):
        open_sources(path)


@pytest.mark.parametrize("votes", [42, b"votes.csv", object()])
def test_what_is_neither_a_path_nor_a_frame_is_refused(votes):
    """Only paths and frames hold votes, and the message says what else was given."""
    expected = f"cannot read votes from {type(votes).__name__}"

    with pytest.raises(ReadError, match=expected):
        open_sources(votes)


def test_an_empty_list_of_logs_is_refused():
    """No files at all are a mistake, not an empty leaderboard."""
    nothing: list[str] = []

    with pytest.raises(ReadError, match="no vote files given"):
        open_sources(nothing)


@pytest.mark.parametrize("form", ["parquet", "arrow", "json", "pretty", "jsonl"])
def test_a_truncated_file_is_refused_by_name(tmp_path, form):
    """Half a download is no log; nothing is counted from it in silence."""
    path = tmp_path / f"half.{form}"
    path.write_bytes(encode(ROWS, form)[:-25])

    with pytest.raises(ReadError, match=f"half.{form}"):
        count_pairs(path)


@pytest.mark.parametrize(
    "form",
    [
        "jsonl",
        *(
            pytest.param(
                form,
            )
            for form in ("csv", "json")
        ),
    ],
)
def test_a_gzip_file_cut_far_behind_its_beginning_is_refused_by_name(tmp_path, form):
    """A gzip stream that stops in the middle is a file that cannot be read."""
    data = gzip.compress(encode(incompressible(5_000), form))
    path = tmp_path / f"half.{form}.gz"
    path.write_bytes(data[: len(data) // 2])

    with pytest.raises(ReadError, match=f"half.{form}.gz"):
        count_pairs(path)


@pytest.mark.parametrize(
    "form",
    [
        "jsonl",
        "json",
        pytest.param(
            "csv",
        ),
    ],
)
def test_a_gzip_file_with_a_damaged_middle_is_refused_by_name(tmp_path, form):
    """A gzip stream whose checksum fails is a file that cannot be read."""
    data = bytearray(gzip.compress(encode(incompressible(5_000), form)))
    middle = len(data) // 2
    data[middle : middle + 50] = bytes(50)
    path = tmp_path / f"torn.{form}.gz"
    path.write_bytes(data)

    with pytest.raises(ReadError, match=f"torn.{form}.gz"):
        count_pairs(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("form", "head"),
    [
        ("csv", 0),
        ("csv", 12_000),
        ("jsonl", 12_000),
        ("pretty", 12_000),
        *(
            pytest.param(
                form,
                0,
            )
            for form in ("jsonl", "pretty")
        ),
    ],
)
def test_the_first_line_that_is_not_utf8_is_named(tmp_path, form, head, suffix):
    """Text in another encoding is refused with the line it begins on."""
    rows = [*ROWS[:1] * head, {"model_a": "COFFEE", "model_b": "y", "winner": "tie"}]
    data = encode(rows, form).replace(b"COFFEE", b"caf\xe9")
    line = data[: data.index(b"\xe9")].count(b"\n") + 1
    path = tmp_path / f"latin.{form}{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)

    with pytest.raises(ReadError, match=f"line {line:,} is not UTF-8") as raised:
        count_pairs(path)

    assert str(path) in str(raised.value)


def test_among_several_files_the_unreadable_one_is_named(tmp_path):
    """One broken file among good ones is the one complained of."""
    good = write(tmp_path / "good.csv", ROWS)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(encode(ROWS, "csv") + b"x,y,tie,1,2,3\n")

    with pytest.raises(ReadError) as raised:
        count_pairs([good, bad])

    assert str(raised.value).startswith(f"{bad}: ")


def test_a_mistake_in_a_query_is_not_blamed_on_a_file(tmp_path):
    """An error that no file is the reason of is passed on as it is."""
    source = open_sources(write(tmp_path / "votes.csv", ROWS))

    with pytest.raises(pl.exceptions.PolarsError):
        collect(pl.LazyFrame({"x": ["y"]}).select(pl.col("x").cast(pl.Int64)), (*source, *source))

    assert source[0].raw.collect().height == len(ROWS)


def test_a_source_hashes_the_bytes_of_its_file(tmp_path):
    """The hash in a manifest can be checked with sha256sum."""
    path = write(tmp_path / "votes.csv", ROWS)

    (source,) = open_sources(path)

    assert source.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_frame_has_no_hash():
    """A frame is no file, and no hash is made up for it."""
    frame = pl.DataFrame(ROWS)

    (source,) = open_sources(frame)

    assert source.sha256() is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named_for_what_it_is(tmp_path, encoding):
    """A spreadsheet's export is refused with the way out, not with unreadable columns."""
    path = tmp_path / "votes.csv"
    path.write_bytes(("\ufeff" + "model_a,model_b,winner\nx,y,tie\n").encode(encoding))

    with pytest.raises(ReadError, match=r"votes\.csv: is UTF-16; convert it first"):
        open_sources(str(path))
