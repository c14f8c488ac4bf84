"""How often intervals cover the truth, over simulated arenas whose truth is known.

    python benchmarks/coverage_study.py --arenas 1000

An arena has 20 models with normal strengths, 5,000 votes by 250 judges with 20 votes each,
and pairs that are sampled unequally: a battle is between i and j with probability
proportional to s_i s_j, where the s are Dirichlet(3). Strengths and sampling are drawn anew
for every arena.

Ties are drawn so that the half rule has an exact target. At a probability p that the left
model is the better one, a tie has probability c p (1 - p) and takes as much from either side,
so that the expected points are p itself, and at the truth the scores have mean zero. With c
at about 1.5, three votes in ten are ties (c is at most 2, so that sometimes it is a few less).
Points then have variance (1 - c / 4) p (1 - p), and the Fisher covariance, which believes
p (1 - p), makes its errors too large by 1 / √(1 - c / 4), about 1.26: its 95 % intervals
should cover 98.7 %.

In the second scenario judges have a taste of their own: for judge k the gap of i and j is
θ_i - θ_j + u_ki - u_kj, with u normal. The target is the population's: what the fit would
give for infinitely many judges. The expected points of a pair are the mean of the logistic
function over the distribution of u_ki - u_kj, by Gauss-Hermite quadrature, and the truth is
the fit of these expected points under the pairs' sampling probabilities.

In the third all models are equally strong. Rank sets are tried hardest there: they hold the
true ranks, which are all of them, exactly if no difference at all is found, and that should
be so in 95 % of arenas. That is so in large samples: once more with 2,000 judges.

What is written: the share of (arena, model) whose interval covers the truth, the root mean
square of error over standard error (one, if the errors are right), and the share of arenas
whose rank sets hold all true ranks at once. Simulation errors are over arenas, since the
models of one arena are not independent.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.bradley_terry import Fit, fit_bradley_terry
from arena.clusters import ClusterCounts
from arena.counts import PairCounts
from arena.ranks import rank_sets
from arena.uncertainty import Interval, Uncertainty, estimate_uncertainty, parse_method

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

METHODS = (
    "sandwich",
    "fisher",
    "bootstrap",
    "bayesian",
    "cluster:judge",
    "bootstrap:judge",
    "jackknife:judge",
)
LEVEL = 0.95
BAND = (0.935, 0.965)
TIE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Scenario:
    """What kind of arena is simulated.

    Attributes:
        name: what the table calls it.
        taste: standard deviation of a judge's own opinion of a model, in log-odds.
        valid: the methods that should cover here.
        methods: the methods that are tried.
        rounds: resamples, where there are any.
        n_models, n_judges, votes_per_judge: sizes.
        spread: standard deviation of the strengths, in log-odds.
    """

    name: str
    taste: float
    valid: tuple[str, ...]
    methods: tuple[str, ...] = METHODS
    rounds: int = 300
    n_models: int = 20
    n_judges: int = 250
    votes_per_judge: int = 20
    spread: float = 0.8


INDEPENDENT = Scenario(
    "independent votes", 0.0, tuple(method for method in METHODS if method != "fisher")
)
TASTE = Scenario(
    "judges with a taste",
    1.2,
    tuple(method for method in METHODS if method.endswith(":judge")),
    spread=0.5,
)
EQUALS = Scenario(
    "equal models",
    0.0,
    INDEPENDENT.valid,
    methods=("sandwich", "bootstrap", "cluster:judge", "bootstrap:judge"),
    # The critical value is a percentile of resamples over their own spread, and falls short
    # where these are few.
    rounds=1_000,
    spread=0.0,
)
EQUALS_LARGE = replace(
    EQUALS,
    name="equal models, 40,000 votes",
    methods=("sandwich", "cluster:judge"),
    n_judges=2_000,
)
SCENARIOS = (INDEPENDENT, TASTE, EQUALS, EQUALS_LARGE)


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """The votes of one simulated arena, and its truth.

    Attributes:
        clusters: the votes by judge; all of them together in `clusters.counts`.
        truth: float [m], mean-zero log-odds that the fit estimates.
    """

    clusters: ClusterCounts
    truth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How one method did in one arena.

    Attributes:
        covered: share of models whose interval holds the truth.
        squares: mean over models of (error / standard error)².
        ranks: whether the rank sets hold all true ranks.
    """

    covered: float
    squares: float
    ranks: bool


