"""Battles come in the order asked for, and are those that the readers see."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, won

from arena.battle_order import order_battles
from arena.battles import read_battles
from arena.errors import ColumnError, LabelError, NoEstimateError, OptionError
from arena.schema import UNVOTED
from arena.tally import tally_votes


def timed(frame, seed=0):
    """The log with a time for each battle, in the order of its rows; some share one."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    gaps = np.random.default_rng(seed).integers(0, 3, frame.height).cumsum()
    return frame.with_columns(tstamp=pl.Series([start + timedelta(seconds=int(g)) for g in gaps]))


def rows_of(order):
    """The battles of an order as (left, right, half points)."""
    left, right = ([order.models[i] for i in side] for side in (order.left, order.right))
    return list(zip(left, right, order.half_points.tolist(), strict=True))


# ── the order ──────────────────────────────────────────────────────────────────────────────


def test_a_log_without_times_is_refused():
    """Its order cannot be known; the message says what is missing and the ways out."""
    with pytest.raises(ColumnError, match=r"frame: no column 'tstamp'.*--order as-is") as caught:
        order_battles(log(*won("x", "y")))

    assert "--columns tstamp=" in str(caught.value)
    assert "shuffle:SEED" in str(caught.value)


def test_battles_without_a_time_are_counted_and_refused():
    """Only accepted battles count: a rejected row needs no time."""
    times = [datetime(2024, 1, 1, tzinfo=UTC), None, None]
    frame = log(("x", "y", "tie"), ("y", "x", "tie"), ("x", "x", "tie"))

    with pytest.raises(ColumnError, match="column 'tstamp': 1 of 2 battles have no time"):
        order_battles(frame.with_columns(tstamp=pl.Series(times)))


def test_counted_and_weighted_votes_are_refused_in_any_order():
    """Counts do not say which battle came first, and no battle is half a battle."""
    counts = {"model_a": ["x"], "model_b": ["y"], "wins_a": [3], "wins_b": [1], "ties": [0]}
    weighted = timed(log(*won("x", "y"))).with_columns(share=pl.lit(0.5))

    with pytest.raises(ColumnError, match="frame: its rows have votes"):
        order_battles(pl.DataFrame(counts), order="as-is")
    with pytest.raises(ColumnError, match="frame: its rows have weight"):
        order_battles(read_battles(weighted, columns={"weight": "share"}))


@pytest.mark.parametrize("order", ["random", "shuffle", "shuffle:", "shuffle:-1", "shuffle:٣", ""])
def test_an_unknown_order_is_refused(order):
    """The error quotes it and names those there are."""
    with pytest.raises(OptionError, match=f"'{order}' is not one of time, as-is, shuffle:SEED"):
        order_battles(log(*won("x", "y")), order=order)


def test_time_decides_and_not_the_place_in_the_file():
    """A log whose rows are shuffled gives the same ratings, where no two times are equal."""
    frame = (
        battles(8, 2_000).with_row_index("tstamp").with_columns(pl.col("tstamp") + 1_700_000_000)
    )
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)

    expected, found = (order_battles(each) for each in (frame, shuffled))

    assert rows_of(found) == rows_of(expected)
    assert rows_of(order_battles(shuffled, order="as-is")) != rows_of(expected)


def test_battles_of_one_time_stay_as_they_stand():
    """A stable sort: late battles first in the file move back, in their order."""
    frame = timed(battles(8, 2_000))
    late, early = frame[1_200:], frame[:1_200]
    moved = pl.concat([late, early])
    in_order = moved.with_row_index().sort("tstamp", "index")

    found = order_battles(moved)

    assert rows_of(found) == rows_of(order_battles(in_order, order="as-is"))


def test_files_are_put_into_one_order_of_time():
    """Two files of alternate battles are one log."""
    frame = battles(5, 400).with_row_index("tstamp").with_columns(pl.col("tstamp") * 60)
    halves = [frame.gather_every(2, offset) for offset in (1, 0)]

    assert rows_of(order_battles(halves)) == rows_of(order_battles(frame))


def test_one_file_without_times_is_named(tmp_path):
    """Of two files the one at fault is in the message."""
    frame = timed(battles(4, 50))
    with_times, without = tmp_path / "with.parquet", tmp_path / "without.parquet"
    frame.write_parquet(with_times)
    frame.drop("tstamp").write_parquet(without)

    with pytest.raises(ColumnError, match=r"without\.parquet: no column 'tstamp'"):
        order_battles([str(with_times), str(without)])


