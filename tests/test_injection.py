"""The board that a gain on seen prompts would make, held against its definition."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from suppositions import POINTS, board, injected, injected_board, rating, win_probability
from worlds import counted, tied, won

from arena.batch import solve_tables
from arena.bradley_terry import fit_bradley_terry
from arena.errors import OptionError
from arena.injection import COLUMNS, inject
from arena.leaderboard import Scale, build_leaderboard
from arena.resample import bootstrap_votes
from arena.uncertainty import Interval

WHO = "m003"


def shifts(clean, model, share, uplift):
    """All ratings of the injected board less the clean ones, the others' mean held."""
    moved = injected_board(clean, model, share, uplift)
    by = POINTS * (moved.fit.log_odds - clean.fit.log_odds)
    return by - np.delete(by, clean.fit.models.index(model)).mean()


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize(("share", "uplift"), [(0.1, 40.0), (0.5, -80.0), (0.9, 150.0)])
def test_definition(ties, share, uplift):
    """Moving the points of each pair by hand and fitting anew gives the same board."""
    clean = board(ties=ties)

    told = inject(clean, WHO, [share], [uplift])

    expected = clean.scale.ratings(clean.fit) + shifts(clean, WHO, share, uplift)
    assert np.allclose(told.ratings[0], expected, atol=1e-5)


def test_independent_library():
    """A binomial regression of statsmodels on the moved points gives the same gaps."""
    clean = board(n_models=5)
    told = inject(clean, WHO, [0.3], [90.0])
    moved = injected(clean, WHO, 0.3, 90.0)
    votes = moved.outcomes.sum(axis=1)
    points = moved.outcomes[:, 0] + moved.outcomes[:, 2:].sum(axis=1) / 2
    design = np.zeros((len(votes), 5))
    for row, (i, j) in enumerate(moved.pairs):
        design[row, i], design[row, j] = 1, -1

    glm = sm.GLM(points / votes, design[:, 1:], sm.families.Binomial(), var_weights=votes).fit()

    strength = np.append(0.0, glm.params)
    ours = (told.ratings[0] - told.ratings[0, 0]) / POINTS
    assert np.allclose(ours, strength, atol=1e-6)


def test_all_prompts_seen():
    """At a share of one the model rises by the uplift, and nobody else moves."""
    clean = board()

    told = inject(clean, WHO, [1.0], [33.0, -120.0])

    at = clean.fit.models.index(WHO)
    moved = told.ratings - clean.scale.ratings(clean.fit)
    assert np.allclose(moved[:, at], [33.0, -120.0], atol=1e-6)
    assert np.abs(np.delete(moved, at, axis=1)).max() < 1e-6


def test_two_models_closed_form():
    """With one rival at win rate p, the new gap is the log-odds of the mixture."""
    clean = build_leaderboard(fit_bradley_terry(counted(*won("x", "y", 30), *won("y", "x", 10))))
    gap = np.log(3)
    mixed = 0.8 * win_probability(gap) + 0.2 * win_probability(gap + 100 / POINTS)

    told = inject(clean, "x", [0.2], [100.0])

    expected = POINTS * (np.log(mixed / (1 - mixed)) - gap)
    assert told.frame["shift"].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ties", ["half", "drop", "davidson", "rao-kupper"])
def test_nothing_changes_nothing(ties):
    """No seen prompts, or no gain on them, leave every rating where it is."""
    clean = board(ties=ties)

    told = inject(clean, WHO, [0.0, 0.4], [0.0, 70.0])

    still = told.frame.with_row_index().filter((pl.col("share") == 0) | (pl.col("uplift") == 0))
    moved = told.ratings[still["index"].to_numpy()] - clean.scale.ratings(clean.fit)
    assert still.height == 3
    assert np.abs(moved).max() < 1e-9
    assert told.frame.filter(share=0.4, uplift=70.0)["shift"].item() > 10


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_rules_with_a_tie_parameter(ties):
    """With a tie parameter, too, a share of one is the whole uplift."""
    clean = board(ties=ties)

    told = inject(clean, WHO, [1.0], [50.0])

    assert told.frame["shift"].item() == pytest.approx(50.0, abs=1e-5)


def test_sides_do_not_matter():
    """Which side a model stood on changes nothing."""
    rows = [*won("x", "y", 12), *won("y", "x", 9), *won("y", "z", 8), *won("z", "x", 7)]
    rows += [*won("x", "z", 5), *won("z", "y", 6), *tied("x", "y", 4)]
    swap = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
    turned = [(b, a, swap[winner]) for a, b, winner in rows]
    plain, swapped = (build_leaderboard(fit_bradley_terry(counted(*log))) for log in (rows, turned))

    told = [inject(one, "y", [0.3], [60.0]).ratings for one in (plain, swapped)]

    assert np.allclose(*told, atol=1e-7)


