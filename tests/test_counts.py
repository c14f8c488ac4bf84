"""Pair counts are merged, restricted, folded and hashed without losing a vote."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import LOGS, NAMES, WINNERS, round_robin, table, votes

from arena.tally import count_pairs

OTHER_SIDE = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", "both_bad": "both_bad"}


def count(rows):
    """The pair counts of rows."""
    return count_pairs(pl.DataFrame(rows))


def swapped(row):
    """The same vote with the models shown on the other sides."""
    return {
        "model_a": row["model_b"],
        "model_b": row["model_a"],
        "winner": OTHER_SIDE[row["winner"]],
    }


def cells(counts):
    """Folded counts by name."""
    folded = counts.cells
    rows = zip(folded.left, folded.right, folded.outcomes.tolist(), strict=True)
    return {(counts.models[i], counts.models[j]): outcomes for i, j, outcomes in rows}


# ── folding ─────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(rows=LOGS, order=st.randoms(use_true_random=False))
def test_swapping_sides_with_the_winner_makes_no_difference_once_folded(rows, order):
    """Who was shown on the left is forgotten by folding, and nothing else is."""
    mirrored = [swapped(row) if order.random() < 0.5 else row for row in rows]

    assert cells(count(mirrored)) == cells(count(rows))


@settings(max_examples=30, deadline=None)
@given(rows=LOGS)
def test_folding_gives_the_two_orders_of_a_pair_added_up(rows):
    """A folded cell holds (left won, right won, tie, both bad), left being first by name."""
    expected = {}
    for row in rows:
        row = row if row["model_a"] < row["model_b"] else swapped(row)
        cell = expected.setdefault((row["model_a"], row["model_b"]), [0.0] * 4)
        cell[WINNERS.index(row["winner"])] += 1.0

    assert cells(count(rows)) == expected


# ── merging and restricting ────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(one=LOGS, other=LOGS)
def test_merging_shards_gives_the_counts_of_the_whole(one, other):
    """Counting two halves and adding is counting the whole, in either order."""
    whole = count(one + other).frame()

    assert whole.equals((count(one) + count(other)).frame())
    assert whole.equals((count(other) + count(one)).frame())


@settings(max_examples=30, deadline=None)
@given(rows=LOGS, keep=st.sets(NAMES))
def test_restricting_gives_the_counts_of_the_battles_among_the_kept(rows, keep):
    """Only battles with both models kept remain, and the models keep their names."""
    counts = count(rows)
    inside = [row for row in rows if {row["model_a"], row["model_b"]} <= keep]
    kept = [i for i, name in enumerate(counts.models) if name in keep]

    restricted = counts.restrict(kept[::-1])

    assert restricted.frame().rows() == table(inside)
    assert restricted.models == tuple(counts.models[i] for i in kept)


def test_the_counts_format_is_read_back_as_the_counts_it_was_written_from():
    """What arena writes as counts, arena reads as the same counts."""
    counts = count(round_robin("x", "y", "z") + votes("x y both_bad", "z y tie"))

    again = count_pairs(counts.frame())

    assert counts.frame().equals(again.frame())
    assert again.sha256() == counts.sha256()


# ── the hash ───────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30, deadline=None)
@given(rows=LOGS, order=st.randoms(use_true_random=False))
def test_the_hash_depends_neither_on_order_nor_on_sides(rows, order):
    """Two logs of the same votes have the same hash."""
    mirrored = [swapped(row) if order.random() < 0.5 else row for row in rows]
    shuffled = order.sample(mirrored, len(mirrored))

    assert count(shuffled).sha256() == count(rows).sha256()


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize(
    "changed", ["x y model_b", "y z both_bad", "x z model_a", "w y tie", "w z tie", "x w model_a"]
)
def test_the_hash_changes_with_a_single_vote(at, changed):
    """One other vote in hundreds is seen, whichever it replaces."""
    rows = votes(*["x y tie", "y z model_a", "x z tie"] * 200)

    other = [*rows[:at], *votes(changed), *rows[at + 1 :]]

    assert count(rows).sha256() != count(other).sha256()


@pytest.mark.parametrize("renamed", ["w", "xx", "zz"])
@pytest.mark.parametrize("model", ["x", "y", "z"])
def test_the_hash_changes_with_a_name(model, renamed):
    """The same numbers for other models are other votes."""
    rows = votes("x y tie", "y z model_a", "x z tie")

    other = [{key: renamed if v == model else v for key, v in row.items()} for row in rows]

    assert count(rows).sha256() != count(other).sha256()


def test_the_hash_changes_when_a_vote_is_added():
    """The number of votes is part of the hash."""
    rows = votes("x y tie", "y z model_a")

    assert count(rows).sha256() != count(rows * 2).sha256()


# ── faults that must be seen ───────────────────────────────────────────────────────────────


def test_counts_cannot_be_changed_in_place():
    """Counts are the same for everybody who holds them."""
    counts = count(votes("x y tie"))

    with pytest.raises(ValueError, match="read-only"):
        counts.outcomes[0, 0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        counts.pairs[0, 0] = 1

    assert counts.n_battles == 1.0


def test_merging_with_nothing_changes_nothing():
    """Counts without votes are the zero of adding counts."""
    counts = count(round_robin("x", "y"))
    nothing = count(votes("x y tie")).restrict([])

    assert counts.frame().equals((counts + nothing).frame())
    assert (nothing + nothing).n_battles == 0.0
