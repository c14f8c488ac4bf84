"""The board without seen battles: it undoes what was planted, and says where nothing was."""

import numpy as np
import polars as pl
import pytest
from seen_world import match_of, world
from worlds import battles, log, won

from arena.battles import read_battles
from arena.comparison import compare
from arena.errors import ColumnError, OptionError
from arena.filters import where
from arena.leaderboard import Scale
from arena.removal import remove_seen, unseen_only
from arena.unseen_filter import unseen

POINTS = Scale().per_log_odds
UPLIFT = 1.5
"""Log-odds that the exposed model gains on seen prompts."""


def quickly(battles, *args, **options):
    """`remove_seen` with few draws."""
    return remove_seen(battles, *args, **({"draws": 100, "rounds": 100} | options))


def test_removal_restores_the_rating_before_the_uplift():
    """What was planted goes; the clean rating lies within the interval, and chance does less."""
    frame, strength = world(uplift=UPLIFT)

    found = quickly(read_battles(frame), match_of(frame), cluster="prompt")

    true = np.array(list(strength.values()))
    clean = 1000 + POINTS * (true - true.mean())[0]
    row = found.frame.row(by_predicate=pl.col("model") == "m000", named=True)
    assert row["rating_base"] > clean + 25
    assert row["change_upper"] < row["null_lower"] < 0
    assert row["p_adjusted"] < 0.05 > found.p_board
    kept, base = (
        board.frame.row(by_predicate=pl.col("model") == "m000", named=True)
        for board in (found.kept, found.base)
    )
    assert kept["rating_lower"] < clean < kept["rating_upper"]
    assert clean < base["rating_lower"]


def test_the_placebo_sees_nothing_in_seen_prompts_that_are_nothing_special():
    """Of logs without uplift, few have a small p-value."""
    p = [
        quickly(read_battles(frame), match_of(frame), draws=60, rounds=2).p_board
        for frame in (world(1_500, seed=seed)[0] for seed in range(12))
    ]

    assert sum(one < 0.1 for one in p) <= 4
    assert 0.2 < np.mean(p) < 0.8


@pytest.mark.parametrize("scope", ["battle", "model"])
def test_it_is_the_comparison_with_unseen_battles(scope):
    """Nothing else, options included; and by the log's own columns it is the same."""
    frame, _ = world(800)
    log = read_battles(frame, keep=["seen"])
    options = {"draws": 30, "rounds": 30, "level": 0.8, "seed": 3, "scale": Scale(200)}

    by_match = remove_seen(log, match_of(frame), scope=scope, **options)
    by_columns = remove_seen(log, scope=scope, **options)

    plain = compare(log, unseen(match_of(frame), by=scope), **options)
    assert by_match.frame.equals(plain.frame)
    assert by_columns.frame.equals(plain.frame)
    assert by_match.options == plain.options


def test_the_scope_says_whose_battles_go():
    """All on seen prompts, or only those of a model that had seen them."""
    frame, _ = world(800)
    log = read_battles(frame, keep=["seen"])

    wide, narrow = (quickly(log, scope=scope) for scope in ("battle", "model"))

    either = frame["seen_a"] | frame["seen_b"]
    assert wide.kept.fit.counts.n_battles == (~frame["seen"]).sum()
    assert narrow.kept.fit.counts.n_battles == (~either).sum()
    assert wide.kept.fit.counts.n_battles < narrow.kept.fit.counts.n_battles


def test_without_a_column_for_all_the_sides_tell():
    """A log of `seen_a` and `seen_b` alone loses the battles in which either had seen it."""
    frame, _ = world(800)
    log = read_battles(frame.drop("seen"), keep=["seen"])

    found = quickly(log, scope="battle")

    assert found.kept.fit.counts.n_battles == (~(frame["seen_a"] | frame["seen_b"])).sum()


def test_a_row_that_does_not_tell_is_unknown():
    """Dropped and counted, unless one side had seen the prompt for sure."""
    rows = [*won("x", "y", 4), *won("y", "x", 4)]
    frame = log(*rows).with_columns(
        seen_a=pl.Series([True, None, None, False] * 2),
        seen_b=pl.Series([None, True, False, False] * 2),
    )

    found = quickly(read_battles(frame, keep=["seen"]))

    assert found.tally.funnel.select("before", "dropped", "unknown", "after").row(0) == (8, 6, 2, 2)


def test_columns_are_asked_for_by_name():
    """Without a match and without them there is nothing to go by."""
    with pytest.raises(ColumnError, match="no column 'seen_a', which the filter 'unseen"):
        remove_seen(read_battles(battles(3, 50)))


def test_scores_are_not_flags():
    """A column of numbers between is refused, and named."""
    frame = battles(3, 50).with_columns(seen_a=pl.lit(0.0), seen_b=pl.lit(0.4))

    with pytest.raises(ColumnError, match=r"column 'seen_b': 0\.4 is neither 0 nor 1"):
        remove_seen(read_battles(frame, keep=["seen"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "prompt"}, "scope: 'prompt' is not one of battle, model"),
        ({"short": "drop"}, "short: says what to do with the prompts of a match"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    """In one line."""
    with pytest.raises(OptionError, match=message):
        unseen_only(**options)


def test_a_log_in_which_nothing_was_seen_has_nothing_to_remove():
    """It is said, and no board is made."""
    frame = battles(3, 50).with_columns(seen_a=pl.lit(False), seen_b=pl.lit(False))

    with pytest.raises(OptionError, match="drop no vote"):
        remove_seen(read_battles(frame, keep=["seen"]))


def test_the_filter_combines_with_others():
    """It is a filter like any other."""
    frame, _ = world(400)
    log = read_battles(frame, keep=["seen"])

    found = compare(
        log, unseen_only() & where("m000", pl.col("model_a") != "m000"), draws=5, rounds=5
    )

    kept = frame.filter(~pl.col("seen") & (pl.col("model_a") != "m000"))
    assert found.kept.fit.counts.n_battles == kept.height
