"""What a board would be without each judge: by rating it again without."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena import influence
from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.errors import OptionError
from arena.influence import judge_influence
from arena.leaderboard import Scale
from arena.ranks import point_ranks
from arena.tally import count_pairs


def judged(n_battles=500, n_judges=11, seed=0, *, nulls=0.0, **world):
    """A log with judges of unequal diligence, some votes of nobody."""
    rng = np.random.default_rng(seed)
    judge = rng.choice(n_judges, n_battles, p=rng.dirichlet(np.full(n_judges, 1.0)))
    nobody = rng.random(n_battles) < nulls
    names = [None if none else f"j{k:02d}" for k, none in zip(judge, nobody, strict=True)]
    frame = battles(6, n_battles, seed=seed, spread=0.1, **world)
    return frame.with_columns(judge=pl.Series(names, dtype=pl.String))


def found_in(frame, *, scale=None, alone=False, column="judge", **options):
    """The influence of each judge of a log, as a board made with these options shows it."""
    clusters = count_clusters(read_battles(frame), column)
    fit = fit_bradley_terry(clusters.counts, **options)
    return judge_influence(fit, clusters, scale, alone=alone)


def rated(frame, scale, **options):
    """Model → rating, and model → rank."""
    fit = fit_bradley_terry(count_pairs(frame), **options)
    ranks = point_ranks(fit.log_odds)
    return (
        dict(zip(fit.models, scale.ratings(fit), strict=True)),
        dict(zip(fit.models, ranks.tolist(), strict=True)),
    )


def assert_row_is_a_second_board(row, frame, left, scale, **options):
    """The row of a judge is the difference of two boards, the second without those votes."""
    ratings, ranks = rated(frame, scale, **options)
    without, ranks_without = rated(left, scale, **options)
    changes = {model: without[model] - ratings[model] for model in ratings}
    model = max(changes, key=lambda model: abs(changes[model]))
    best, best_without = (
        {one for one, rank in of.items() if rank == 1} for of in (ranks, ranks_without)
    )

    assert row["votes"] == frame.height - left.height
    assert row["model"] == model
    assert row["change"] == pytest.approx(changes[model], abs=1e-5)
    assert row["largest_change"] == abs(row["change"])
    assert row["rank_changes"] == sum(ranks[one] != ranks_without[one] for one in ranks)
    assert row["first_changes"] == (best != best_without)
    assert row["without_estimate"] == 0


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({}, Scale()),
        ({}, Scale(200, 2.0, anchor=("m003", 1114))),
        ({"ties": "drop"}, Scale()),
        ({"ties": "davidson"}, Scale(anchor=("m003", 1114))),
        ({"on_separation": "prior", "prior": 2.0}, Scale(200, 2.0)),
    ],
)
def test_a_row_is_the_difference_of_two_boards(options, scale):
    """Every judge's, against a fit of the log without this judge's votes, on the same scale."""
    frame = judged(nulls=0.1)

    found = found_in(frame, scale=scale, **options)

    assert sorted(found.frame["cluster"]) == sorted(set(frame["judge"].drop_nulls()))
    for row in found.frame.iter_rows(named=True):
        left = frame.filter(pl.col("judge").ne_missing(row["cluster"]))
        assert_row_is_a_second_board(row, frame, left, scale, **options)
    assert found.frame["rank_changes"].max() > 0
    assert found.frame["first_changes"].n_unique() == 2


def test_the_most_influential_come_first():
    """By the largest change of any rating."""
    found = found_in(judged())

    assert found.frame["largest_change"].is_sorted(descending=True)
    assert found.column == "judge"


def test_votes_of_nobody_have_rows_only_if_asked_for():
    """They are part of the board either way, and are counted."""
    frame = judged(150, nulls=0.15)
    n_alone = frame["judge"].null_count()

    judges, everybody = (found_in(frame, alone=alone) for alone in (False, True))

    assert (judges.n_alone, everybody.n_alone) == (n_alone, 0)
    of_judges = everybody.frame.drop_nulls("cluster")
    assert of_judges.drop("largest_change", "change").equals(
        judges.frame.drop("largest_change", "change")
    )
    alone = everybody.frame.filter(pl.col("cluster").is_null())
    assert alone["votes"].to_list() == [1] * n_alone
    changes, (ratings, _) = [], rated(frame, Scale())
    for i in np.flatnonzero(frame["judge"].is_null()):
        without, _ = rated(frame.with_row_index().filter(pl.col("index") != i), Scale())
        changes.append(max(abs(without[model] - ratings[model]) for model in ratings))
    np.testing.assert_allclose(alone["largest_change"], sorted(changes, reverse=True), atol=1e-5)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("elements", [1, 60])
def test_slices_do_not_matter(monkeypatch, elements, alone):
    """Solved a block or a few at a time, to keep memory bounded, or all at once."""
    frame = judged(150, 30, nulls=0.1)
    monkeypatch.setattr("arena.resample.block_size", lambda n_cells, n: 5)

    whole = found_in(frame, alone=alone)
    monkeypatch.setattr(influence, "SLICE_ELEMENTS", elements)
    sliced = found_in(frame, alone=alone)

    assert sliced.frame.equals(whole.frame)


def test_a_model_that_hangs_on_one_judge_says_so():
    """Without the only loss of a model it has no upper bound: the change is infinite."""
    rows = [*won("a", "b", 5), *won("b", "a", 4), *won("c", "a", 6), *won("a", "c")]
    frame = log(*rows).with_columns(judge=pl.Series([*("xy" * 7), "x", "z"]))

    found = found_in(frame).frame

    row = found.row(0, named=True)
    assert (row["cluster"], row["model"]) == ("z", "c")
    assert (row["largest_change"], row["change"]) == (np.inf, np.inf)
    assert (row["without_estimate"], row["rank_changes"], row["first_changes"]) == (1, 0, False)
    assert found["largest_change"].is_finite().to_list() == [False, True, True]


def test_without_the_only_win_of_a_model_it_has_no_lower_bound():
    """The signed change says which way."""
    rows = [*won("a", "b", 5), *won("b", "a", 4), *won("a", "c", 6), *won("c", "a")]
    frame = log(*rows).with_columns(judge=pl.Series(["x"] * 15 + ["z"]))

    row = found_in(frame).frame.filter(cluster="z").row(0, named=True)

    assert (row["model"], row["largest_change"], row["change"]) == ("c", np.inf, -np.inf)


def test_a_model_that_only_one_judge_met_is_not_comparable_without():
    """No change can be given, and its rank is gone; the others are compared as they are."""
    rows = [*tied("a", "b", 4), *won("a", "b"), *tied("b", "c", 3), *won("c", "b", 2)]
    frame = log(*rows).with_columns(judge=pl.Series(["x"] * 4 + ["y"] + ["z"] * 5))

    row = found_in(frame).frame.filter(cluster="z").row(0, named=True)

    assert (row["model"], row["largest_change"], row["change"]) == ("c", np.inf, None)
    assert row["without_estimate"] == 1
    assert (row["rank_changes"], row["first_changes"]) == (3, True)


def test_where_the_anchor_has_no_estimate_the_others_have_their_own():
    """The infinite change is the anchor's, and not laid on all others."""
    rows = [*won("a", "b", 5), *won("b", "a", 4), *won("c", "a", 6), *won("a", "c")]
    frame = log(*rows).with_columns(judge=pl.Series(["x"] * 15 + ["z"]))

    row = found_in(frame, scale=Scale(anchor=("c", 1000.0))).frame.filter(cluster="z")

    assert row.select("model", "change", "without_estimate").row(0) == ("c", np.inf, 1)


