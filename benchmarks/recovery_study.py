"""How well a planted gain is recovered, over simulated arenas whose truth is known.

    python benchmarks/recovery_study.py --arenas 500

An arena has 8 models with normal strengths (standard deviation 100 points) and 20,000 votes, a
third of them ties between equals. Two models were trained on the prompts of a share of the votes,
and gain some points on these. A tenth of the votes is on prompts that repeat.

Judges are honest and have no tastes, and style is worth nothing: what varies between votes and is
not in the fit pulls every gap towards zero, the gain among them, on these as on real votes. Which
prompts were seen is known without error: prompts taken wrongly for seen, or for unseen, would
make the gain smaller than it is.

For each share and gain it is asked:

- whether the estimate is right on average: within 2 points, or 5 % of the gain;
- how often its 95 % interval holds the truth;
- whether the negative control, the same gain for models that had not seen the prompts, is zero
  on average: within 2 points;
- how often the test that unexposed models are alike on seen prompts rejects at 5 %.

Where nothing is gained, the board without the battles in which an exposed model had seen the
prompt is held against its placebo, and the p-values are to be uniform: that of the board's
largest change, and that of an exposed model's change, by Kolmogorov and Smirnov's test at 1 %.

Ours to judge are 12 coverages at once. Each has a simulation error of one point in 500 arenas, so
the band of 93.5 to 96.5 % is asked of all arenas together, and of each setting with two of its
simulation errors allowed.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from scipy.stats import kstest

from arena.battles import Battles, read_battles
from arena.comparison import compare
from arena.filters import where
from arena.simulation import simulate
from arena.uplift import estimate_uplift
from arena.world import PlantedCorpus, World

SHARES = (0.05, 0.10, 0.30)
UPLIFTS = (0.0, 25.0, 50.0, 100.0)
MODELS, EXPOSED = 8, ("m0", "m1")
VOTES = 20_000
SPREAD = 100.0
DRAWS = 199

BAND = (0.935, 0.965)
MOST_BIAS, MOST_RELATIVE_BIAS = 2.0, 0.05
LEAST_P = 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """One arena.

    Attributes:
        error: the estimate less the truth, in points.
        std_error: of the estimate.
        covered: whether the interval holds the truth.
        control: the negative control's gain, in points.
        control_covered: whether the control's interval holds zero.
        spread_p: p-value of the test that unexposed models are alike on seen prompts.
        placebo: p-values of the board's largest change, and of an exposed model's, when its seen
            prompts are left out; only where nothing is gained.
    """

    error: float
    std_error: float
    covered: bool
    control: float
    control_covered: bool
    spread_p: float
    placebo: tuple[float, float] | None


def arena_votes(share: float, uplift: float, seed: Sequence[int], votes: int = VOTES) -> Battles:
    """The votes of one arena, with `prompt_id` and who had seen it."""
    rng = np.random.default_rng(seed)
    strengths = dict(zip(_names(), rng.normal(1000.0, SPREAD, MODELS).tolist(), strict=True))
    corpus = PlantedCorpus("trained", EXPOSED, share, uplift)
    drawn = simulate(
        World(strengths, corpora=(corpus,)), votes, int(rng.integers(2**31)), texts=False
    )
    columns = ["model_a", "model_b", "winner", "anony"]
    log = drawn.votes.select(columns).hstack(drawn.seen.rename({"trained": "seen"}))
    return read_battles(log, keep=["seen", "prompt_id"])


def run_arena(share: float, uplift: float, seed: Sequence[int], votes: int = VOTES) -> Outcome:
    """Draw one arena, and hold the estimate against the truth."""
    battles = arena_votes(share, uplift, seed, votes)
    told = estimate_uplift(battles, cluster="prompt_id")
    estimate, control, test = told.estimate, told.control, told.homogeneity
    assert control is not None, told.no_control
    assert test is not None
    return Outcome(
        error=estimate.uplift - uplift,
        std_error=estimate.std_error,
        covered=estimate.lower <= uplift <= estimate.upper,
        control=control.uplift,
        control_covered=control.lower <= 0.0 <= control.upper,
        spread_p=test[2],
        placebo=None if uplift else _placebo(battles, seed[-1]),
    )


def _placebo(battles: Battles, seed: int) -> tuple[float, float]:
    """How unusual it is what leaving out the seen prompts of exposed models does."""
    unseen = where("unseen by its models", pl.max_horizontal("seen_a", "seen_b") == 0)
    told = compare(battles, unseen, draws=DRAWS, rounds=2, seed=seed)
    p_values = dict(told.frame.select("model", "p_value").iter_rows())
    return told.p_board, p_values[EXPOSED[0]]


# ── figures ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Figures:
    """One setting over all its arenas; pairs are a figure and its simulation error.

    Attributes:
        share, uplift: what is planted.
        arenas: how many.
        error: mean error, in points.
        std_error: median standard error, in points.
        ratio: standard deviation of error over standard error.
        coverage: share of intervals that hold the truth.
        control: mean of the negative control, in points.
        control_coverage: share of its intervals that hold zero.
        rejected: share of arenas in which unexposed models are found to differ.
    """

    share: float
    uplift: float
    arenas: int
    error: tuple[float, float]
    std_error: float
    ratio: float
    coverage: tuple[float, float]
    control: tuple[float, float]
    control_coverage: tuple[float, float]
    rejected: float

    def failures(self) -> list[str]:
        """What is not as it should be."""
        failed = []
        if abs(self.error[0]) > max(MOST_BIAS, MOST_RELATIVE_BIAS * self.uplift):
            failed.append("biased")
        allowed = 2.0 * float(np.sqrt(0.95 * 0.05 / self.arenas))
        for name, (covered, _) in (("", self.coverage), ("control's ", self.control_coverage)):
            if not BAND[0] - allowed <= covered <= BAND[1] + allowed:
                failed.append(f"{name}coverage")
        if abs(self.control[0]) > MOST_BIAS:
            failed.append("control off zero")
        return failed


def figures(share: float, uplift: float, outcomes: Sequence[Outcome]) -> Figures:
    """Averages over arenas."""
    return Figures(
        share,
        uplift,
        len(outcomes),
        error=_mean([one.error for one in outcomes]),
        std_error=float(np.median([one.std_error for one in outcomes])),
        ratio=float(np.std([one.error / one.std_error for one in outcomes])),
        coverage=_mean([one.covered for one in outcomes]),
        control=_mean([one.control for one in outcomes]),
        control_coverage=_mean([one.control_covered for one in outcomes]),
        rejected=float(np.mean([one.spread_p < 0.05 for one in outcomes])),
    )


def study(arenas: int, seed: int, settings: Sequence[tuple[float, float]]) -> list[list[Outcome]]:
    """The outcomes of each setting, (share, uplift), on all cores."""
    # Every process has its share of the cores already.
    for library in ("POLARS_MAX", "OPENBLAS_NUM", "OMP_NUM", "MKL_NUM"):
        os.environ[f"{library}_THREADS"] = "1"
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return [
            list(pool.map(partial(run_arena, *setting), _seeds(arenas, seed, i), chunksize=5))
            for i, setting in enumerate(settings)
        ]


def verdicts(told: Sequence[Figures], placebos: Sequence[tuple[float, float]]) -> dict[str, str]:
    """What is asked → pass or fail, with the figure."""
    worst = max(told, key=lambda one: abs(one.error[0]))
    off = max(told, key=lambda one: abs(one.control[0]))
    covered = float(np.mean([one.coverage[0] for one in told]))
    of_control = float(np.mean([one.control_coverage[0] for one in told]))
    flat = [kstest(p_values, "uniform").pvalue for p_values in zip(*placebos, strict=True)]
    failed = [f"{one.share:.0%}, {one.uplift:g}: {', '.join(one.failures())}" for one in told]
    each = [text for text, one in zip(failed, told, strict=True) if one.failures()]

    def verdict(holds: bool, text: str) -> str:
        return f"{'pass' if holds else '**fail**'}: {text}"

    return {
        "estimate unbiased": verdict(
            not any("biased" in one.failures() for one in told),
            f"largest mean error {worst.error[0]:+.2f} points ({worst.error[1]:.2f}), "
            f"at {worst.share:.0%} and {worst.uplift:g} points",
        ),
        "95 % intervals cover": verdict(
            BAND[0] <= covered <= BAND[1], f"{covered:.2%} of all arenas"
        ),
        "each setting": verdict(not each, "; ".join(each) or "within the limits"),
        "negative control centred on 0": verdict(
            abs(off.control[0]) <= MOST_BIAS,
            f"largest mean {off.control[0]:+.2f} points ({off.control[1]:.2f})",
        ),
        "negative control's intervals cover 0": verdict(
            BAND[0] <= of_control <= BAND[1], f"{of_control:.2%} of all arenas"
        ),
        "placebo uniform where nothing is gained, board": verdict(
            flat[0] > LEAST_P, f"Kolmogorov-Smirnov p = {flat[0]:.3f}, {len(placebos):,} arenas"
        ),
        "placebo uniform where nothing is gained, exposed model": verdict(
            flat[1] > LEAST_P, f"Kolmogorov-Smirnov p = {flat[1]:.3f}, {len(placebos):,} arenas"
        ),
    }


# ── a page ─────────────────────────────────────────────────────────────────────────────────


def render(
    told: Sequence[Figures], verdict: dict[str, str], command: str, seed: int, seconds: float
) -> str:
    """The study as a page of Markdown."""
    return "\n".join([*_head(command, seed, seconds), *map(_line, told), "", *_verdict(verdict)])


def _head(command: str, seed: int, seconds: float) -> Iterator[str]:
    yield f"""# Recovery of a planted gain

