"""Votes that belong together are counted together, and those that belong to nobody alone."""

import datetime as dt
from collections import Counter

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.covariance import cluster_meat
from arena.errors import ColumnError, NoEstimateError
from arena.pipeline import rate
from arena.resample import cluster_kinds
from arena.schema import WINNERS
from arena.tally import count_pairs
from arena.uncertainty import Interval

START = dt.datetime(2024, 5, 1, 22, 0, tzinfo=dt.UTC)


def diary(n_battles=400, seed=0, *, nulls=0.0):
    """A log with judges, sessions, times over a few days, and prompts that repeat."""
    rng = np.random.default_rng(seed)
    judge = rng.choice(12, n_battles, p=rng.dirichlet(np.full(12, 0.7)))
    nobody = rng.random(n_battles) < nulls
    names = [None if none else f"judge {k}" for k, none in zip(judge, nobody, strict=True)]
    return battles(5, n_battles, seed=seed).with_columns(
        judge=pl.Series(names, dtype=pl.String),
        session=pl.Series([f"s{k}-{i % 3}" for i, k in enumerate(judge)]),
        tstamp=pl.Series([START + dt.timedelta(minutes=17 * i) for i in range(n_battles)]),
        prompt=pl.Series([f"prompt {k}" for k in rng.zipf(1.7, n_battles)]),
    )


def slowly(frame, key):
    """Key → (left, right, winner) → votes, one row at a time; nulls are their row's own."""
    found = {}
    for i, row in enumerate(frame.iter_rows(named=True)):
        value = key(row)
        cluster = found.setdefault(("alone", i) if value is None else value, Counter())
        cluster[row["model_a"], row["model_b"], row["winner"]] += row.get("w", 1)
    return found


def by_vote(clusters):
    """The clusters as counters of (left, right, winner), in the order of their rows."""
    kinds = [
        (clusters.counts.models[i], clusters.counts.models[j], winner)
        for i, j in clusters.counts.pairs
        for winner in WINNERS
    ]
    return [
        Counter({kind: n for kind, n in zip(kinds, row, strict=True) if n})
        for row in clusters.table.toarray()
    ]


def unordered(counters):
    """Counters as a multiset, to compare clusters that have no name."""
    return sorted(sorted(counter.items()) for counter in counters)


KEYS = {
    "judge": lambda row: row["judge"],
    "session": lambda row: row["session"],
    "day": lambda row: row["tstamp"].date(),
    "prompt": lambda row: row["prompt"],
}


@pytest.mark.parametrize("column", KEYS)
def test_clusters_hold_the_votes_that_share_a_value(column):
    """Against a dictionary, filled vote by vote; clusters come in the order of their values."""
    frame = diary()

    clusters = count_clusters(read_battles(frame), column)

    expected = slowly(frame, KEYS[column])
    assert clusters.column == column
    assert clusters.n_clusters == len(expected)
    assert by_vote(clusters) == [expected[value] for value in sorted(expected)]
    assert clusters.n_alone == 0


@pytest.mark.parametrize("column", KEYS)
def test_all_clusters_together_are_the_log(column):
    """No vote is lost, and none counted twice."""
    frame = diary(nulls=0.3)

    clusters = count_clusters(read_battles(frame), column)

    counts = count_pairs(frame)
    assert clusters.counts.models == counts.models
    np.testing.assert_array_equal(clusters.counts.outcomes, counts.outcomes)
    total = np.asarray(clusters.table.sum(axis=0)).reshape(-1, 4)
    np.testing.assert_allclose(total, counts.outcomes, rtol=1e-12)


def test_a_day_ends_at_midnight_utc():
    """A vote just before and one just after are of two days, wherever the machine stands."""
    frame = log(*tied("a", "b", 3)).with_columns(
        tstamp=pl.Series(
            [
                dt.datetime(2024, 5, 1, 23, 59, 59, tzinfo=dt.UTC),
                dt.datetime(2024, 5, 2, 0, 0, 0, tzinfo=dt.UTC),
                dt.datetime(2024, 5, 2, 23, 59, 59, tzinfo=dt.UTC),
            ]
        )
    )

    clusters = count_clusters(read_battles(frame), "day")

    assert clusters.table.sum(axis=1).tolist() == [1, 2]


def test_votes_of_nobody_stand_alone():
    """Two votes without a judge are no pair, even where they are alike."""
    frame = diary(nulls=0.4)

    clusters = count_clusters(read_battles(frame), "judge")

    n_alone = frame["judge"].null_count()
    assert clusters.n_alone == n_alone
    assert clusters.n_clusters == frame["judge"].n_unique() - 1 + n_alone
    assert unordered(by_vote(clusters)) == unordered(slowly(frame, KEYS["judge"]).values())
    assert (clusters.table.toarray()[-n_alone:].sum(axis=1) == 1).all()


def test_a_log_of_nobodys_votes_is_every_vote_its_own_cluster():
    """Grouped equal votes are parted again."""
    rows = [*tied("a", "b", 40), *won("a", "b", 3), *won("b", "a", 2)]
    frame = log(*rows).with_columns(judge=pl.lit(None, pl.String))

    clusters = count_clusters(read_battles(frame), "judge")

    assert clusters.n_clusters == clusters.n_alone == 45
    assert (clusters.table.sum(axis=1) == 1).all()


