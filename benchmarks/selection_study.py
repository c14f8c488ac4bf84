"""Best of n: what private variants, clones, more votes and early retirement do to ratings.

    python benchmarks/selection_study.py

The formula of `arena.variants` for a grid, the same simulated on the shipped board, and two
cases from "The Leaderboard Illusion" and LMArena's answer to it, with what the formula says of
their numbers. The shipped board is the Chatbot Arena log to 2024-08-14, so that none of the
models of these cases is on it: it stands for boards of its kind.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot
from pathlib import Path
from statistics import NormalDist

import numpy as np
import polars as pl

from arena.board_variants import Opponents, best_of_n_on_board
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.datasets import shipped
from arena.retirement import Retirement, retire_early
from arena.tally import count_pairs
from arena.variants import best_of_n, expected_best, range_probability, rating_error

TIES = 0.35
VARIANTS = (2, 5, 10, 27, 50, 100)
VOTES = (500, 1_000, 2_000, 3_000, 5_000, 10_000)
LIKE = "llama-3-70b-instruct"
OPPONENTS: tuple[Opponents, ...] = ("uniform", "like", "near")
CLONES = ((1069.0, 27.0), (1054.0, 20.0))
"""Rating and half width of the interval of one checkpoint under two names, as LMArena gives them;
the second interval is +18/-22."""
FIRST = 25
STAYING = 30
SHIFT = 30.0

PAPER = "https://arxiv.org/abs/2504.20879"
ANSWER = "https://blog.lmarena.ai/blog/2025/our-response/"
WEBDEV = "https://blog.lmarena.ai/blog/2025/webdev-arena/"
DIGEST = "https://neuralnewshub.site/big-companies-are-hacking-ais-top"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All that is shown.

    Attributes:
        grid: `best_of_n` over `VARIANTS` and `VOTES`.
        board: one row per kind of opponents and number of variants, simulated at 3,000 votes,
            with `opponents` and `formula`, the gain that the formula gives.
        fresh: 27 variants at 2,000 votes, for strengths that differ and fresh votes.
        sampling: ten times the votes, or ten times the variants.
        clones: two clones on the board with as many votes as their intervals tell of.
        retirement: all models but the first retired, with shifts drawn at random.
    """

    grid: pl.DataFrame
    board: pl.DataFrame
    fresh: pl.DataFrame
    sampling: pl.DataFrame
    clones: pl.DataFrame
    retirement: Retirement


def run(rounds: int, seed: int) -> Study:
    """Work everything out."""
    fit = fit_bradley_terry(count_pairs(shipped()))
    variants = [1, 2, 10, 27, 50]
    boards = []
    for opponents in OPPONENTS:
        drawn = best_of_n_on_board(
            fit,
            like=LIKE,
            variants=variants,
            opponents=opponents,
            top=FIRST,
            rounds=rounds,
            seed=seed,
        )
        boards.append(drawn.frame.with_columns(opponents=pl.lit(opponents)))
    formula = best_of_n(variants, [3_000], tie_share=TIES).frame["gain"]
    board = pl.concat(boards).with_columns(formula=pl.Series(formula.to_list() * len(OPPONENTS)))
    clones = best_of_n_on_board(
        fit, like=LIKE, variants=[2], votes=[votes_behind(CLONES)], rounds=4 * rounds, seed=seed
    )
    of = partial(best_of_n, tie_share=TIES)
    return Study(
        of(VARIANTS, VOTES).frame,
        board,
        best_of_n([27], [2_000], true_spread=[0, 10, 20], fresh=[0, 2_000, 18_000]).frame,
        pl.concat(of([n], [2_000], sampling=[k]).frame for n, k in ((27, 1), (27, 10), (270, 1))),
        clones.frame,
        retire(fit, seed),
    )


def votes_behind(intervals: Iterable[tuple[float, float]]) -> int:
    """The votes at which ratings have intervals as wide as these on average, by the formula."""
    z = NormalDist().inv_cdf(0.975)
    variance = float(np.mean([(half / z) ** 2 for _, half in intervals]))
    return round(rating_error(1, TIES) ** 2 / variance)


def retire(fit: Fit, seed: int) -> Retirement:
    """Retire all but the best, with a shift drawn for every model; intervals are not shown."""
    shift = np.random.default_rng(seed).normal(0.0, SHIFT, len(fit.models))
    order = np.argsort(-fit.log_odds)
    return retire_early(
        fit,
        [fit.models[i] for i in order[STAYING:]],
        dict(zip(fit.models, shift.tolist(), strict=True)),
        [0.25, 0.5, 0.75],
        rounds=2,
        seed=seed,
    )


def chance_of_distance() -> float:
    """The probability that the two clones' ratings are as far apart as they were, or further."""
    z = NormalDist().inv_cdf(0.975)
    (one, first), (other, second) = CLONES
    return 2 * NormalDist().cdf(-abs(one - other) / hypot(first / z, second / z))


