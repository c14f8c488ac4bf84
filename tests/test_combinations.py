"""Combinations of coded columns are those of a group-by on the values."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arena import combinations
from arena.combinations import combine, unite


def coded(frame):
    """A frame as values and codes, each column by its own order of first sight."""
    columns = {}
    for name in frame.columns:
        values = frame[name].unique(maintain_order=True)
        place = values.to_list()
        columns[name] = values, np.array([place.index(one) for one in frame[name]], np.int64)
    return columns


def shown(found):
    """Combinations as a frame."""
    return found.frame().with_columns(rows=pl.Series(found.rows))


def grouped(frame):
    """The definition."""
    return frame.group_by(frame.columns).agg(pl.len().cast(pl.Int64).alias("rows"))


def table(n=400, seed=0):
    """Text and Booleans, some of them missing."""
    rng = np.random.default_rng(seed)
    names = pl.Series(["x", "X ", "y", "", None], dtype=pl.String)
    return pl.DataFrame(
        {
            "a": names.gather(rng.integers(0, 5, n)),
            "b": names.gather(rng.integers(0, 5, n)),
            "c": pl.Series([True, False, None]).gather(rng.integers(0, 3, n)),
        }
    )


@pytest.mark.parametrize(("dense", "largest"), [(1 << 22, 1 << 62), (0, 1 << 62), (0, 40)])
def test_combinations_are_those_of_a_group_by(monkeypatch, dense, largest):
    """Whether each has a counter, or rows are sorted, or keys are too large to be one number."""
    monkeypatch.setattr(combinations, "DENSE_MOST", dense)
    monkeypatch.setattr(combinations, "LARGEST_KEY", largest)
    frame = table()

    found = combine(coded(frame))

    assert_frame_equal(shown(found), grouped(frame), check_row_order=False)


@pytest.mark.parametrize("dense", [1 << 22, 0])
def test_parts_are_united(monkeypatch, dense):
    """Each part has values in an order of its own, and some that the other lacks."""
    monkeypatch.setattr(combinations, "DENSE_MOST", dense)
    parts = [table(50, seed=1), table(70, seed=2).filter(pl.col("a") != "x"), table(1, seed=3)]

    found = unite([combine(coded(part)) for part in parts])

    assert_frame_equal(shown(found), grouped(pl.concat(parts)), check_row_order=False)


def test_what_expressions_make_of_rows_they_make_of_combinations():
    """Of one column, of several, of none; values that become equal are added up."""
    frame = table()
    made = {
        "name": pl.col("a").str.strip_chars().str.to_lowercase(),
        "same": pl.col("a") == pl.col("b"),
        "always": pl.lit(7),
    }

    found = combine(coded(frame)).made(made)

    assert_frame_equal(shown(found), grouped(frame.select(**made)), check_row_order=False)
