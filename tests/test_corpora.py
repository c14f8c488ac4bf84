import gzip
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import corpora
from arena.corpora import corpus_blocks, open_corpus, parse_roles
from arena.errors import ColumnError, OptionError, ReadError

TEXTS = ["Hello there", "", "two\nlines", "naïve — 漢字", None, '"quoted", with commas']


def told(path, roles=("user", "human", "prompter"), rows=2):
    """All (row, text) of the files of a corpus."""
    corpus = open_corpus(str(path), roles=roles)
    blocks = [block for file in corpus.files for block in corpus_blocks(corpus, file, rows)]
    return [row for block in blocks for row in block.select("row", "text").rows()]


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def compressed_zstd(data):
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "jsonl.gz", "jsonl.zst", "json"])
def test_every_kind_of_file_gives_the_same_texts(tmp_path, suffix):
    """Parquet, CSV, JSON and JSON lines, also compressed; rows count from 0, nulls are no texts."""
    path = tmp_path / f"corpus.{suffix}"
    frame = pl.DataFrame({"prompt": TEXTS, "other": range(len(TEXTS))})
    rows = frame.to_dicts()
    if suffix == "parquet":
        frame.write_parquet(path)
    elif suffix == "csv":
        frame.write_csv(path)
    elif suffix == "json":
        path.write_text(json.dumps(rows))
    else:
        pack = {"jsonl": bytes, "jsonl.gz": gzip.compress, "jsonl.zst": compressed_zstd}[suffix]
        path.write_bytes(pack(json_lines(rows)))

    expected = [(i, text) for i, text in enumerate(TEXTS) if text is not None]

    assert told(path) == expected


def test_a_text_file_has_a_text_a_line(tmp_path):
    """Also without a newline at its end, and with bytes that are no UTF-8."""
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"first\n\nthird \xff\nlast")

    assert told(path) == [(0, "first"), (1, ""), (2, "third \ufffd"), (3, "last")]


TURNS = {
    "LMSYS-Chat-1M": (
        "conversation",
        [
            {"role": "user", "content": "q1"},
            {"role": "assistant", "content": "a"},
            {"role": "user", "content": "q2"},
        ],
    ),
    "ShareGPT": (
        "conversations",
        [
            {"from": "human", "value": "q1"},
            {"from": "gpt", "value": "a"},
            {"from": "human", "value": "q2"},
        ],
    ),
    "parts": (
        "messages",
        [
            {"role": "user", "content": [{"type": "text", "text": "q1"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "q"}, {"type": "text", "text": "2"}],
            },
        ],
    ),
    "exchanges": ("history", [{"user": "q1", "bot": "a"}, {"user": "q2", "bot": "b"}]),
    "turns": ("turns", ["q1", "q2"]),
}


@pytest.mark.parametrize("shape", TURNS)
@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_conversations_give_their_user_turns(tmp_path, shape, suffix):
    """Each user turn is a text; both have the conversation's row."""
    column, turns = TURNS[shape]
    path = tmp_path / f"corpus.{suffix}"
    rows = [{"id": 1, column: turns}, {"id": 2, column: turns[:1]}, {"id": 3, column: []}]
    if suffix == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        path.write_bytes(json_lines(rows))

    assert told(path) == [(0, "q1"), (0, "q2"), (1, "q1")]


def test_open_assistant_messages_are_those_of_the_prompter(tmp_path):
    """One message a row, with its role beside it."""
    path = tmp_path / "oasst.jsonl"
    rows = [{"role": "prompter", "text": "q"}, {"role": "assistant", "text": "a"}]
    path.write_bytes(json_lines(rows))

    assert told(path) == [(0, "q")]
    assert told(path, roles=("all",)) == [(0, "q"), (1, "a")]
    assert told(path, roles=("assistant",)) == [(1, "a")]


def test_other_roles_can_be_asked_for(tmp_path):
    """The answers, or everything."""
    column, turns = TURNS["LMSYS-Chat-1M"]
    path = tmp_path / "chat.jsonl"
    path.write_bytes(json_lines([{column: turns}]))

    assert told(path, roles=parse_roles("assistant")) == [(0, "a")]
    assert told(path, roles=parse_roles("user,assistant")) == [(0, "q1"), (0, "a"), (0, "q2")]
    assert told(path, roles=parse_roles("all")) == [(0, "q1"), (0, "a"), (0, "q2")]


def test_a_column_can_be_named(tmp_path):
    """FILE:COLUMN goes before what would be found."""
    path = tmp_path / "two.csv"
    pl.DataFrame({"prompt": ["no"], "mine": ["yes"]}).write_csv(path)

    assert told(f"{path}:mine") == [(0, "yes")]
    assert told(path) == [(0, "no")]


def test_a_path_with_a_colon_is_a_path(tmp_path):
    """A file that exists under the whole name is meant."""
    path = tmp_path / "a:prompt"
    path.write_bytes(json_lines([{"text": "inside"}]))

    assert told(path) == [(0, "inside")]


def test_a_pattern_names_files_in_order(tmp_path):
    """Files of a pattern come sorted by name."""
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.txt").write_text(name)

    corpus = open_corpus(str(tmp_path / "*.txt"))

    assert [file[-5] for file in corpus.files] == ["a", "b", "c"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))), st.data())
def test_blocks_cut_nothing(tmp_path_factory, texts, data):
    """However small the blocks of bytes, every line is read once and whole."""
    size = data.draw(st.integers(1, 40))
    path = tmp_path_factory.mktemp("blocks") / "corpus.jsonl"
    path.write_bytes(json_lines([{"text": text} for text in texts]) or b" {")
    if not texts:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora, "BLOCK_BYTES", size)
        found = told(path)

    assert found == list(enumerate(texts))


def test_mistakes_name_the_file_and_the_way_out(tmp_path):
    """A missing column, one without texts, an empty file, none at all, a damaged one."""
    path = tmp_path / "odd.csv"
    pl.DataFrame({"x": [1]}).write_csv(path)
    with pytest.raises(
        ColumnError, match=r"odd.csv: no column of prompts found among 'x'.*:COLUMN"
    ):
        told(path)
    with pytest.raises(ColumnError, match=r"odd.csv: no column 'y'; columns are 'x'"):
        told(f"{path}:y")
    numbers = tmp_path / "numbers.parquet"
    pl.DataFrame({"prompt": [1]}).write_parquet(numbers)
    with pytest.raises(ColumnError, match=r"column 'prompt' holds Int64"):
        told(numbers)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(ReadError, match=r"empty.jsonl: is empty"):
        told(empty)
    with pytest.raises(ReadError, match=r"no such file"):
        open_corpus(str(tmp_path / "none.jsonl"))
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(
        gzip.compress(json_lines([{"text": "a" * 100_000 + str(i)} for i in range(50)]))[:-200]
    )
    with pytest.raises(ReadError, match=r"damaged.jsonl.gz: cannot be read to its end"):
        told(damaged)
    with pytest.raises(OptionError, match=r"--roles: 'user,' names an empty one"):
        parse_roles("user,")