`{command}` · seed {seed} · {seconds / 60:.0f} minutes on {os.cpu_count()} cores

Each arena has {MODELS} models and {VOTES:,} votes; {len(EXPOSED)} models had seen the prompts of a share of the votes, and gain some points on them.
How arenas are drawn, and what is asked of the estimates, is said at the top of [recovery_study.py](recovery_study.py).
In brackets stands the simulation error of a figure.
Error ÷ standard error is a standard deviation: 1 if the standard errors are right.
The control is the same estimate for models that had seen nothing; "differ" is how often these are found to differ on the seen prompts, at 5 %.

| share | gain | arenas | mean error | standard error | error ÷ standard error | coverage, % | control | its coverage, % | differ, % | |
| --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |"""


def _line(one: Figures) -> str:
    coverage, control = (
        f"{100 * pair[0]:.1f} ({100 * pair[1]:.1f})"
        for pair in (one.coverage, one.control_coverage)
    )
    return (
        f"| {one.share:.0%} | {one.uplift:g} | {one.arenas:,} "
        f"| {one.error[0]:+.2f} ({one.error[1]:.2f}) | {one.std_error:.1f} | {one.ratio:.3f} "
        f"| {coverage} | {one.control[0]:+.2f} ({one.control[1]:.2f}) | {control} "
        f"| {100 * one.rejected:.1f} | {', '.join(one.failures())} |"
    )


def _verdict(verdict: dict[str, str]) -> Iterator[str]:
    yield "| what is asked | |"
    yield "| --- | --- |"
    for asked, said in verdict.items():
        yield f"| {asked} | {said} |"
    yield ""


def _names() -> list[str]:
    return [f"m{i}" for i in range(MODELS)]


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and its standard error."""
    array = np.array(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1) / np.sqrt(array.size))


def _seeds(arenas: int, seed: int, setting: int) -> list[tuple[int, int, int]]:
    return [(seed, setting, i) for i in range(arenas)]


def main() -> None:
    """Run all settings, write the table; leave with 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arenas", type=int, default=500, help="of each setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    start = perf_counter()
    settings = [(share, uplift) for share in SHARES for uplift in UPLIFTS]
    outcomes = study(options.arenas, options.seed, settings)
    told = [figures(*setting, done) for setting, done in zip(settings, outcomes, strict=True)]
    placebos = [one.placebo for done in outcomes for one in done if one.placebo is not None]
    verdict = verdicts(told, placebos)
    command = f"python benchmarks/recovery_study.py --arenas {options.arenas}"
    page = render(told, verdict, command, options.seed, perf_counter() - start)
    options.output.write_text(page, encoding="utf-8")
    print(page)
    raise SystemExit(any("fail" in said for said in verdict.values()))


if __name__ == "__main__":
    main()
