import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import WINNERS, round_robin, table, votes

from arena.battles import read_battles
from arena.counts import PairCounts, fold
from arena.errors import NoEstimateError
from arena.tally import count_pairs, tally_votes

names = st.sampled_from(["x", "y", "z", "Ω", "a b"])
battles = st.tuples(names, names, st.sampled_from(WINNERS)).filter(lambda one: one[0] != one[1])
some_votes = st.lists(battles, min_size=1, max_size=40).map(
    lambda rows: [dict(zip(("model_a", "model_b", "winner"), row, strict=True)) for row in rows]
)
OTHER_SIDE = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", "both_bad": "both_bad"}


def count(rows):
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
    folded = fold(counts)
    rows = zip(folded.left, folded.right, folded.outcomes.tolist(), strict=True)
    return {(counts.models[i], counts.models[j]): outcomes for i, j, outcomes in rows}


# ── the definition ─────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(rows=some_votes)
def test_counts_are_what_counting_one_by_one_gives(rows):
    """The streaming group-by agrees with the definition written out slowly."""
    counts = count(rows)

    assert counts.frame().rows() == table(rows)
    assert counts.n_battles == float(len(rows))


@settings(max_examples=30, deadline=None)
@given(rows=some_votes)
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
@given(rows=some_votes, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(rows, order):
    """Votes are a set with repeats, not a sequence."""
    shuffled = order.sample(rows, len(rows))

    assert count(rows).frame().equals(count(shuffled).frame())


@settings(max_examples=60, deadline=None)
@given(rows=some_votes, order=st.randoms(use_true_random=False))
def test_swapping_sides_with_the_winner_makes_no_difference_once_folded(rows, order):
    """Who was shown on the left is forgotten by folding, and nothing else is."""
    mirrored = [swapped(row) if order.random() < 0.5 else row for row in rows]

    assert cells(count(mirrored)) == cells(count(rows))


@settings(max_examples=30, deadline=None)
@given(rows=some_votes)
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
@given(one=some_votes, other=some_votes)
def test_merging_shards_gives_the_counts_of_the_whole(one, other):
    """Counting two halves and adding is counting the whole, in either order."""
    whole = count(one + other).frame()

    assert whole.equals((count(one) + count(other)).frame())
    assert whole.equals((count(other) + count(one)).frame())


@settings(max_examples=30, deadline=None)
@given(rows=some_votes, keep=st.sets(names))
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
@given(rows=some_votes, order=st.randoms(use_true_random=False))
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


def test_counts_cannot_be_changed_in_place():
    """Counts are the same for everybody who holds them."""
    counts = count(votes("x y tie"))

    with pytest.raises(ValueError, match="read-only"):
        counts.outcomes[0, 0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        counts.pairs[0, 0] = 1

    assert counts.n_battles == 1.0


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
    assert fold(tally.counts).left.size == 0


def test_merging_with_nothing_changes_nothing():
    """Counts without votes are the zero of adding counts."""
    counts = count(round_robin("x", "y"))
    nothing = count(votes("x y tie")).restrict([])

    assert counts.frame().equals((counts + nothing).frame())
    assert (nothing + nothing).n_battles == 0.0


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