def simulate(scenario: Scenario, rng: np.random.Generator) -> Arena:
    """Draw an arena."""
    m, n = scenario.n_models, scenario.n_judges * scenario.votes_per_judge
    strength = rng.normal(0.0, scenario.spread, m)
    lefts, rights, share = _sampling(rng.dirichlet(np.full(m, 3.0)))
    gap = strength[lefts] - strength[rights]
    expected, product = _population(gap, scenario.taste)
    # The share of ties that c gives is c times the mean of p (1 - p).
    c = min(TIE_SHARE / float(share @ product), 2.0)

    pair = rng.choice(share.size, n, p=share)
    judge = np.repeat(np.arange(scenario.n_judges), scenario.votes_per_judge)
    opinion = rng.normal(0.0, 1.0, (scenario.n_judges, m)) * scenario.taste
    own = opinion[judge, lefts[pair]] - opinion[judge, rights[pair]]
    winner = draw_winners(_sigmoid(gap[pair] + own), c, rng)
    swapped = rng.random(n) < 0.5
    left = np.where(swapped, rights[pair], lefts[pair])
    right = np.where(swapped, lefts[pair], rights[pair])
    winner = np.where(swapped & (winner < 2), 1 - winner, winner)

    truth = strength if scenario.taste == 0 else pseudo_true(m, lefts, rights, share, expected)
    return Arena(count_judges(m, left, right, winner, judge), truth - truth.mean())


def draw_winners(p: Floats, c: float, rng: np.random.Generator) -> Integers:
    """Outcomes 0 left, 1 right, 2 tie, whose expected points are `p` [n]; see the module."""
    tie = c * p * (1.0 - p)
    drawn = rng.random(p.size)
    return np.where(drawn < tie, 2, np.where(drawn < tie + p - tie / 2, 0, 1))


def pseudo_true(
    n_models: int, left: Integers, right: Integers, share: Floats, expected: Floats
) -> Floats:
    """What infinitely many votes would give: the fit of expected points [P] on pairs [P]."""
    nothing = np.zeros_like(share)
    outcomes = np.stack([share * expected, share * (1.0 - expected), nothing, nothing], axis=1)
    pairs = np.stack([left, right], axis=1)
    return fit_bradley_terry(PairCounts(_names(n_models), pairs, outcomes)).log_odds


def count_judges(
    n_models: int, left: Integers, right: Integers, winner: Integers, judge: Integers
) -> ClusterCounts:
    """Pair counts, and counts by judge, from one row per vote."""
    cell, place = np.unique(left * n_models + right, return_inverse=True)
    column = 4 * place + winner
    size = 4 * cell.size
    outcomes = np.bincount(column, minlength=size).reshape(-1, 4).astype(np.float64)
    pairs = np.stack(np.divmod(cell, n_models), axis=1)
    shape = (int(judge.max()) + 1, size)
    table = csr_array((np.ones(judge.size), (judge, column)), shape=shape)
    counts = PairCounts(_names(n_models), pairs, outcomes)
    names = pl.Series([f"j{k:03d}" for k in range(shape[0])])
    return ClusterCounts("judge", counts, table, values=names, n_alone=0)


def assess(fit: Fit, known: Uncertainty, truth: Floats) -> Outcome:
    """Hold intervals and rank sets against the truth [m] of the models in the fit."""
    inside = (known.lower <= truth) & (truth <= known.upper)
    squares = ((fit.log_odds - truth) / known.std_error) ** 2
    sets = rank_sets(fit.log_odds, known.covariance, known.deviations, level=LEVEL)
    # Equal models may stand in any order, so each of them has several true ranks.
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = truth.size - (truth[None, :] < truth[:, None]).sum(axis=1)
    in_sets = (sets.best <= best) & (worst <= sets.worst)
    return Outcome(float(inside.mean()), float(np.nanmean(squares)), bool(in_sets.all()))


