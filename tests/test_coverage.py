"""Intervals cover the truth as often as they say, over simulated arenas whose truth is known.

A small, seeded part of `benchmarks/coverage_study.py`, which says how arenas are drawn. Limits lie
between what right errors give and what errors 15 % too small would give, each several
simulation errors away.
"""

import importlib.util
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from arena.uncertainty import estimate_uncertainty

ARENAS = 80
"""Simulation errors are then about 0.5 % of coverage and 0.02 of error ÷ standard error."""

LEAST, MOST = 0.93, 0.97
"""Coverage: 95 % if errors are right, 90.4 % if they are 15 % too small."""

LARGEST_RATIO = 1.09
"""Error ÷ standard error: 1 if errors are right, 1.18 if they are 15 % too small."""


def load():
    """The simulation study, which is a script and no part of the package."""
    path = Path(__file__).parents[1] / "benchmarks" / "coverage_study.py"
    spec = importlib.util.spec_from_file_location("coverage_study", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDY = load()


@cache
def rows(name, *methods, seed=1):
    """Method → its figures over the arenas of a scenario."""
    (scenario,) = (one for one in STUDY.SCENARIOS if one.name == name)
    found = STUDY.study(replace(scenario, methods=methods), ARENAS, seed)
    return {row.method: row for row in found}


def independent():
    """Votes that are independent of each other, judges or not."""
    return rows("independent votes", "sandwich", "fisher", "cluster:judge")


def with_taste():
    """Judges who have opinions of their own on models."""
    return rows("judges with a taste", "sandwich", "cluster:judge", "jackknife:judge")


@pytest.mark.parametrize("method", ["sandwich", "cluster:judge"])
def test_independent_votes_are_covered(method):
    """By vote or by judge, 95 % intervals hold the truth about 95 times in 100."""
    row = independent()[method]

    assert LEAST <= row.coverage[0] <= MOST
    assert 1 / LARGEST_RATIO <= row.error_ratio[0] <= LARGEST_RATIO


@pytest.mark.parametrize("method", ["cluster:judge", "jackknife:judge"])
def test_judges_with_a_taste_are_covered_by_judge(method):
    """Votes of one judge depend on each other, and errors by judge know it."""
    row = with_taste()[method]

    assert LEAST <= row.coverage[0] <= MOST
    assert row.error_ratio[0] <= LARGEST_RATIO


def test_judges_with_a_taste_are_not_covered_by_vote():
    """So errors by judge cannot be those by vote: these are a fifth too small here."""
    row = with_taste()["sandwich"]

    assert row.coverage[0] < LEAST - 0.02
    assert row.error_ratio[0] > LARGEST_RATIO + 0.05


def test_fisher_is_too_wide_by_what_ties_leave_out():
    """Its variance is that of votes won or lost: too large by 1 / (1 - c / 4), c about 1.5."""
    row = independent()["fisher"]

    assert row.error_ratio[0] == pytest.approx(np.sqrt(1 - 1.5 / 4), rel=0.07)
    assert row.coverage[0] > 0.975


@pytest.mark.parametrize("method", ["sandwich", "cluster:judge"])
def test_errors_15_percent_too_small_would_be_seen(method, monkeypatch):
    """The limits above are tight enough to fail on them."""

    def too_small(*given):
        known = estimate_uncertainty(*given)
        middle = (known.lower + known.upper) / 2
        bounds = {
            side: middle + 0.85 * (getattr(known, side) - middle) for side in ("lower", "upper")
        }
        return replace(known, std_error=0.85 * known.std_error, **bounds)

    monkeypatch.setattr(STUDY, "estimate_uncertainty", too_small)

    row = rows("independent votes", method, seed=2)[method]

    assert row.coverage[0] < LEAST
    assert row.error_ratio[0] > LARGEST_RATIO


def test_rank_sets_hold_all_true_ranks_at_once():
    """Where models differ nearly always, where all are equal in about 95 arenas of 100."""
    different = independent()["sandwich"]
    equal = rows("equal models", "sandwich")["sandwich"]

    assert different.ranks[0] >= 0.975
    # 87 % is three simulation errors below 95 %.
    assert equal.ranks[0] >= 0.87
    assert equal.ranks[0] < 1.0


def test_an_arena_is_what_the_study_says_it_is():
    """Twenty models, 5,000 votes, twenty from each of 250 judges, three ties in ten."""
    arena = STUDY.simulate(STUDY.TASTE, np.random.default_rng(0))

    counts = arena.clusters.counts
    assert counts.n_models == 20
    assert counts.n_battles == 5_000
    assert arena.clusters.table.sum(axis=1).tolist() == [20] * 250
    assert counts.outcomes[:, 2].sum() / 5_000 == pytest.approx(0.3, abs=0.04)
    assert arena.truth.sum() == pytest.approx(0.0, abs=1e-12)


def test_ties_take_as_much_from_either_side():
    """Expected points are p itself, and a tie has probability c p (1 - p)."""
    rng = np.random.default_rng(0)

    for p in (0.1, 0.5, 0.8):
        winner = STUDY.draw_winners(np.full(200_000, p), 1.5, rng)

        points = np.array([1.0, 0.0, 0.5])[winner]
        assert points.mean() == pytest.approx(p, abs=0.005)
        assert (winner == 2).mean() == pytest.approx(1.5 * p * (1 - p), abs=0.005)


def test_the_population_is_what_very_many_judges_say():
    """The pseudo-true strengths are those of a log in which no judge votes twice."""
    many = replace(STUDY.TASTE, n_judges=400_000, votes_per_judge=1, n_models=5)
    arena = STUDY.simulate(many, np.random.default_rng(3))

    fit = STUDY.fit_bradley_terry(arena.clusters.counts)

    np.testing.assert_allclose(fit.log_odds, arena.truth, atol=0.015)
    # A taste shrinks what the population says of the models: there is something to integrate.
    own = np.random.default_rng(3).normal(0.0, many.spread, 5)
    assert np.ptp(arena.truth) < 0.9 * np.ptp(own)