def check(told: Study) -> None:
    """What the page claims."""
    at = {(n, v): gain for n, v, gain in told.grid.select("variants", "votes", "gain").iter_rows()}
    assert abs(at[50, 3_000] - 11.5) < 0.05
    assert abs(at[50, 3_000] / rating_error(3_000, TIES) - 2.249) < 0.001
    for row in told.board.iter_rows(named=True):
        assert abs(row["gain"] - row["formula"]) < 0.12 * row["formula"] + 4 * row["gain_error"]
    assert at[100, 2_000] < 20
    assert votes_for_gain(100, 10) < 25
    assert chance_of_distance() > 0.3
    row = told.clones.row(0, named=True)
    assert row["between_lower"] <= 4 <= row["between_upper"]
    left = told.fresh.filter(pl.col("true_spread") == 0)
    assert np.allclose(left["gain_left"] / left["gain"], [1, 0.5, 0.1])
    rms = told.retirement.typical["bias_rms"].to_list()
    assert rms == sorted(rms)
    assert rms[1] > 10


def votes_for_gain(points: float, n: int) -> float:
    """The votes per variant at which the best of n equals gains so many points."""
    return (rating_error(1, TIES) * expected_best(n) / points) ** 2


# ── the page ───────────────────────────────────────────────────────────────────────────────


def render(told: Study, command: str, seed: int, rounds: int) -> str:
    """The study as a page of Markdown."""
    clones, (plain, votes10, variants10) = told.clones.row(0, named=True), _dicts(told.sampling)
    behind = votes_behind(CLONES)
    apart = CLONES[0][0] - CLONES[1][0]
    as_far = 1 - range_probability(2, apart / rating_error(behind, TIES))
    return f"""# Best of n

`{command}` · seed {seed} · {rounds:,} draws

Whoever tries n private variants and lists the best rating lists the best luck with it.
Between equals, a rating from v votes of which a share t are ties has the standard error 2 √((1 - t) / v) · 400 / ln 10 points, and the best of n lies above its own strength by as many of these as the highest of n standard normal variables does.
How this is computed is said in [variants.py](../arena/variants.py).

## The gain, in points, for equal variants

{TIES:.0%} ties, as Chatbot Arena had ([LMArena]({WEBDEV})); in brackets where 95 % of cases lie.

{_grid(told.grid)}

## The same on a board

Variants as strong as {LIKE} enter the shipped board (rank {told.board["rank_true"][0]} of 129) with 3,000 votes each.
Opponents are drawn evenly, as that model met them, or by nearness; ties are as frequent as the board has them at each distance.
The formula takes opponents for level, so that it gives a little less: votes on an opponent far above or below say less.

| opponents | variants | gain (simulation error) | formula | rank (95 %) | in the first {FIRST} | a single one | between best and worst |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{_board(told.board)}

Between: how many models of the board would stand between best and worst, were all variants listed.
Of n listed clones, a model below all of them stands n - 1 places lower than below one.

## Case 1: 27 private variants

Singh and others counted 27 private variants by Meta before Llama 4 ([The Leaderboard Illusion]({PAPER})).
LMArena answered that the effect is "around +11 Elo after 50 tests and 3000 votes" and "diminishes to zero as fresh evaluation data accumulates", and that a gain of 100 points came from a simulation with normal distributions of a variance chosen for illustration ([answer]({ANSWER})).

- The formula gives **{_gain(told.grid, 50, 3_000):.1f}** points for 50 variants and 3,000 votes. For variants of equal strength LMArena's figure is right.
- For 27 variants and the 2,000 votes after which models were listed it gives {_gain(told.grid, 27, 2_000):.1f}.
- A gain of 100 points by luck alone, with ten variants, needs ratings from {votes_for_gain(100, 10):.0f} votes each. What goes beyond twenty points, at thousands of votes, is not luck: then the variants differ, and a better one is chosen.
- LMArena announced that scores would be marked as provisional until 2,000 fresh votes, where more than ten variants were tested in parallel. Added to 2,000 private votes they leave half of the gain. It goes as old votes / all votes, and is gone at once only if the private votes are discarded.

27 variants at 2,000 votes each, if their strengths differ by a standard deviation of so many points:

| strengths differ by | fresh votes | gain by luck | better than the average variant | left of the luck (95 %) |
| ---: | ---: | ---: | ---: | ---: |
{_fresh(told.fresh)}

The more the variants differ, the less of the best one's lead is luck, and the more is strength that was chosen for what voters like.
Only the first shrinks with fresh votes.

## Case 2: one checkpoint under two names

The authors submitted one checkpoint of Aya Vision 8B twice.
LMArena gives the two ratings as {CLONES[0][0]:.0f} (±27) and {CLONES[1][0]:.0f} (+18/-22) ([answer]({ANSWER})); a digest of the paper has 1069 and 1052, with four models between them ([digest]({DIGEST})).

- With those intervals, equal models are {apart:.0f} points apart or more in {chance_of_distance():.0%} of cases. It is no sign of a fault.
- Intervals of that width are those of some {behind} votes. Two clones with so many are {2 * rating_error(behind, TIES) * expected_best(2):.0f} points apart on average, and {apart:.0f} or more in {as_far:.0%} of cases.
- On the shipped board, two clones like {LIKE} with {behind} votes have {clones["between"]:.1f} models between them on average, and {clones["between_lower"]} to {clones["between_upper"]} in 95 % of cases. Four are nothing out of the ordinary.
- So both sides are right: the ranks differed, and the difference is no evidence of anything but few votes. That is what an interval is for, and why a rank without one says little.

## More votes, or more variants

The paper estimates that Google and OpenAI got 19.2 % and 20.4 % of all data, and 83 open-weight models together 29.7 % ([abstract]({PAPER})).
More votes on a variant make its rating more precise, so that there is less luck to choose from; more votes in all allow more variants.

| | standard error | gain |
| --- | ---: | ---: |
| 27 variants, 2,000 votes each | {plain["std_error"]:.1f} | {plain["gain"]:.1f} |
| the same with ten times the votes | {votes10["std_error"]:.1f} | {votes10["gain"]:.1f} |
| as many votes in all, on 270 variants | {variants10["std_error"]:.1f} | {variants10["gain"]:.1f} |

So being sampled more often lowers what luck can give, unless more is tried.
What the data are worth for training is no matter of this formula.

## Retired early

On the shipped board, all models but the first {STAYING} stop being sampled, and then the prompts change: on the new ones each model's strength is another by a normal variable with a standard deviation of {SHIFT:.0f} points, which is an assumption.
Held against the board on which all are sampled to the end:

| new votes | models retired | bias, root mean square, points | models with another rank |
| ---: | ---: | ---: | ---: |
{_retired(told.retirement)}

The bias is the share of the new votes times the shift, nearly, and has either sign: a retired model keeps the rating it had on old prompts, and whom that favours depends on the change.

## What cannot be known from here

- How much the 27 variants differed, how many votes each had, and whether private votes stayed in the published rating: all three decide what was gained.
- Whether what makes a variant the voters' favourite makes it better. The formula counts as luck only what a second sample of votes would not repeat.
- How much the mix of prompts did change, and for which models: the shift above is stated, and not estimated.
"""


