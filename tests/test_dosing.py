"""Doses of seen prompts: their ends are two boards, and between them prompts come in whole."""

import numpy as np
import polars as pl
import pytest
from seen_world import match_of, world
from worlds import battles

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.dose_tables import DosePlan
from arena.dosing import COLUMNS, dose
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import select, where
from arena.leaderboard import Scale
from arena.parts import count_part_clusters, count_parts
from arena.removal import remove_seen, unseen_only
from arena.tally import count_pairs

SEEN = where("seen", pl.col("seen") == 1.0)


def read(frame):
    """The votes, with the columns that say what was seen."""
    return read_battles(frame, keep=["seen"])


@pytest.fixture(scope="module")
def planted():
    """A log in which one model gains from seen prompts, and its doses."""
    frame, _ = world(2_000, uplift=1.5)
    return frame, dose(read(frame), match_of(frame), orders=40)


@pytest.mark.parametrize("scope", ["battle", "model"])
@pytest.mark.parametrize("scale", [None, Scale(200, 2.0, anchor=("m002", 1200.0))])
def test_the_ends_are_the_boards_without_and_with_seen_battles(scope, scale):
    """Those that removal compares, in rating, rank and battles, in whatever order."""
    frame, _ = world(1_200, uplift=1.0)
    log, match = read(frame), match_of(frame)

    found = dose(log, match, scope=scope, orders=3, scale=scale, shares=[0, 0.5, 1])

    both = remove_seen(log, match, scope=scope, draws=5, rounds=5, scale=scale).frame
    for share, board in ((0.0, "kept"), (1.0, "base")):
        row = found.frame.filter(share=share).join(both, on="model")
        assert row.height == 5
        for side in ("rating", "rating_lower", "rating_upper"):
            np.testing.assert_allclose(row[side], row[f"rating_{board}"], atol=1e-6)
        assert row["rank"].to_list() == row[f"rank_{board}"].to_list()
        assert row["battles"].to_list() == row[f"battles_{board}"].to_list()


def test_what_was_planted_rises_with_the_dose(planted):
    """The rating of the model that gains, step by step, from below what chance makes."""
    frame, found = planted

    rows = found.frame.filter(model="m000")

    assert rows["rating"].is_sorted()
    assert rows["rating"][-1] - rows["rating"][0] > 15
    assert rows["rating"][0] < rows["null_lower"][0]
    assert rows["prompts"].to_list() == [round(i / 10 * found.prompts) for i in range(11)]
    assert found.prompts == frame.filter("seen")["prompt"].n_unique()
    assert found.n_seen == frame["seen"].sum()


def test_a_dose_is_the_board_of_a_log_with_those_prompts():
    """By reading the log again with the prompts of one order, all battles of each."""
    frame, _ = world(1_000, uplift=1.0)
    log = read(frame)
    kept = select(log, unseen_only()).kept
    parts = count_parts(kept, 0)
    groups = count_part_clusters(kept, parts, "prompt", 0).rest
    groups = groups[np.flatnonzero(np.diff(groups.indptr) > 0)]
    fit = fit_bradley_terry(parts.all)
    plan = DosePlan(fit, parts, groups, np.array([0.0, 0.3, 0.3, 0.8, 1.0]), 4, 7)

    tables = np.concatenate([plan.doses.make(i) for i in range(plan.doses.n_blocks)], axis=2)

    prompts = frame.filter("seen")["prompt"].unique().sort()
    for order in range(4):
        place = np.random.default_rng([7, order]).permutation(prompts.len())
        for s, share in enumerate(plan.shares):
            inside = prompts.filter(place < round(share * prompts.len()))
            some = frame.filter(~pl.col("seen") | pl.col("prompt").is_in(inside.implode()))
            rated = fit_bradley_terry(count_pairs(some)).counts
            table = tables[:, :, 5 * order + s]
            assert table.sum() == some.height
            points = np.zeros((5, 5))
            wins = rated.outcomes
            for (a, b), row in zip(rated.pairs, wins, strict=True):
                points[a, b] += row[0]
                points[b, a] += row[1]
            upper = np.triu_indices(5, 1)
            np.testing.assert_array_equal(table[0], points[upper])
            np.testing.assert_array_equal(table[1], points.T[upper])


