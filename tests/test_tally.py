"""Votes are counted one by one, whatever their order, and every row is accounted for."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import LOGS, WINNERS, table, votes

from arena.battles import read_battles
from arena.counts import PairCounts
from arena.errors import NoEstimateError
from arena.tally import count_pairs, tally_votes


def count(rows):
    """The pair counts of rows."""
    return count_pairs(pl.DataFrame(rows))


# ── the definition ───────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(rows=LOGS)
def test_counts_are_what_counting_one_by_one_gives(rows):
    """The streaming group-by agrees with the definition written out slowly."""
    counts = count(rows)

    assert counts.frame().rows() == table(rows)
    assert counts.n_battles == float(len(rows))


@settings(max_examples=30, deadline=None)
@given(rows=LOGS)
def test_names_and_pairs_are_sorted_and_each_is_there_once(rows):
    """The model index is the sorted set of names, and pairs are in its order."""
    counts = count(rows)

    assert counts.models == tuple(sorted({row[c] for row in rows for c in ("model_a", "model_b")}))
    assert [tuple(pair) for pair in counts.pairs.tolist()] == sorted(
        {tuple(pair) for pair in counts.pairs.tolist()}
    )
    assert counts.outcomes.shape == (len(counts.pairs), 4)
    assert counts.n_models == len(counts.models)


@settings(max_examples=30, deadline=None)
@given(rows=LOGS, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(rows, order):
    """Votes are a set with repeats, not a sequence."""
    shuffled = order.sample(rows, len(rows))

    assert count(rows).frame().equals(count(shuffled).frame())


# ── faults that must be seen ─────────────────────────────────────────────────────────────


def test_both_bad_is_kept_apart_from_tie():
    """A tie between bad answers is another vote than a tie."""
    rows = votes("x y tie", "x y tie", "x y both_bad")

    counts = count(rows)

    assert counts.outcomes.tolist() == [[0.0, 0.0, 2.0, 1.0]]


def test_sides_are_kept_apart_until_they_are_folded():
    """Which model was shown first is in the counts, for whoever asks about position."""
    rows = votes("x y model_a", "y x model_a")

    counts = count(rows)

    assert counts.frame().rows() == [("x", "y", 1.0, 0.0, 0.0, 0.0), ("y", "x", 1.0, 0.0, 0.0, 0.0)]


def test_names_are_told_apart_by_every_character():
    """Case, spaces and accents make other models; nothing is trimmed or folded."""
    alike = ["gpt-4", "GPT-4", "gpt-4 ", "gpt‑4", "gpt-4\u0301"]

    counts = count([{"model_a": a, "model_b": "y", "winner": "tie"} for a in alike])

    assert counts.models == tuple(sorted([*alike, "y"]))


def test_a_log_without_rows_has_no_counts_and_says_so():
    """A table with a header and nothing under it can be counted, but not rated."""
    tally = tally_votes(read_battles(pl.DataFrame(votes("x y tie")).clear()))

    with pytest.raises(NoEstimateError, match="no votes to rate: frame: plain format, 0 votes"):
        tally.refuse_empty()

    assert (
        tally.counts.n_models,
        tally.counts.pairs.shape,
        tally.counts.outcomes.shape,
    ) == (0, (0, 2), (0, 4))
    assert tally.counts.cells.left.size == 0


def test_ten_thousand_votes_count_the_same_whatever_their_blocks(tmp_path):
    """Counting in a stream of pieces loses and doubles nothing."""
    chance = random.Random(1)
    rows = [
        dict(
            zip(
                ("model_a", "model_b", "winner"),
                (*chance.sample("vwxyz", 2), chance.choice(WINNERS)),
                strict=True,
            )
        )
        for _ in range(10_000)
    ]
    path = tmp_path / "votes.parquet"
    pl.DataFrame(rows).write_parquet(path, row_group_size=77)

    counts = count_pairs(path)

    assert counts.frame().rows() == table(rows)


def test_weights_add_up_to_what_their_sum_is():
    """Weighted votes are added exactly where floating point can."""
    log = pl.DataFrame(votes("x y tie", "x y tie", "y x model_a")).with_columns(
        w=pl.Series([0.25, 0.5, 2.0])
    )

    counts = count_pairs(read_battles(log, columns={"weight": "w"}))

    np.testing.assert_array_equal([[0, 0, 0.75, 0], [2.0, 0, 0, 0]], counts.outcomes)
    assert isinstance(counts, PairCounts)