def test_a_shuffle_depends_on_its_seed_alone():
    """Same seed, same order; another seed, another one; the battles are the same."""
    frame = battles(6, 500)

    one, again, other = (
        rows_of(order_battles(frame, order=f"shuffle:{seed}")) for seed in (1, 1, 2)
    )

    assert one == again != other
    assert sorted(one) == sorted(other) == sorted(rows_of(order_battles(frame, order="as-is")))


# ── names as integers ──────────────────────────────────────────────────────────────────────

LONG = "a name of a model that is longer than twelve bytes, number "


def expected_rows(frame):
    """The accepted battles of a log, by the battle schema alone."""
    half = {"model_a": 2, "model_b": 0, "tie": 1, "both_bad": 1}
    kept = read_battles(frame).frame.select("model_a", "model_b", "winner").collect()
    return [(a, b, half[winner]) for a, b, winner in kept.iter_rows()]


def prefixed(frame, text):
    """The log with longer names."""
    return frame.with_columns(pl.format(text + "{}", c).alias(c) for c in ("model_a", "model_b"))


def chunked(frame):
    """The log in several pieces of memory."""
    return pl.concat([frame[:300], frame[300:301], frame[301:]], rechunk=False)


def long_names(frame):
    """The log with names that do not fit in a view of text, each row's in its own place."""
    return prefixed(frame, LONG)


def categories(frame):
    """The log with columns of categories."""
    return frame.with_columns(pl.col("model_a", "winner").cast(pl.Categorical))


def with_nulls(frame):
    """The log with empty cells."""
    row = pl.int_range(pl.len())
    return frame.with_columns(
        pl.when(row % every != 0).then(pl.col(name)).alias(name)
        for name, every in (("model_a", 7), ("model_b", 11), ("winner", 5))
    )


@pytest.mark.parametrize("shape", [chunked, long_names, categories, with_nulls, pl.DataFrame.lazy])
def test_battles_are_those_of_the_schema(shape):
    """However the names lie in memory, they are the names that the readers see."""
    frame = shape(battles(40, 3_000))

    found = order_battles(frame, order="as-is")

    assert rows_of(found) == expected_rows(frame)
    assert list(found.models) == sorted(found.models)


@pytest.mark.parametrize("names", ["m", LONG])
def test_battles_come_back_from_a_file(tmp_path, names):
    """Texts of one Parquet dictionary are told apart as well as texts on their own."""
    frame = prefixed(battles(40, 5_000), names)
    path = tmp_path / "votes.parquet"
    frame.write_parquet(path, row_group_size=700)

    found = order_battles(str(path), order="as-is")

    assert rows_of(found) == expected_rows(frame)


def test_rows_that_do_not_count_are_those_of_the_counts():
    """Rejected and set-aside rows are the same there, and their models are not rated."""
    frame = with_nulls(battles(8, 600)).with_columns(anony=pl.int_range(pl.len()) % 3 != 0)
    odd = log(("loner", "loner", "tie"), (" ", "x", "tie"), ("x", "y", " "), ("x", "y", UNVOTED))
    unsaid = odd[2:].with_columns(anony=pl.lit(None, pl.Boolean))
    logs = [frame, odd.with_columns(anony=True), unsaid]

    found = order_battles(logs, order="as-is")

    tally = tally_votes(read_battles(logs))
    assert rows_of(found) == expected_rows(logs)
    assert [r.account() for r in found.readings] == [r.account() for r in tally.readings]
    assert found.models == tally.counts.models
    assert found.n_battles == tally.counts.n_battles


def test_an_unknown_vote_is_refused_as_in_the_counts():
    """The same error, to the letter."""
    frame = log(*won("x", "y", 3), *[("x", "y", "banana")] * 2, ("x", "y", "Tie"))
    with pytest.raises(LabelError) as of_counts:
        tally_votes(read_battles(frame))

    with pytest.raises(LabelError) as of_elo:
        order_battles(frame, order="as-is")

    assert str(of_elo.value) == str(of_counts.value)


@pytest.mark.parametrize("rows", [[], [("x", "x", "tie")]])
def test_a_log_without_battles_is_refused(rows):
    """There is nothing to rate, and the message says what became of the rows."""
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(("model_a", "model_b", "winner"), pl.String), orient="row"
    )

    with pytest.raises(NoEstimateError, match="no votes to rate: frame: plain format"):
        order_battles(frame, order="as-is")
