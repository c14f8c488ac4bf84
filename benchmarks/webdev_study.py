"""WebDev Arena without its duplicates: can less data alone move the first model by 51.5 points?

    python benchmarks/webdev_study.py

LMArena took duplicated prompts out of the votes of WebDev Arena, rated again, and published both
boards. The votes behind them are not public in full, so this study makes a log of the same size
from the published ratings: nothing in it is a real vote. In that log duplicates are chosen at
random, and whatever their removal does is done by less data alone.

What is held against what was published:

- the first model's change against the anchor, by the placebo that `arena compare` draws: the same
  number of votes taken out of each pair of models at random;
- the stretch of the board: by what factor the distances between ratings change. It needs no
  anchor, so that the chance of one model's votes cannot move it;
- the same with fewer votes on the first model or on the anchor, down to where chance would do;
- two causes that are no chance: the first model gains on the duplicates, or all distances are
  larger on them. For each, how large it would have to be.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from arena.batch import solve_tables
from arena.battles import Battles, read_battles
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.counts import PairCounts
from arena.covariance import estimate_covariance
from arena.filters import Filter, keep_places, select
from arena.parts import Parts, count_parts
from arena.placebo import expected_counts, of_all, of_kept, placebo_tables
from arena.simulation import simulate
from arena.ties import sigmoid
from arena.vote_draws import outcome_shares
from arena.world import ELO, World

Floats = NDArray[np.float64]

VOTES, KEPT = 103_096, 61_473
TIES, BOTH_BAD = 0.078, 0.18
TOP, ANCHOR = "claude-3-7-sonnet-20250219", "gpt-4o-2024-11-20"
SOURCE = "https://blog.lmarena.ai/blog/2025/webdev-arena/"

PUBLISHED: Mapping[str, tuple[float, float]] = {
    "claude-3-7-sonnet-20250219": (1362.94, 1311.42),
    "claude-3-5-sonnet-20241022": (1245.85, 1209.08),
    "deepseek-r1": (1204.69, 1165.4),
    "early-grok-3-so-false": (1147.0, 1111.37),
    "o3-mini-2025-01-31-high": (1146.14, 1119.43),
    "o3-mini-2025-01-31-high-so-false": (1137.21, 1119.85),
    "claude-3-5-haiku-20241022": (1136.38, 1112.98),
    "o3-mini-2025-01-31-so-false": (1109.05, 1083.3),
    "gemini-2.0-flash-thinking-01-21-so-false": (1108.82, 1099.89),
    "gemini-2.0-pro-exp-02-05": (1101.89, 1078.58),
    "o3-mini-2025-01-31": (1099.29, 1076.49),
    "o1": (1054.73, 1037.26),
    "o1-2024-12-17-so-false": (1054.52, 1043.16),
    "o1-2024-12-17": (1049.89, 1035.79),
    "o1-mini-2024-09-12": (1046.59, 1027.98),
    "gemini-2.0-flash-thinking-exp-01-21": (1034.29, 1014.75),
    "gemini-2.0-flash-001-so-false": (1031.72, 1011.87),
    "gemini-2.0-flash-thinking-exp-1219": (1023.31, 1005.57),
    "gemini-exp-1206": (1022.12, 998.06),
    "gemini-2.0-flash-exp": (983.58, 966.59),
    "qwen-max-2025-01-25": (979.82, 971.03),
    "gpt-4o-2024-11-20": (964.0, 964.0),
    "deepseek-v3": (963.9, 940.75),
    "qwen-2.5-coder-32b-instruct": (903.06, 907.07),
    "gemini-1.5-pro-002": (893.5, 891.07),
    "llama-v3.3-70b-instruct": (861.76, 904.38),
    "llama-v3.1-405b-instruct": (811.61, 798.89),
}
"""Ratings with all votes, and without duplicates. The page has one row more, gpt-4-turbo, whose
four figures are those of o1 to the last digit; one of the two is a slip, and o1 stays here."""

MODELS = tuple(sorted(PUBLISHED))
ALL, CLEAN = (np.array([PUBLISHED[model][k] for model in MODELS]) for k in (0, 1))
CHANGE = PUBLISHED[TOP][1] - PUBLISHED[TOP][0]
"""-51.52: the anchor is at 964 on both boards."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How often models play in a synthetic log.

    Attributes:
        name: what the table calls it.
        weights: model → weight, one for those not named.
    """

    name: str
    weights: Mapping[str, float]


SCENARIOS = (
    Scenario("all alike", {}),
    Scenario("first model a third", {TOP: 1 / 3}),
    Scenario("first model a tenth", {TOP: 0.1}),
    Scenario("first model and anchor a tenth", {TOP: 0.1, ANCHOR: 0.1}),
    Scenario("first model a fiftieth", {TOP: 0.02}),
)


@dataclass(frozen=True, slots=True, eq=False)
class Placebo:
    """What random removal does in one log.

    Attributes:
        scenario: how often models play.
        votes: of the first model.
        change: float [B], of the first model's rating against the anchor, in points.
        stretch: float [B], of the board.
        error: standard deviation of the change by the formula √((1 - k) / k) · se.
    """

    scenario: Scenario
    votes: int
    change: Floats
    stretch: Floats
    error: float


def stretch_of(after: Floats, before: Floats = ALL) -> Floats:
    """The slope of ratings [..., m] after on those before: below one, the board has shrunk."""
    centred = before - before.mean()
    slope: Floats = (after - after.mean(axis=-1, keepdims=True)) @ centred / (centred @ centred)
    return slope


def tie_share_at_level() -> float:
    """The share of ties between equals with which the log as a whole has the published one."""
    left, right = np.triu_indices(len(MODELS), 1)
    gap = (ALL[left] - ALL[right]) / ELO
    wanted = TIES + BOTH_BAD
    return float(brentq(lambda ties: outcome_shares(gap, ties)[2].mean() - wanted, 0.01, 0.9))


def make_log(scenario: Scenario, seed: int) -> Battles:
    """A log of the published size, of which as many votes as LMArena kept are kept at random."""
    world = World(
        strengths=dict(zip(MODELS, ALL.tolist(), strict=True)),
        weights={model: scenario.weights.get(model, 1.0) for model in MODELS},
        ties=tie_share_at_level(),
        both_bad=BOTH_BAD / (TIES + BOTH_BAD),
    )
    votes = simulate(world, VOTES, seed, texts=False).votes
    flags = np.zeros(VOTES, dtype=bool)
    flags[np.random.default_rng(seed).permutation(VOTES)[:KEPT]] = True
    random = Filter("as many at random", (), lambda _: keep_places(flags))
    return select(read_battles(votes), random).kept


def run_placebo(scenario: Scenario, draws: int, seed: int) -> Placebo:
    """Take votes out at random, again and again, and rate what is left."""
    parts = count_parts(make_log(scenario, seed))
    fit, all_votes = _fit(parts), fit_bradley_terry(parts.all)
    base = ELO * all_votes.log_odds
    tables = placebo_tables(fit, parts, of_kept, draws, seed)
    drawn = ELO * solve_tables(fit, tables).log_odds
    top, anchor = fit.models.index(TOP), fit.models.index(ANCHOR)
    change = drawn[:, top] - drawn[:, anchor] - (base[top] - base[anchor])
    covariance = estimate_covariance(all_votes)
    error = ELO * np.sqrt(
        covariance[top, top] + covariance[anchor, anchor] - 2 * covariance[top, anchor]
    )
    met = (parts.all.pairs == top).any(axis=1)
    return Placebo(
        scenario,
        round(parts.all.outcomes[met].sum()),
        change,
        stretch_of(drawn, base),
        float(np.sqrt(VOTES / KEPT - 1) * error),
    )


def _fit(parts: Parts) -> Fit:
    """The point from which the placebo's tables are solved."""
    assert of_all(parts.votes).sum() == VOTES
    kept, _ = expected_counts(parts)
    return fit_bradley_terry(kept)