def test_a_row_of_several_votes_of_nobody_is_as_many_clusters():
    """Three equal votes written as one row are three voters."""
    frame = log(*won("a", "b"), *won("b", "a")).with_columns(
        judge=pl.lit(None, pl.String), n=pl.Series([3, 2])
    )

    clusters = count_clusters(read_battles(frame, columns={"votes": "n"}), "judge")

    assert clusters.n_alone == 5
    assert (clusters.table.sum(axis=1) == 1).all()


def test_weights_of_a_judge_are_added():
    """The table holds what the votes weigh."""
    frame = diary().with_columns(w=pl.Series([0.5, 1.0, 2.5, 4.0] * 100))

    clusters = count_clusters(read_battles(frame, columns={"weight": "w"}), "judge")

    expected = slowly(frame, KEYS["judge"])
    for found, value in zip(by_vote(clusters), sorted(expected), strict=True):
        assert found == pytest.approx(expected[value])


@pytest.mark.parametrize("weight", [2.0, 0.25])
def test_a_weighted_vote_of_nobody_is_still_one_vote(weight):
    """However much it weighs, it is one voter's."""
    frame = log(*won("a", "b", 8), *won("b", "a", 4)).with_columns(
        judge=pl.lit(None, pl.String), w=pl.lit(weight)
    )

    clusters = count_clusters(read_battles(frame, columns={"weight": "w"}), "judge")

    assert clusters.n_alone == 12
    np.testing.assert_allclose(clusters.table.sum(axis=1), weight)


def test_neither_row_order_nor_cutting_the_log_matters():
    """A log shuffled, and cut into three files, has the same clusters."""
    frame = diary(nulls=0.2)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    parts = [shuffled[:10], shuffled[10:250], shuffled[250:]]

    whole, cut = (count_clusters(read_battles(votes), "judge") for votes in (frame, parts))

    assert (whole.table != cut.table).nnz == 0
    assert whole.n_alone == cut.n_alone


def test_a_judge_of_two_files_is_one_judge(tmp_path):
    """Identity does not end at the end of a file."""
    frame = diary()
    frame[:150].write_parquet(tmp_path / "a.parquet")
    frame[150:].write_csv(tmp_path / "b.csv")

    clusters = count_clusters(
        read_battles([str(tmp_path / "a.parquet"), str(tmp_path / "b.csv")]), "judge"
    )

    expected = slowly(frame, KEYS["judge"])
    assert by_vote(clusters) == [expected[value] for value in sorted(expected)]


def test_votes_of_a_file_without_the_column_stand_alone():
    """Where one log names judges and another does not, the other's votes are nobody's."""
    named = diary(50)
    unnamed = diary(30, seed=1).drop("judge")

    clusters = count_clusters(read_battles([named, unnamed]), "judge")

    assert clusters.n_alone == 30
    assert clusters.n_clusters == named["judge"].n_unique() + 30


def test_rows_that_do_not_count_are_in_no_cluster():
    """Rejected and unvoted rows make no judge."""
    frame = pl.concat(
        [
            log(*won("a", "b", 3), *won("b", "a", 2)).with_columns(judge=pl.lit("x")),
            log(*won("a", "a")).with_columns(judge=pl.lit("self")),
            log(("a", "b", None)).with_columns(judge=pl.lit("undecided")),
            log(*tied("a", "b")).with_columns(judge=pl.lit("y")),
        ]
    )

    clusters = count_clusters(read_battles(frame), "judge")

    assert clusters.n_clusters == 2
    assert clusters.table.sum(axis=1).tolist() == [5, 1]


def test_models_left_out_of_the_fit_fall_away():
    """Votes on a champion are in the clusters, and in neither the meat nor the tables."""
    frame = diary()
    extra = frame[:1].with_columns(model_a=pl.lit("champion"), winner=pl.lit("model_a"))
    votes = pl.concat([frame, extra])
    fit = fit_bradley_terry(count_pairs(votes))

    clusters, plain = (count_clusters(read_battles(log), "judge") for log in (votes, frame))

    assert "champion" in clusters.counts.models
    assert clusters.n_clusters == plain.n_clusters
    assert (cluster_kinds(fit, clusters) != cluster_kinds(fit, plain)).nnz == 0
    np.testing.assert_allclose(cluster_meat(fit, clusters), cluster_meat(fit, plain), rtol=1e-12)


@pytest.mark.parametrize("column", ["judge", "user", "winner", "model_a", "weight"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(column):
    """The error quotes it, and lists what votes can be clustered by; day comes with times."""
    frame = diary(20).drop("judge")

    with pytest.raises(ColumnError, match="session, tstamp, prompt, day") as error:
        count_clusters(read_battles(frame), column)

    assert f"'{column}'" in str(error.value)


def test_without_any_column_the_error_says_none():
    """A bare log of votes cannot be clustered at all."""
    with pytest.raises(ColumnError, match="these votes have none"):
        count_clusters(read_battles(battles(3, 20)), "judge")


@pytest.mark.parametrize("method", ["cluster", "bootstrap", "bayesian", "jackknife"])
def test_a_single_cluster_says_nothing_of_its_spread(method):
    """One judge for all votes: the error names the column and asks for two."""
    frame = diary(60).with_columns(judge=pl.lit("only one"))

    with pytest.raises(NoEstimateError, match=r"judge.* two"):
        rate(frame, interval=Interval(method, "judge", rounds=10))
