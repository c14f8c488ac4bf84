"""Counting by dictionary codes is counting rows, whatever the file looks like."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal
from worlds import battles

from arena.battles import read_battles
from arena.dictionary_counts import count_combinations
from arena.errors import LabelError, ReadError
from arena.tally import group_votes, tally_votes


def messy(n=3_000, seed=0):
    """A log with empty names, missing votes, self-battles, other scripts, and named battles."""
    rng = np.random.default_rng(seed)
    names = pl.Series(["x", "y", "漢字", "", None, "a b", "=cmd()"], dtype=pl.String)
    winners = pl.Series(["model_a", "model_b", "tie", "tie (bothbad)", None], dtype=pl.String)
    return pl.DataFrame(
        {
            "model_a": names.gather(rng.integers(0, len(names), n)),
            "model_b": names.gather(rng.integers(0, len(names), n)),
            "winner": winners.gather(rng.integers(0, len(winners), n)),
            "anony": pl.Series([True, False, None]).gather(rng.integers(0, 3, n)),
        }
    )


def rows_alone(log):
    """The same battles, counted from their rows."""
    return replace(log, expressions=())


def counted(path, columns):
    """The combinations in a file, as a frame, and how many rows have each."""
    found = count_combinations(str(path), columns)
    return found.frame().with_columns(rows=pl.Series(found.rows))


def grouped(frame):
    """The same by a group-by."""
    return frame.group_by(frame.columns).agg(pl.len().cast(pl.Int64).alias("rows"))


def same(log):
    """Assert that both ways give the same groups and the same account."""
    by_code, by_row = (
        group_votes(one, {}).sort(pl.all().exclude("n")) for one in (log, rows_alone(log))
    )
    assert_frame_equal(by_code.select(by_row.columns), by_row, check_row_order=False)
    one, other = (tally_votes(each) for each in (log, rows_alone(log)))
    assert one.counts.sha256() == other.counts.sha256()
    assert [reading.account() for reading in one.readings] == [
        reading.account() for reading in other.readings
    ]


def test_combinations_are_those_of_a_group_by(tmp_path):
    """Of text, Booleans and nulls, over several row groups with dictionaries of their own."""
    frame = messy()
    frame.write_parquet(tmp_path / "log.parquet", row_group_size=700)

    found = counted(tmp_path / "log.parquet", frame.columns)

    assert_frame_equal(found, grouped(frame), check_row_order=False)


@pytest.mark.parametrize("many", [2, 5_000])
def test_many_names(tmp_path, many):
    """With more combinations than counters the rows are sorted, and counted all the same."""
    rng = np.random.default_rng(1)
    names = pl.Series([f"m{i}" for i in range(many)])
    frame = pl.DataFrame(
        {side: names.gather(rng.integers(0, many, 20_000)) for side in ("model_a", "model_b")}
    )
    frame.write_parquet(tmp_path / "log.parquet")

    found = counted(tmp_path / "log.parquet", frame.columns)

    assert_frame_equal(found, grouped(frame), check_row_order=False)


@pytest.mark.parametrize("anonymous_only", [True, False])
def test_a_log_is_counted_as_by_its_rows(tmp_path, anonymous_only):
    """Accepted, set aside and rejected, under the log's own names for columns and votes."""
    path = tmp_path / "log.parquet"
    messy().rename({"model_a": "left", "winner": "choice"}).with_columns(
        pl.col("choice").replace("tie", "draw")
    ).write_parquet(path)

    log = read_battles(
        path,
        columns={"model_a": "left", "model_b": "model_b", "winner": "choice"},
        outcomes={"draw": "tie"},
        anonymous_only=anonymous_only,
    )

    same(log)


def test_several_files_are_told_apart(tmp_path):
    """Also where one says who was anonymous and the other does not."""
    messy(seed=1).write_parquet(tmp_path / "a.parquet")
    messy(seed=2).drop("anony").write_parquet(tmp_path / "b.parquet")

    log = read_battles([tmp_path / "a.parquet", tmp_path / "b.parquet"])

    same(log)
    assert [reading.rows for reading in tally_votes(log).readings] == [3_000.0, 3_000.0]


def test_beside_another_format_rows_are_counted(tmp_path):
    """One file of text among them, and all go the general way."""
    battles(4, 100).write_parquet(tmp_path / "a.parquet")
    battles(4, 100, seed=1).write_csv(tmp_path / "b.csv")

    log = read_battles([tmp_path / "a.parquet", tmp_path / "b.csv"])

    assert tally_votes(log).counts.n_battles == 200


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["model_a", "model_b", "tie"])])
def test_columns_that_are_categories_already(tmp_path, kind):
    """Their codes are taken, or their rows, with the same result."""
    frame = battles(4, 500, both_bad_share=0.0).with_columns(pl.col("winner").cast(kind))
    frame.write_parquet(tmp_path / "log.parquet")

    same(read_battles(tmp_path / "log.parquet"))


def test_no_rows(tmp_path):
    """An empty file has no combinations."""
    battles(4, 10).head(0).write_parquet(tmp_path / "log.parquet")

    found = counted(tmp_path / "log.parquet", ["model_a", "winner"])

    assert found.shape == (0, 3)


def test_other_kinds_are_left_to_the_rows(tmp_path):
    """Numbers have no dictionary, so nothing is said of them."""
    pl.DataFrame({"x": [1, 2], "y": ["a", "b"]}).write_parquet(tmp_path / "log.parquet")

    assert count_combinations(str(tmp_path / "log.parquet"), ["x", "y"]) is None


def test_an_unknown_vote_is_quoted(tmp_path):
    """The error names the vote and the file, as for any log."""
    battles(4, 50).with_columns(winner=pl.lit("left")).write_parquet(tmp_path / "log.parquet")

    with pytest.raises(LabelError, match=r"log.parquet: unknown vote 'left' \(50 votes\)"):
        tally_votes(read_battles(tmp_path / "log.parquet"))


def test_a_damaged_file_is_named(tmp_path):
    """What cannot be read by codes is read by rows, which say what is wrong."""
    path = tmp_path / "log.parquet"
    battles(4, 20_000).write_parquet(path)
    data = bytearray(path.read_bytes())
    data[100:600] = bytes(500)
    path.write_bytes(data)

    with pytest.raises(ReadError, match=r"log.parquet: cannot be read to its end"):
        tally_votes(read_battles(path))


def test_text_that_is_none_is_named(tmp_path):
    """Bytes that are no UTF-8 in a column that says it is text: one line, the file in it."""
    path = tmp_path / "log.parquet"
    offsets = pa.array([0, 2, 4], pa.int32()).buffers()[1]
    data = pa.py_buffer(b"ab\xff\xfe")
    names = pa.StringArray.from_buffers(2, offsets, data)
    table = pa.table({"model_a": names, "model_b": ["x", "x"], "winner": ["tie", "tie"]})
    pq.write_table(table, path)

    with pytest.raises(ReadError, match=r"log.parquet: cannot be read to its end"):
        tally_votes(read_battles(path))


@pytest.mark.skipif(find_spec("pandas") is None, reason="pandas is not installed")
def test_pandas_is_not_imported(tmp_path):
    """It would take longer to import than the votes take to be counted."""
    battles(4, 100).with_columns(anony=True).write_parquet(tmp_path / "log.parquet")
    code = "import sys, arena; arena.rate(sys.argv[1]); sys.exit('pandas' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "log.parquet")], check=False)

    assert done.returncode == 0