def test_without_the_only_judge_nothing_is_left():
    """No model has an estimate, and no rank."""
    frame = log(*tied("a", "b", 4), *won("a", "b")).with_columns(judge=pl.lit("x"))

    row = found_in(frame).frame.row(0, named=True)

    assert (row["largest_change"], row["change"], row["without_estimate"]) == (np.inf, None, 2)
    assert (row["rank_changes"], row["first_changes"]) == (2, True)


def test_judges_of_models_left_out_of_the_board_move_nothing():
    """Votes on a champion, who cannot be rated, are counted and change no rating."""
    frame = judged(300)
    extra = frame[:3].with_columns(
        model_a=pl.lit("champion"), winner=pl.lit("model_a"), judge=pl.lit("fan")
    )

    row = found_in(pl.concat([frame, extra])).frame.filter(cluster="fan").row(0, named=True)

    assert row["votes"] == 3
    assert row["largest_change"] == pytest.approx(0.0, abs=1e-6)
    assert (row["rank_changes"], row["first_changes"], row["without_estimate"]) == (0, False, 0)


def test_weights_are_what_is_left_out():
    """The votes of a row are then sums of weights, and no whole numbers."""
    frame = judged(200, 4).with_columns(w=pl.Series([0.25, 1.5] * 100))
    battles_ = read_battles(frame, columns={"weight": "w"})
    clusters = count_clusters(battles_, "judge")

    found = judge_influence(fit_bradley_terry(clusters.counts), clusters).frame

    for judge, votes in found.select("cluster", "votes").rows():
        assert votes == pytest.approx(frame.filter(judge=judge)["w"].sum())
    assert found.schema["votes"] == pl.Float64


def test_any_column_makes_clusters():
    """Days, too; the first column keeps its type."""
    days = pl.datetime_range(
        pl.datetime(2024, 5, 1), pl.datetime(2024, 5, 10), "1d", time_zone="UTC", eager=True
    )
    frame = judged(300).with_columns(tstamp=days.gather([i % 10 for i in range(300)]))

    found = found_in(frame, column="day")

    assert found.frame.schema["cluster"] == pl.Date
    assert found.frame["votes"].to_list() == [30] * 10


def test_a_log_of_nobodys_votes_has_no_rows():
    """Nobody can be left out."""
    frame = judged(100).with_columns(judge=pl.lit(None, pl.String))

    found = found_in(frame)

    assert (found.frame.height, found.n_alone) == (0, 100)
    assert found.frame.columns == ["cluster", *influence.COLUMNS]


def test_an_anchor_that_is_not_rated_is_refused():
    """As the board itself refuses it."""
    with pytest.raises(OptionError, match="anchor: no model 'm009'"):
        found_in(judged(100), scale=Scale(anchor=("m009", 1000.0)))


def test_tied_strengths_share_a_rank_in_every_row():
    """The ranks of many orders at once are those of each, with infinities and without."""
    rng = np.random.default_rng(0)
    log_odds = rng.integers(-2, 3, (200, 7)) / 2 + rng.choice([0.0, 1e-12], (200, 7))
    log_odds[rng.random((200, 7)) < 0.1] = np.inf
    log_odds[rng.random((200, 7)) < 0.1] = -np.inf

    ranks = influence._ranks(log_odds)

    np.testing.assert_array_equal(ranks, [point_ranks(row) for row in log_odds])
