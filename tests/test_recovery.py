"""A planted gain is recovered, over simulated arenas whose truth is known.

A small, seeded part of `benchmarks/recovery_study.py`, which says how arenas are drawn. Limits are
three simulation errors or more from what a right estimator gives.
"""

import importlib.util
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ARENAS, VOTES = 12, 6_000
SHARE, UPLIFT = 0.3, 100.0


def load():
    """The simulation study, which is a script and no part of the package."""
    path = Path(__file__).parents[1] / "benchmarks" / "recovery_study.py"
    spec = importlib.util.spec_from_file_location("recovery_study", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["recovery_study"] = module
    spec.loader.exec_module(module)
    return module


STUDY = load()


@cache
def outcomes(uplift):
    """Some arenas of one setting, drawn once for all tests."""
    return [STUDY.run_arena(SHARE, uplift, (7, int(uplift), i), VOTES) for i in range(ARENAS)]


@pytest.mark.parametrize("uplift", [0.0, UPLIFT])
def test_the_gain_is_right_on_average(uplift):
    """The mean error is within its simulation error, and no arena is far off."""
    errors = np.array([one.error / one.std_error for one in outcomes(uplift)])

    assert abs(errors.mean()) < 3.3 / np.sqrt(ARENAS)
    assert 0.5 < errors.std() < 1.6
    assert np.abs(errors).max() < 4


@pytest.mark.parametrize("uplift", [0.0, UPLIFT])
def test_the_control_is_zero_on_average(uplift):
    """Whether or not others gain."""
    gains = np.array([one.control for one in outcomes(uplift)])

    assert abs(gains.mean()) < 3.3 * gains.std() / np.sqrt(ARENAS)
    assert np.mean([one.control_covered for one in outcomes(uplift)]) > 0.7


def test_a_gain_moves_the_placebo_only_where_there_is_one():
    """p-values are spread out where nothing is gained."""
    board, model = np.array([one.placebo for one in outcomes(0.0)]).T

    assert 0.25 < board.mean() < 0.75
    assert 0.25 < model.mean() < 0.75
    assert all(one.placebo is None for one in outcomes(UPLIFT))


# ── the study's own verdicts ───────────────────────────────────────────────────────────────


def good():
    """Figures as they should be."""
    pair = (0.95, 0.01)
    return STUDY.Figures(0.1, 50.0, 500, (0.3, 0.5), 10.0, 1.0, pair, (0.1, 0.5), pair, 0.05)


EVEN = [((i + 0.5) / 400, (399.5 - i) / 400) for i in range(400)]


def test_what_is_as_it_should_be_passes():
    """Every verdict says pass."""
    verdict = STUDY.verdicts([good()], EVEN)

    assert all(said.startswith("pass") for said in verdict.values())


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"error": (2.6, 0.5)}, "estimate unbiased"),
        ({"coverage": (0.93, 0.01)}, "95 % intervals cover"),
        ({"coverage": (0.90, 0.01)}, "each setting"),
        ({"control": (-2.1, 0.5)}, "negative control centred on 0"),
        ({"control_coverage": (0.97, 0.01)}, "negative control's intervals cover 0"),
    ],
)
def test_what_is_not_fails(change, asked):
    """Each limit by itself."""
    verdict = STUDY.verdicts([replace(good(), **change)], EVEN)

    assert "fail" in verdict[asked]


def test_p_values_that_are_not_uniform_fail():
    """All too small."""
    verdict = STUDY.verdicts([good()], [(one / 2, other) for one, other in EVEN])

    failed = [asked for asked, said in verdict.items() if "fail" in said]
    assert failed == ["placebo uniform where nothing is gained, board"]


def test_the_page_has_a_row_for_each_setting_and_each_verdict():
    """A table of figures and one of verdicts."""
    page = STUDY.render([good()], STUDY.verdicts([good()], EVEN), "command", 0, 60.0)

    assert page.count("| 10% | 50 | 500 |") == 1
    assert page.count("| pass: ") == 7