def _dicts(frame: pl.DataFrame) -> list[dict[str, float]]:
    return frame.to_dicts()


def _gain(grid: pl.DataFrame, variants: int, votes: int) -> float:
    row = grid.filter((pl.col("variants") == variants) & (pl.col("votes") == votes))
    return float(row["gain"].item())


def _grid(grid: pl.DataFrame) -> str:
    head = "| variants | " + " | ".join(f"{votes:,} votes" for votes in VOTES) + " |"
    lines = [head, "| ---: |" + " ---: |" * len(VOTES)]
    for n, rows in grid.group_by("variants", maintain_order=True):
        cells = [
            f"{row['gain']:.1f} ({round(row['gain_lower'])} to {round(row['gain_upper'])})"
            for row in rows.iter_rows(named=True)
        ]
        lines.append(f"| {n[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _board(board: pl.DataFrame) -> str:
    return "\n".join(
        f"| {row['opponents']} | {row['variants']} | {row['gain']:.1f} ({row['gain_error']:.1f}) "
        f"| {row['formula']:.1f} | {row['rank']:.1f} ({row['rank_best']} to {row['rank_worst']}) "
        f"| {_chance(row['p_top'])} | {_chance(row['p_top_alone'])} | {row['between']:.1f} |"
        for row in board.iter_rows(named=True)
    )


def _chance(p: float) -> str:
    return "> 99.9%" if p > 0.9995 else f"{p:.1%}"


def _fresh(fresh: pl.DataFrame) -> str:
    rows: Sequence[dict[str, float]] = _dicts(fresh.sort("true_spread", "fresh"))
    return "\n".join(
        f"| {row['true_spread']:.0f} | {row['fresh']:,.0f} | {row['gain']:.1f} "
        f"| {row['better']:.1f} | {row['gain_left']:.1f} "
        f"({round(row['gain_left_lower'])} to {round(row['gain_left_upper'])}) |"
        for row in rows
    )


def _retired(told: Retirement) -> str:
    return "\n".join(
        f"| {row['new_share']:.0%} | {row['retired']} | {row['bias_rms']:.1f} "
        f"| {row['rank_moves']} |"
        for row in told.typical.iter_rows(named=True)
    )


def main() -> None:
    """Run the study, check its claims, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    told = run(options.rounds, options.seed)
    check(told)
    command = f"python benchmarks/selection_study.py --rounds {options.rounds}"
    page = render(told, command, options.seed, options.rounds)
    options.output.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
