"""A gain on seen prompts written out slowly, vote by vote of every pair, for tests to hold to."""

from functools import cache

import numpy as np
from worlds import battles

from arena.bradley_terry import fit_bradley_terry
from arena.counts import PairCounts
from arena.leaderboard import build_leaderboard
from arena.tally import count_pairs
from arena.uncertainty import Interval

POINTS = 400 / np.log(10)


@cache
def board(n_models=6, n_battles=4_000, seed=0, ties="half", method="sandwich", **options):
    """A board of a small world, close enough together for everybody to win and lose."""
    counts = count_pairs(battles(n_models, n_battles, seed=seed, spread=0.5))
    interval = Interval(method, level=options.pop("level", 0.95))
    return build_leaderboard(fit_bradley_terry(counts, ties=ties, **options), interval=interval)


def win_probability(gap):
    """Bradley and Terry's."""
    return 1 / (1 + np.exp(-gap))


def injected(clean, model, share, uplift):
    """The counts of a board after a model gained, by the definition: N f [p(g + d) - p(g)]."""
    fit = clean.fit
    counts = fit.counts
    outcomes = counts.outcomes.copy()
    for row, (i, j) in enumerate(counts.pairs):
        names = counts.models[i], counts.models[j]
        if model not in names:
            continue
        sign = 1 if names[0] == model else -1
        gap = fit.log_odds[i] - fit.log_odds[j]
        votes = outcomes[row].sum() if fit.rule.counts_ties else outcomes[row, :2].sum()
        more = win_probability(gap + sign * uplift / POINTS) - win_probability(gap)
        outcomes[row, 0] += votes * share * more
        outcomes[row, 1] -= votes * share * more
    return PairCounts(counts.models, counts.pairs, outcomes)


def injected_board(clean, model, share, uplift):
    """The board of these counts, with sandwich intervals."""
    fit = fit_bradley_terry(injected(clean, model, share, uplift), ties=clean.fit.rule.name)
    return build_leaderboard(fit, clean.scale, clean.interval)


def rating(of, model):
    """A model's rating."""
    return of.scale.ratings(of.fit)[of.fit.models.index(model)]
