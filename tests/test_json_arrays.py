"""One JSON array is cut into rows, in blocks, and only between elements."""

import json
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import table, votes, write

from arena.battles import read_battles
from arena.errors import ReadError
from arena.json_arrays import json_rows
from arena.sources import open_sources
from arena.tally import count_pairs, tally_votes

ROWS = votes(
    "x y model_a", "y x both_bad", "x z tie", "z y model_b", "x y model_a", "é\u202e z tie"
)


def incompressible(n):
    """Rows that stay large when compressed, so that a cut falls far behind the first block."""
    random_bytes = random.Random(0)
    return [{**ROWS[0], "junk": random_bytes.randbytes(40).hex()} for _ in range(n)]


TRAPS = ["key", "}, {", '"', "\\", "\n", "]", "},{", '}, {"key"', ": ", "é", "\u2028", "𝕏", "\x00"]
keys = st.sampled_from(["key", "other", '"', "}, {", ": ", "\\", "é"])
strings = st.lists(st.sampled_from(TRAPS), max_size=4).map("".join)
plain_values = st.none() | st.booleans() | st.integers() | strings
values = st.recursive(
    plain_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
elements = st.dictionaries(keys, values, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(elements, min_size=1, max_size=8),
    block=st.integers(1, 40),
    style=st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}]),
    ascii_only=st.booleans(),
)
def test_blocks_of_an_array_are_cut_only_between_elements(
    tmp_path_factory, rows, block, style, ascii_only
):
    """However an array is cut into blocks, its elements come out whole, once, and in order."""
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_text(json.dumps(rows, ensure_ascii=ascii_only, **style), encoding="utf-8")

    found = [row for rows in json_rows(str(path), block=block) for row in rows]

    assert [json.loads(bytes(row)) for row in found] == rows
    assert not any(b"\n" in bytes(row) for row in found)


def test_an_array_is_handed_on_before_it_has_been_read_to_its_end(tmp_path):
    """Only a block and its last element are held, not the array."""
    path = write(tmp_path / "votes.json", ROWS * 200)

    sizes = [len(rows) for rows in json_rows(str(path), block=1_000)]

    assert sum(sizes) == len(ROWS) * 200
    assert max(sizes) < 40


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(elements, min_size=2, max_size=5), data=st.data(), block=st.integers(1, 64))
def test_an_array_that_stops_early_is_never_taken_for_whole(tmp_path_factory, rows, data, block):
    """Wherever a JSON array is cut off, reading it says so."""
    whole = json.dumps(rows).encode()
    path = tmp_path_factory.getbasetemp() / "half.json"
    path.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))])

    with pytest.raises(ReadError, match=r"half\.json: not valid JSON"):
        list(json_rows(str(path), block=block))

    assert path.stat().st_size < len(whole)


@pytest.mark.parametrize("block", [16, 1 << 20])
@pytest.mark.parametrize(
    "broken",
    [
        '[{"key": 1} {"key": 2}, {"key": 3}, {"key": 4}]',
        '[{"key": x}, {"key": 2}, {"key": 3}, {"key": 4}]',
        '[{"key": 1}, {"key": 2}, {"key": 3}], {"key": 4}]',
        '[{"key": 1}, {"key": 2}, {"key": 3}] and more',
        '[{"key": 1}, {"key": 2}, {key: 3}, {"key": 4}]',
        '[{"key": 1},, {"key": 2}, {"key": 3}, {"key": 4}]',
    ],
)
def test_a_malformed_array_is_refused(tmp_path, broken, block):
    """What is no JSON array is an error, with small blocks and with large."""
    path = tmp_path / "broken.json"
    path.write_text(broken)

    with pytest.raises(ReadError, match=r"broken\.json: not valid JSON"):
        list(json_rows(str(path), block=block))

    assert path.exists()


def test_an_empty_array_is_called_empty(tmp_path):
    """A JSON array without elements has no columns to read."""
    path = tmp_path / "votes.json"
    path.write_text(" [ ] ")

    with pytest.raises(ReadError, match="is an empty JSON array"):
        open_sources(path)


@pytest.mark.parametrize("content", ["[1, 2, 3]", '["x", "y"]', "[null]", "[[]]", "[{}, 5]"])
def test_an_array_of_anything_but_objects_is_refused(tmp_path, content):
    """Elements must be objects; a list of numbers is no vote log."""
    path = tmp_path / "votes.json"
    path.write_text(content.replace("{}", json.dumps(ROWS[0])))

    with pytest.raises(ReadError, match=r"votes\.json"):
        count_pairs(path)

    assert path.exists()


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_only_columns_in_use_are_parsed(tmp_path, form):
    """A column that cannot be read at all does no harm to a count that has no use for it."""
    rows = [{**ROWS[0], "extra": {"a": 1}}] * 10_000 + [{**ROWS[0], "extra": "text"}]
    path = write(tmp_path / f"votes.{form}", rows)

    counts = count_pairs(path)

    assert counts.frame().rows() == [("x", "y", 10_001.0, 0.0, 0.0, 0.0)]
    with pytest.raises(pl.exceptions.PolarsError):
        open_sources(path)[0].raw.select("extra").collect()


def test_an_array_of_many_blocks_is_read_whole(tmp_path):
    """An array of several blocks gives all rows, their number, and any head of them."""
    rows = [{"i": i, "filler": "{" * 500} for i in range(20_000)]
    (source,) = open_sources(write(tmp_path / "votes.json", rows))

    in_order = source.raw.select(pl.col("i").cast(pl.Int64)).collect()["i"].to_list()
    number = source.raw.select(pl.len()).collect().item()
    head = source.raw.head(12_345).select("i").collect().height
    some = source.raw.filter(pl.col("i").is_in(["3", "19999"])).collect().height

    assert in_order == list(range(20_000))
    assert (number, head, some) == (20_000, 12_345, 2)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_progress_through_an_array_ends_at_its_end(tmp_path, suffix):
    """Progress grows, never passes the size of the file, and gets there but for the bracket."""
    path = write(tmp_path / f"votes.json{suffix}", incompressible(60_000))
    calls = []

    tally_votes(read_battles(path, progress=lambda *call: calls.append(call)))

    done = [call[1] for call in calls]
    assert {(name, total) for name, _, total in calls} == {(str(path), path.stat().st_size)}
    assert done == sorted(done)
    assert pytest.approx(done[-1], rel=1e-6) == path.stat().st_size


def test_keys_may_come_in_any_order_and_may_be_absent(tmp_path):
    """Elements of an array need not be alike: a key that is missing is null."""
    rows = [
        {"model_a": "x", "model_b": "y", "winner": "tie"},
        {"winner": "tie", "model_b": "x", "model_a": "y"},
        {"model_b": "y", "model_a": "x"},
    ]

    tally = tally_votes(read_battles(write(tmp_path / "votes.json", rows)))

    assert tally.counts.frame().rows() == table(rows[:2])
    assert tally.readings[0].rejected == {"no winner": 1.0}
