"""Counting a frame in memory by numbers for its texts is counting its rows."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from worlds import battles

from arena import frame_counts, tally
from arena.battles import read_battles
from arena.frame_counts import count_frame
from arena.tally import tally_votes


def messy(n=3_000, seed=0):
    """Short and long names, the empty one, other scripts, and none at all."""
    rng = np.random.default_rng(seed)
    names = ["x", "a name of more than twelve bytes", "漢字", "", None, "a b"]
    texts = pl.Series(names, dtype=pl.String)
    return pl.DataFrame(
        {
            "model_a": texts.gather(rng.integers(0, len(names), n)),
            "model_b": texts.gather(rng.integers(0, len(names), n)),
            "anony": pl.Series([True, False, None]).gather(rng.integers(0, 3, n)),
        }
    )


def in_pieces(frame):
    """The same rows in three pieces of memory, the texts of each at places of their own."""
    thirds = [frame[i::3] for i in range(3)]
    return pl.concat([pl.DataFrame(one.to_dict(as_series=False)) for one in thirds], rechunk=False)


@pytest.mark.parametrize("batch", [1 << 19, 700])
@pytest.mark.parametrize("pieces", [False, True])
def test_combinations_are_those_of_a_group_by(monkeypatch, batch, pieces):
    """Of text, Booleans and nulls, in any number of batches and of pieces."""
    monkeypatch.setattr(frame_counts, "BATCH_ROWS", batch)
    frame = in_pieces(messy()) if pieces else messy()

    found = count_frame(frame, frame.columns)

    counted = found.frame().with_columns(rows=pl.Series(found.rows))
    expected = frame.group_by(frame.columns).agg(rows=pl.len().cast(pl.Int64))
    assert_frame_equal(counted, expected, check_row_order=False)


def test_too_many_texts_are_left_to_the_rows(monkeypatch):
    """There a group-by is as quick."""
    monkeypatch.setattr(frame_counts, "MOST_TEXTS", 3)

    assert count_frame(messy(), ["model_a"]) is None
    assert count_frame(messy(), ["anony"]) is not None


def test_other_kinds_are_left_to_the_rows():
    """Numbers and categories, and no rows at all."""
    assert count_frame(pl.DataFrame({"x": [1, 2]}), ["x"]) is None
    assert count_frame(messy().cast({"model_a": pl.Categorical}), ["model_a"]) is None
    assert count_frame(messy().clear(), ["model_a"]) is None


@pytest.mark.parametrize("beside", [False, True])
def test_a_large_frame_is_counted_as_by_its_rows(monkeypatch, beside):
    """Counts, and the account of rows that do not count; alone or beside another one."""
    kinds = pl.Series(["model_a", "model_b", "tie", None, " "], dtype=pl.String)
    rows = np.random.default_rng(1).integers(0, 5, 3_000)
    frame = messy().with_columns(winner=kinds.gather(rows))
    log = read_battles([frame, battles(4, 100)] if beside else frame)
    by_rows = tally_votes(replace(log, expressions=()))
    monkeypatch.setattr(tally, "LARGE_FRAME", 1)
    monkeypatch.setattr(tally, "_from_rows", None)

    found = tally_votes(log)

    assert found.counts.sha256() == by_rows.counts.sha256()
    assert [one.account() for one in found.readings] == [one.account() for one in by_rows.readings]