def test_by_another_column_other_things_come_in_together(planted):
    """By a column that tells battles apart, each by itself; and no order ever takes one back."""
    frame, found = planted
    numbered = frame.with_row_index("judge").with_columns(pl.col("judge").cast(pl.String))

    single = dose(read(numbered), match_of(frame), by="judge", orders=40)

    assert single.prompts == frame["seen"].sum() > found.prompts
    assert found.frame["battles"].len() == 55
    for _, rows in found.frame.group_by("model"):
        assert rows["battles"].is_sorted()


def test_the_null_is_that_of_the_placebo():
    """At share 0 the range is that which a comparison gives, about the full board's rating."""
    frame, _ = world(1_500)
    log, match = read(frame), match_of(frame)

    found = dose(log, match, orders=600, shares=[0, 1]).frame.filter(share=0.0)

    both = remove_seen(log, match, draws=1_000, rounds=2).frame
    row = found.join(both, on="model", suffix="_change")
    for side in ("null_lower", "null_upper"):
        off = row[side] - row["rating_base"] - row[f"{side}_change"]
        assert off.abs().max() < 0.2 * (row["null_upper"] - row["null_lower"]).min()
    assert (row["null_lower"] < row["null_upper"]).all()


def test_at_the_full_dose_chance_does_nothing(planted):
    """No vote is left out, whatever is drawn."""
    _, found = planted

    full = found.frame.filter(share=1.0)

    for name in ("null_lower", "null_upper"):
        np.testing.assert_allclose(full[name], full["rating"], atol=1e-6)


def test_without_a_match_the_logs_own_columns_tell():
    """And a filter that is true for seen battles does as well."""
    frame, _ = world(800)
    options = {"orders": 5, "shares": [0, 0.4, 1]}

    found = [dose(read(frame), one, **options).frame for one in (None, SEEN, match_of(frame))]

    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


def test_rows_are_of_the_models_asked_for():
    """In the order of the full board; others are fitted all the same."""
    frame, _ = world(800)

    every = dose(read(frame), SEEN, orders=3).frame
    some = dose(read(frame), SEEN, orders=3, models=["m003", "m001"]).frame

    assert dict(every.schema) == dict(COLUMNS)
    assert every.filter(share=1.0)["rating"].is_sorted(descending=True)
    assert some.equals(every.filter(pl.col("model").is_in(["m001", "m003"])))


def test_one_seed_finds_the_same_again_however_it_is_cut(monkeypatch):
    """Another draws other orders, with the same ends."""
    frame, _ = world(800)

    one, other = (dose(read(frame), SEEN, orders=6, seed=seed).frame for seed in (0, 1))
    again = dose(read(frame), SEEN, orders=6).frame

    assert one.equals(again)
    assert not one.equals(other)
    monkeypatch.setattr("arena.dose_tables.block_size", lambda n_cells, n: 2)
    cut = dose(read(frame), SEEN, orders=6).frame
    np.testing.assert_allclose(one["rating_lower"], cut["rating_lower"], atol=1e-6)


def test_a_battle_without_a_prompt_comes_in_by_itself():
    """As one more that nobody knows to be unseen."""
    frame, _ = world(600)
    gaps = frame.with_columns(
        prompt=pl.when(pl.int_range(pl.len()) % 10 > 0).then("prompt"),
    )

    found = dose(read(gaps), match_of(frame), orders=3)

    known = gaps.filter(pl.col("seen") & pl.col("prompt").is_not_null())["prompt"].n_unique()
    assert found.prompts == known + gaps["prompt"].null_count()