def run_arena(scenario: Scenario, seed: Sequence[int]) -> list[Outcome]:
    """Simulate one arena, and assess each method of the scenario."""
    arena = simulate(scenario, np.random.default_rng(seed))
    fit = fit_bradley_terry(arena.clusters.counts)
    truth = arena.truth[[arena.clusters.counts.models.index(model) for model in fit.models]]
    truth = truth - truth.mean()
    outcomes = []
    for text in scenario.methods:
        method, column = parse_method(text)
        interval = Interval(method, column, LEVEL, rounds=scenario.rounds, seed=seed[-1])
        clusters = None if column is None else arena.clusters
        outcomes.append(assess(fit, estimate_uncertainty(fit, interval, clusters), truth))
    return outcomes


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one scenario, over all arenas: figures, each with its simulation error."""

    scenario: str
    method: str
    valid: bool
    arenas: int
    coverage: tuple[float, float]
    error_ratio: tuple[float, float]
    ranks: tuple[float, float]

    @property
    def in_band(self) -> bool:
        """Whether the average coverage is what it should be."""
        return BAND[0] <= self.coverage[0] <= BAND[1]

    @property
    def ranks_hold(self) -> bool:
        """Whether rank sets hold often enough, allowing two simulation errors."""
        expected = np.sqrt(LEVEL * (1 - LEVEL) / self.arenas)
        return self.ranks[0] >= LEVEL - 2 * expected


def summarise(scenario: Scenario, arenas: Sequence[Sequence[Outcome]]) -> list[Row]:
    """Averages over arenas."""
    rows = []
    for method, done in zip(scenario.methods, zip(*arenas, strict=True), strict=True):
        square, square_error = _mean([one.squares for one in done])
        row = Row(
            scenario.name,
            method,
            method in scenario.valid,
            len(done),
            _mean([one.covered for one in done]),
            (float(np.sqrt(square)), square_error / (2.0 * float(np.sqrt(square)))),
            _mean([float(one.ranks) for one in done]),
        )
        rows.append(row)
    return rows


def study(scenario: Scenario, n_arenas: int, seed: int) -> list[Row]:
    """Run a scenario in this process."""
    seeds = _seeds(n_arenas, seed)
    return summarise(scenario, [run_arena(scenario, one) for one in seeds])


def study_in_processes(scenario: Scenario, n_arenas: int, seed: int) -> list[Row]:
    """Run a scenario on all cores; the figures are those of `study`."""
    one = partial(run_arena, scenario)
    # Every process has its share of the cores already.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        arenas = list(pool.map(one, _seeds(n_arenas, seed), chunksize=10))
    return summarise(scenario, arenas)


def render(rows: Sequence[Row], command: str, seed: int, seconds: float) -> str:
    """The study as a page of Markdown."""
    return "\n".join([*_head(command, seed, seconds), *map(_line, rows), "", *_notes(rows)])


def _head(command: str, seed: int, seconds: float) -> Iterator[str]:
    yield f"""# Coverage of intervals and rank sets

`{command}` · seed {seed} · {seconds / 60:.0f} minutes on {os.cpu_count()} cores

Each arena has 20 models, 5,000 votes by 250 judges where nothing else is said, unequal sampling and about 30 % ties.
How arenas are drawn, and what the truth is, is said at the top of [coverage_study.py](coverage_study.py).
There are {INDEPENDENT.rounds} resamples, and {EQUALS.rounds:,} between equal models.
In brackets stands the simulation error of a figure.
Where a method is valid, its 95 % intervals are to cover the truth in {BAND[0]:.1%} to {BAND[1]:.1%} of cases, averaged over models, and its rank sets are to hold all true ranks at once in 95 % of arenas or more, allowing two simulation errors.
Error ÷ standard error is a root mean square: 1 if the errors are right, more if they are too small.