# ── causes that are no chance ──────────────────────────────────────────────────────────────


def mixed_ratings(strengths: Floats, on_duplicates: Floats, share: float) -> Floats:
    """The ratings [m] of a board with a share of its votes on duplicates, in expectation.

    Args:
        strengths: float [m], points, on the other votes.
        on_duplicates: float [m], points, on the duplicates.
        share: of duplicates in each pair of models.
    """
    left, right = np.triu_indices(strengths.size, 1)
    p = (1 - share) * _points(strengths, left, right) + share * _points(on_duplicates, left, right)
    outcomes = np.stack([p, 1 - p, 0 * p, 0 * p], axis=1)
    counts = PairCounts(MODELS, np.stack([left, right], axis=1), 1_000 * outcomes)
    return ELO * fit_bradley_terry(counts).log_odds


def _points(strengths: Floats, left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
    return sigmoid((strengths[left] - strengths[right]) / ELO)


def _lead(ratings: Floats) -> float:
    return float(ratings[MODELS.index(TOP)] - ratings[MODELS.index(ANCHOR)])


def gain_needed(share: float) -> float:
    """Points that the first model alone would have to gain on duplicates."""
    gain = np.zeros(len(MODELS))

    def missing(points: float) -> float:
        gain[MODELS.index(TOP)] = points
        return _lead(mixed_ratings(CLEAN, CLEAN + gain, share)) - _lead(ALL)

    return float(brentq(missing, 0.0, 1_500.0))


def factor_needed(share: float) -> float:
    """The factor by which all distances would have to be larger on duplicates."""

    def missing(factor: float) -> float:
        return _lead(mixed_ratings(CLEAN, factor * CLEAN, share)) - _lead(ALL)

    return float(brentq(missing, 1.0, 5.0))


# ── the page ───────────────────────────────────────────────────────────────────────────────


def check(placebos: Sequence[Placebo], gain: float, factor: float) -> None:
    """What the page claims."""
    plain = placebos[0]
    assert np.abs(plain.change).max() < abs(CHANGE) / 2
    assert plain.stretch.min() > 0.95 > stretch_of(CLEAN)
    assert all(one.stretch.min() > stretch_of(CLEAN) for one in placebos)
    for one in placebos:
        assert abs(one.change.mean()) < 3 * one.change.std()
        assert 0.85 < one.change.std() / one.error < 1.15
    assert np.sum(CLEAN < ALL) == 24
    assert np.sum(CLEAN > ALL) == 2
    others = np.array([model != TOP for model in MODELS])
    alone = mixed_ratings(CLEAN, CLEAN + gain * ~others, 1 - KEPT / VOTES)
    wider = mixed_ratings(CLEAN, factor * CLEAN, 1 - KEPT / VOTES)
    assert abs(_lead(alone) - _lead(ALL)) < 1e-6
    assert abs(_lead(wider) - _lead(ALL)) < 1e-6
    assert _misfit(wider) < 0.8 * _misfit(CLEAN) < 0.9 * _misfit(alone)


def _misfit(ratings: Floats) -> float:
    """Root mean square distance from the board of all votes, both with the same mean."""
    return float(np.std(ratings - ALL))


def render(placebos: Sequence[Placebo], gain: float, factor: float, command: str, seed: int) -> str:
    """The study as a page of Markdown."""
    share = 1 - KEPT / VOTES
    plain, draws = placebos[0], placebos[0].change.size
    alone = mixed_ratings(CLEAN, CLEAN + gain * (np.array(MODELS) == TOP), share)
    wider = mixed_ratings(CLEAN, factor * CLEAN, share)
    left = (wider - wider.mean()) - (ALL - ALL.mean())
    least = min(one.stretch.min() for one in placebos)
    odd, away = MODELS[int(np.abs(left).argmax())], np.abs(left).max()
    rows = "\n".join(_line(one) for one in placebos)
    enough = _votes_for_chance(plain)
    return f"""# WebDev Arena without its duplicates

`{command}` · seed {seed} · {draws:,} random removals for each row

In March 2025 LMArena found that a large part of the votes of WebDev Arena were on the sample prompts of its front page.
It took the duplicates out, which left {KEPT:,} of {VOTES:,} votes, and printed both boards ([WebDev Arena]({SOURCE}), figure 9).
The first model, {TOP}, fell from 1362.94 to 1311.42: by {-CHANGE:.1f} points against the anchor {ANCHOR}, which is at 964 on both.
The page says that the difference is "mainly caused by having less data".
Can it be?

No vote here is real.
The log is simulated at the size, the tie share and the ratings that LMArena printed, and the {VOTES - KEPT:,} votes are taken out at random within each pair of models.

## What less data does

| how often models play | votes of the first model | change of the first model, points | by formula | removals that reach {-CHANGE:.1f} either way | stretch of the board |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows}
| **published** | not known | **{CHANGE:.1f}** | | | **{stretch_of(CLEAN):.3f}** |

Change: the mean, and in brackets where 95 % of the removals lie.
By formula: a rating from a share k of the votes departs from that of all by √((1 - k) / k) of its standard error; here this gives the change one standard deviation of so many points.
Stretch: the slope of the later ratings on the earlier ones; 1 if distances stay what they are.

- If all models play alike, random removal moves the first model by {plain.change.std():.1f} points, one standard deviation, and by {np.abs(plain.change).max():.1f} at most in {draws:,} removals. A change of {-CHANGE:.1f} is {-CHANGE / plain.change.std():.0f} standard deviations.
- Less data has no direction: the mean change is {plain.change.mean():+.2f}. On the published boards {np.sum(CLEAN < ALL)} of {len(MODELS) - 1} models fell against the anchor, and the further above it they stood, the more they fell.
- Chance on the anchor's own votes could let all others fall together. It cannot make the board shrink: distances fell to {stretch_of(CLEAN):.0%}, random removal here leaves {plain.stretch.min():.1%} to {plain.stretch.max():.1%} of them, and no removal in any row leaves less than {least:.1%}.
- For {-CHANGE:.1f} points to be within two standard deviations, the first model and the anchor could have had no more than some {enough:,.0f} votes each before removal, of {VOTES:,} votes on {len(MODELS)} models.

## What else would do it

Two causes, each worked out so that it turns the board without duplicates into one with the first model {_lead(ALL):.1f} points above the anchor; duplicates are {share:.1%} of each pair's votes.

| cause | size | how far the other ratings are then from those published, root mean square |
| --- | ---: | ---: |
| none: the board without duplicates as it is | | {_misfit(CLEAN):.1f} |
| the first model alone is better on duplicates | {gain:.0f} points | {_misfit(alone):.1f} |
| all distances are larger on duplicates | {factor:.2f} times | {_misfit(wider):.1f} |

The first model alone would need a gain of {gain:.0f} points on duplicated prompts, and that leaves the fall of the others as it is.
Distances {factor:.2f} times as large on duplicates do as much for the first model, and come closer to the rest.
Neither is the whole story: by the second, {odd} still stands {away:.0f} points off.
But if the two boards were computed alike, the duplicates were votes of another kind, and their removal was no loss of data at random.
Why they were of another kind the boards do not say.
Sample prompts may part the models more sharply than what users think up themselves; nothing here shows that anybody trained on them.

## What cannot be known from here

- How many votes each model and pair had, and which were duplicates: the figures above take duplicates to be as frequent in every pair. {TOP} was new, by its name, so that it may have had fewer votes than most; the rows with fewer say what that changes.
- How LMArena counted ties on these boards, and what made two prompts duplicates.
- The printed table has two rows with the same four figures, gpt-4-turbo and o1; one of them is a slip, and is left out here.
- Whether both boards were computed alike; if not, no vote need be the cause.

With the votes at hand none of this need be assumed: `arena compare`, with a filter that leaves duplicates out, shows the change of each rating beside what the placebo does to it.
"""


def _line(one: Placebo) -> str:
    lower, upper = np.quantile(one.change, [0.025, 0.975])
    reached = int((np.abs(one.change) >= abs(CHANGE)).sum())
    low, high = np.quantile(one.stretch, [0.025, 0.975])
    return (
        f"| {one.scenario.name} | {one.votes:,} | {one.change.mean():+.1f} "
        f"({lower:+.1f} to {upper:+.1f}) | {one.error:.1f} | {reached:,} of {one.change.size:,} "
        f"| {low:.3f} to {high:.3f} |"
    )


def _votes_for_chance(plain: Placebo) -> float:
    """Votes on each of the two at which the change is two standard deviations, by the formula."""
    return plain.votes * (2 * plain.error / abs(CHANGE)) ** 2


def main() -> None:
    """Run the study, check its claims, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    placebos = [run_placebo(one, options.draws, options.seed) for one in SCENARIOS]
    share = 1 - KEPT / VOTES
    gain, factor = gain_needed(share), factor_needed(share)
    check(placebos, gain, factor)
    command = f"python benchmarks/webdev_study.py --draws {options.draws}"
    page = render(placebos, gain, factor, command, options.seed)
    options.output.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