@pytest.mark.parametrize("ties", ["drop", "davidson"])
def test_a_tie_is_worth_the_same_at_every_dose(ties):
    """Ends are fits under one rule."""
    frame, _ = world(600)
    tied = frame.with_columns(
        winner=pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("tie")).otherwise("winner")
    )

    found = dose(read(tied), SEEN, orders=3, ties=ties).frame

    for share, votes in ((1.0, tied), (0.0, tied.filter(~pl.col("seen")))):
        fit = fit_bradley_terry(count_pairs(votes), ties=ties)
        ratings = dict(zip(fit.models, Scale().ratings(fit), strict=True))
        rows = found.filter(share=share)
        expected = [ratings[model] for model in rows["model"]]
        np.testing.assert_allclose(rows["rating"], expected, atol=1e-5)


def test_a_model_that_some_dose_cannot_rate_has_no_rating():
    """All others are on one scale, and ranks leave it out."""
    frame, _ = world(800)
    lone = pl.DataFrame(
        {
            "model_a": ["z"] * 6,
            "model_b": ["m000"] * 6,
            "winner": ["model_a", "model_b"] * 3,
            "prompt": ["z"] * 6,
            "seen": [True] * 6,
            "seen_a": [False] * 6,
            "seen_b": [False] * 6,
        }
    )

    found = dose(read(pl.concat([frame, lone])), SEEN, orders=4).frame

    row = found.filter(model="z")
    numbers = [name for name in COLUMNS if name.startswith(("rating", "rank", "null"))]
    assert row.select(numbers).null_count().row(0) == (row.height,) * len(numbers)
    assert row["battles"][[0, -1]].to_list() == [0.0, 6.0]
    others = found.filter(pl.col("model") != "z")
    assert others.null_count().sum_horizontal()[0] == 0
    for share in (0.0, 1.0):
        at = others.filter(share=share)
        assert sorted(at["rank"]) == [1, 2, 3, 4, 5]


REFUSED = {
    "share": ({"shares": [0, 2]}, OptionError, "shares: [0, 2] are not shares between 0 and 1"),
    "none": ({"shares": []}, OptionError, "shares: [] are not shares"),
    "orders": ({"orders": 0}, OptionError, "orders: 0 is not a number of at least 1"),
    "level": ({"level": 1}, OptionError, "level: 1 is not between 0 and 1"),
    "scope": ({"seen": None, "scope": "x"}, OptionError, "scope: 'x' is not one of battle, model"),
    "by": ({"by": "user"}, ColumnError, "no column 'user' to cluster by"),
    "model": ({"models": ["m01"]}, OptionError, "no model 'm01' in these votes; did you mean"),
    "anchor": ({"scale": Scale(anchor=("q", 1.0))}, OptionError, "anchor: no model 'q'"),
    "nothing seen": (
        {"seen": where("never", pl.col("seen") > 1)},
        OptionError,
        "no battle is on a seen prompt",
    ),
    "all seen": (
        {"seen": where("always", pl.col("seen") >= 0)},
        NoEstimateError,
        "'not always' drops all 200 votes that are left",
    ),
}


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_dosed_is_refused(options, kind, message):
    """In one line that names the culprit."""
    asked = {"seen": SEEN, "orders": 2} | options
    frame, _ = world(200)

    with pytest.raises(kind) as raised:
        dose(read(frame), asked.pop("seen"), **asked)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_weights_cannot_be_left_out_at_random():
    """Only whole votes can be drawn."""
    frame = battles(3, 100).with_columns(
        weight=pl.Series([0.5, 2.0] * 50), seen=pl.Series([True, False] * 50), prompt=pl.lit("p")
    )
    log = read_battles(frame, keep=["seen"], columns={"weight": "weight"})

    with pytest.raises(OptionError, match="these votes have weights"):
        dose(log, SEEN)