| scenario | method | valid | arenas | coverage, % | error ÷ standard error | rank sets hold, % | |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def _line(row: Row) -> str:
    missed = []
    if row.valid and not row.in_band:
        missed.append("outside the band")
    if row.valid and not row.ranks_hold:
        missed.append("rank sets miss")
    coverage, ranks = ([100 * figure for figure in pair] for pair in (row.coverage, row.ranks))
    return (
        f"| {row.scenario} | {row.method} | {'yes' if row.valid else 'no'} | {row.arenas:,} "
        f"| {coverage[0]:.2f} ({coverage[1]:.2f}) "
        f"| {row.error_ratio[0]:.3f} ({row.error_ratio[1]:.3f}) "
        f"| {ranks[0]:.1f} ({ranks[1]:.1f}) | {', '.join(missed)} |"
    )


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    by = {(row.scenario, row.method): row for row in rows}
    fisher = by[INDEPENDENT.name, "fisher"]
    yield (
        "- `fisher` believes that a vote is won or lost. A tie has less spread, so under the half "
        f"rule its errors are too large, here by {1 / fisher.error_ratio[0] - 1:.0%}, and its "
        f"95 % intervals cover {fisher.coverage[0]:.1%}."
    )
    plain, robust = by[TASTE.name, "sandwich"], by[TASTE.name, "cluster:judge"]
    yield (
        "- Where judges have a taste, twenty votes of one judge say less than twenty votes. "
        "Errors that take votes for independent are then too small, here by "
        f"{1 - 1 / plain.error_ratio[0]:.0%}, and the intervals cover {plain.coverage[0]:.1%}; "
        f"by judge they cover {robust.coverage[0]:.1%}."
    )
    lucky = by[TASTE.name, "fisher"]
    yield (
        f"- That `fisher` covers {lucky.coverage[0]:.1%} there is luck: what it takes too large for "
        "ties makes up for what it takes too small for judges."
    )
    few, many = (by[one.name, "cluster:judge"] for one in (EQUALS, EQUALS_LARGE))
    yield (
        "- Between models that differ, rank sets hold nearly always, since they fail only where "
        "a difference is found with the wrong sign. Between equal models they fail wherever any "
        "of 190 differences is found, which tries the far tails of their distribution. With 250 "
        f"judges these are a little heavier than normal, and rank sets by judge hold in "
        f"{few.ranks[0]:.1%} of arenas; with 2,000 judges in {many.ranks[0]:.1%}."
    )
    yield ""


def _sampling(share: Floats) -> tuple[Integers, Integers, Floats]:
    """Pairs (left, right) and the probability of each, from the models' shares [m]."""
    left, right = np.triu_indices(share.size, 1)
    product = share[left] * share[right]
    return left, right, product / product.sum()


def _population(gap: Floats, taste: float) -> tuple[Floats, Floats]:
    """Means of p and of p (1 - p) over judges, at these gaps [P]."""
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    p = _sigmoid(gap[:, None] + np.sqrt(2.0) * taste * node)
    return p @ weight, (p * (1.0 - p)) @ weight


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"m{i:03d}" for i in range(n))


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and its standard error."""
    array = np.array(values)
    return float(array.mean()), float(array.std(ddof=1) / np.sqrt(array.size))


def _seeds(n_arenas: int, seed: int) -> list[tuple[int, int]]:
    return [(seed, i) for i in range(n_arenas)]


def main() -> None:
    """Run all scenarios, write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arenas", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    start = perf_counter()
    rows = []
    for scenario in SCENARIOS:
        rows += study_in_processes(scenario, options.arenas, options.seed)
    command = f"python benchmarks/coverage_study.py --arenas {options.arenas}"
    page = render(rows, command, options.seed, perf_counter() - start)
    options.output.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
