"""Ratings exist where points were taken and given; elsewhere the reason is said."""

import itertools

import numpy as np
import pytest
from worlds import counted, tied, won

from arena.counts import PairCounts
from arena.errors import NoEstimateError
from arena.existence import largest_group, left_out, refuse_separation

CYCLE = [*won("a", "b"), *won("b", "c"), *won("c", "a")]


def reasons(*rows):
    """Model → why it is left out."""
    counts = counted(*rows)
    return {one.model: one.reason for one in left_out(counts, largest_group(counts))}


def test_a_cycle_is_on_one_scale():
    """Three models that beat each other in turn can all be rated."""
    connected = largest_group(counted(*CYCLE))

    assert connected.kept.tolist() == [0, 1, 2]
    assert connected.side.tolist() == [0.0, 0.0, 0.0]


def test_one_tie_joins_two_models():
    """A tie gives a point both ways, so it bounds the gap from both sides."""
    assert reasons(*tied("a", "b")) == {}


def test_where_ties_are_dropped_they_join_nobody():
    """Under the drop rule a tie is no evidence, and a model with only ties is not rated."""
    counts = counted(*CYCLE, *tied("a", "d"))

    outside = left_out(counts, largest_group(counts, counts_ties=False), counts_ties=False)

    assert [(one.model, one.reason) for one in outside] == [("d", "no decided battle (1 battle)")]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (won("x", "a", 3), {"x": "never lost (3 battles)"}),
        (won("a", "x"), {"x": "never won (1 battle)"}),
        (
            [*tied("x", "y"), *won("x", "a")],
            {
                "x": "no chain of results by which a rated model takes a point from it (2 battles)",
                "y": "no chain of results by which a rated model takes a point from it (1 battle)",
            },
        ),
        (
            [*tied("x", "y"), *won("a", "x")],
            {
                "x": "no chain of results by which it takes a point from a rated model (2 battles)",
                "y": "no chain of results by which it takes a point from a rated model (1 battle)",
            },
        ),
        (
            tied("x", "y", 9),
            {
                name: "never met the rated models, even through others (9 battles; 1 other with it)"
                for name in "xy"
            },
        ),
    ],
)
def test_each_model_left_out_has_its_own_reason(extra, expected):
    """Undefeated, winless, above, below, and never met are told apart."""
    assert reasons(*CYCLE, *extra) == expected


def test_the_group_with_more_models_is_the_one_rated():
    """Three models with three battles go before two with a hundred."""
    assert set(reasons(*CYCLE, *tied("x", "y", 100))) == {"x", "y"}


def test_of_groups_of_one_size_the_one_with_more_battles_is_rated():
    """The size being equal, votes decide."""
    assert set(reasons(*tied("a", "b"), *tied("x", "y", 2))) == {"a", "b"}


def test_nobody_on_one_scale_is_an_error():
    """A chain of wins without a return leaves nothing to rate."""
    with pytest.raises(NoEstimateError, match="no two of the 3 models"):
        largest_group(counted(*won("a", "b"), *won("b", "c")))


def test_refusing_names_the_models_and_the_way_out():
    """The error says who is the reason, why, and what else can be done."""
    counts = counted(*CYCLE, *won("x", "a"))

    with pytest.raises(NoEstimateError, match=r"1 of 4 models.*'x': never lost \(1 battle\).*drop"):
        refuse_separation(counts, left_out(counts, largest_group(counts)))


def test_the_check_is_fords_condition():
    """On every tournament of four models: rated together iff no group is above the rest."""
    pairs = np.array(list(itertools.combinations(range(4), 2)))
    for results in itertools.product([0, 1, 2], repeat=6):
        outcomes = np.eye(4)[list(results)]
        counts = PairCounts(("a", "b", "c", "d"), pairs, outcomes)
        scored = np.zeros((4, 4), dtype=bool)
        for (i, j), result in zip(pairs, results, strict=True):
            scored[i, j], scored[j, i] = result in (0, 2), result in (1, 2)
        groups = itertools.chain.from_iterable(
            itertools.combinations(range(4), k) for k in (1, 2, 3)
        )
        bounded = all(
            scored[np.ix_(group, [k for k in range(4) if k not in group])].any() for group in groups
        )
        try:
            together = largest_group(counts).kept.size == 4
        except NoEstimateError:
            together = False

        assert together == bounded