def test_interval_is_that_of_a_bootstrap_of_the_whole_supposition():
    """Resampling the votes, fitting, supposing and fitting again spreads as the interval says."""
    clean = board(n_models=4, n_battles=1_500)
    at = clean.fit.models.index(WHO)
    told = inject(clean, WHO, [0.4], [120.0]).frame
    tables = solve_tables(clean.fit, bootstrap_votes(clean.fit, 150, seed=1))
    shift = told["shift"].item()

    again = []
    for draw in tables.log_odds:
        # The resampled strengths as a board of their own, on the same pairs.
        won_rate = win_probability(draw[clean.fit.counts.pairs] @ [1.0, -1.0])
        votes = clean.fit.counts.votes.sum(axis=1)
        outcomes = np.zeros((len(votes), 4))
        outcomes[:, 0], outcomes[:, 1] = votes * won_rate, votes * (1 - won_rate)
        counts = type(clean.fit.counts)(clean.fit.models, clean.fit.counts.pairs, outcomes)
        resampled = build_leaderboard(fit_bradley_terry(counts), interval=Interval("none"))
        again.append(inject(resampled, WHO, [0.4], [120.0]).ratings[0, at])

    half = (told["rating_upper"] - told["rating_lower"]).item() / 2
    assert np.std(again) * 1.96 == pytest.approx(half, rel=0.2)
    assert np.mean(again) == pytest.approx(rating(clean, WHO) + shift, abs=half / 4)


def test_ranks():
    """The rank is the place on the new board, and the probability counts draws of it."""
    clean = board()
    told = inject(clean, WHO, [1.0], [-400.0, 0.0, 400.0], top=1)
    last, _, first = told.frame.iter_rows(named=True)

    assert (last["rank"], last["rank_lower"], last["rank_upper"], last["p_top"]) == (6, 6, 6, 0.0)
    assert (first["rank"], first["rank_lower"], first["rank_upper"], first["p_top"]) == (1, 1, 1, 1)


def test_anchor():
    """With an anchor it is the anchor that stays, not the others' mean."""
    free = board()
    held = build_leaderboard(free.fit, Scale(anchor=("m001", 1500.0)))

    told = inject(held, WHO, [0.5], [100.0])

    at = held.fit.models.index("m001")
    assert told.ratings[0, at] == pytest.approx(1500.0, abs=1e-9)
    between = shifts(free, WHO, 0.5, 100.0)
    expected = between[held.fit.models.index(WHO)] - between[at]
    assert told.frame["shift"].item() == pytest.approx(expected, abs=1e-5)


def test_without_intervals():
    """A board without intervals has none to give."""
    told = inject(board(method="none"), WHO, [0.5], [100.0])

    assert dict(told.frame.schema) == dict(COLUMNS)
    empty = ["rating_lower", "rating_upper", "rank_lower", "rank_upper", "p_top"]
    assert told.frame.select(empty).row(0) == (None,) * 5


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "nobody"}, "model: no model 'nobody' in these votes"),
        ({"model": "m00"}, "did you mean m000"),
        ({"shares": [0.1, 1.2]}, "share: 1.2 is not a number between 0 and 1"),
        ({"shares": [-0.1]}, "share: -0.1 is not"),
        ({"shares": [float("nan")]}, "share: nan is not"),
        ({"shares": []}, "share: none was given"),
        ({"uplifts": [1e9]}, "uplift: 1e\\+09 is not a number up to 4000 points"),
        ({"uplifts": []}, "uplift: none was given"),
        ({"top": 0}, "top: 0 is not a rank"),
    ],
)
def test_wrong_requests_are_named(asked, said):
    """What cannot be is refused, with its name."""
    given = {"model": WHO, "shares": [0.1], "uplifts": [10.0]} | asked
    model, shares, uplifts = (given.pop(name) for name in ("model", "shares", "uplifts"))

    with pytest.raises(OptionError, match=said):
        inject(board(), model, shares, uplifts, **given)


def test_the_anchor_cannot_gain():
    """A model whose rating is held cannot rise."""
    held = build_leaderboard(board().fit, Scale(anchor=(WHO, 1000.0)))

    with pytest.raises(OptionError, match=f"anchor: '{WHO}' is the model that gains"):
        inject(held, WHO, [0.1], [10.0])


def test_a_model_left_out_says_why():
    """A model that the votes cannot rate is refused with the reason."""
    rows = [*won("x", "y", 3), *won("y", "x", 2), *won("champ", "x", 4)]
    clean = build_leaderboard(fit_bradley_terry(counted(*rows)))

    with pytest.raises(OptionError, match="model: 'champ' cannot be rated: never lost"):
        inject(clean, "champ", [0.1], [10.0])


def test_few_votes():
    """A model of two votes can be supposed to gain much, though it has hardly a vote to lose."""
    rows = [*won("x", "y", 1), *won("y", "z", 30), *won("z", "x", 1), *won("z", "y", 20)]
    clean = build_leaderboard(fit_bradley_terry(counted(*rows)), interval=Interval("none"))

    told = inject(clean, "x", [1.0], [900.0])

    assert told.frame["shift"].item() == pytest.approx(900.0, abs=1e-5)
