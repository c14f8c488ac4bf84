"""What a model gains on prompts it had seen, estimated from battles, beside a negative control.

An estimate is an association. It says that models do better on the prompts they were trained on,
against models that were not, than on other prompts. That is also what one would see if these
prompts happened to be of a kind that the models are good at. The negative control says how much
models that saw none of the prompts differ on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from arena.battles import Battles, Condition
from arena.blas import one_blas_thread
from arena.design import POINTS
from arena.display import listing
from arena.errors import NoEstimateError
from arena.exposure import exposure_table, tally_exposure, with_known_exposure
from arena.gain_fit import board_without_gain, fit_gains, strengths_with_gain
from arena.leaderboard import Leaderboard, Scale
from arena.negative_control import Missing, control_estimate
from arena.tally import Tally
from arena.uncertainty import Interval
from arena.uplift_design import of_answers, of_prompts
from arena.uplift_rows import (
    ALL,
    ALL_EXPOSED,
    COLUMNS,
    CONTROL,
    CONTROL_NAME,
    Estimate,
    against_spread,
    in_points,
    row_of,
    rows_of_models,
    rows_of_spread,
    totals,
)


@dataclass(frozen=True, slots=True, eq=False)
class Uplift:
    """The gain on seen prompts, the negative control, and the board without the gain.

    Attributes:
        frame: one row per estimate: `COLUMNS`. `group` says what of: ``exposed``, one gain for
            all models that had seen prompts; ``exposed model``, a gain of its own, if asked for;
            ``control``, the same gain for models that had seen nothing, as if half of them had;
            ``unexposed model``, how much better one of these is on the seen prompts than the
            others of them. Gains are in rating points. `battles`, `seen` and `share` are of
            battles whose prompt is known; in the control, of battles among its models.
        estimate: the one gain for all exposed models.
        control: the same for unexposed models; None where there is none.
        against_spread: the estimate with the differences between unexposed models added to its
            error: what is left if models differ that much on these prompts anyway. None where
            there are fewer than three of them.
        tau: standard deviation of these differences beyond noise, in points, or None.
        homogeneity: Wald's chi-square for no such differences, its degrees of freedom, and its
            p-value; or None.
        no_control: why there is no control, or nothing where there is one.
        exposure: model, battles, seen and share; see `exposed_models`.
        pseudo: the unexposed models taken as exposed in the control.
        kinds: the controls that both sides share.
        board: ratings on prompts not seen; its `coefficients` are set.
        changes: rank and rating with and without the gain, best without first: model,
            rank_plain, rank_controlled, change (places gained), rating_plain,
            rating_controlled; all of it at equal controls.
        n_battles: votes in the estimate.
        n_unknown: votes left out because it is not known who had seen their prompt.
        n_missing: votes left out because they lack a control or a cluster.
        clusters: of the battles that tell, in which one side only had seen the prompt, how many
            clusters there are, and how many of equal size would say as much; None without.
        tally: the account of all rows, with the funnel.
        options: what was asked for.
    """

    frame: pl.DataFrame
    estimate: Estimate
    control: Estimate | None
    against_spread: Estimate | None
    tau: float | None
    homogeneity: tuple[float, int, float] | None
    no_control: str
    exposure: pl.DataFrame
    pseudo: tuple[str, ...]
    kinds: tuple[str, ...]
    board: Leaderboard
    changes: pl.DataFrame
    n_battles: float
    n_unknown: float
    n_missing: int
    clusters: tuple[int, float] | None
    tally: Tally
    options: Mapping[str, Any] = field(default_factory=dict)


def estimate_uplift(
    battles: Battles,
    *,
    per_model: bool = False,
    controls: Sequence[str] = (),
    pseudo_exposed: Sequence[str] | None = None,
    cluster: str | None = "prompt",
    missing: Missing = "error",
    scale: Scale | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Uplift:
    """Estimate what models gain on prompts that they had seen.

    The log-odds that a beats b are θ_a - θ_b + δ (c_a - c_b), where c says whether that side had
    seen the prompt: Bradley-Terry with one covariate. Prompts that both sides had seen, or
    neither, say nothing about δ. A tie is half a win.

    Args:
        battles: the votes, with `seen_a`, `seen_b` and, for the control, `seen`: see `expose`.
        per_model: also a gain of its own for each exposed model; the board is then without these.
        controls: what is held equal: ``style``, ``side``, ``x`` where there are `x_a` and `x_b`,
            as for `build_design`; or what both sides share, such as ``language``, ``turns``,
            ``is_code`` or ``month``, for each value of which the exposed models then have an
            advantage of their own. Numbers are cut into five bands at most, values in fewer than
            100 battles taken together.
        pseudo_exposed: unexposed models that the control takes as exposed; by default half of
            them, at random.
        cluster: what votes depend on each other within, any column or ``day``; None for votes
            that are independent.
        missing: what to do with votes that lack a control or the cluster: ``error`` or ``drop``.
        scale: the rating scale.
        level: coverage of the intervals.
        seed: of the control's random half, and of the rank sets.

    Raises:
        NoEstimateError: if the votes say nothing about a gain.
        ColumnError: columns that are missing or hold something else.
        OptionError: an option that cannot be.
    """
    scale = scale or Scale()
    interval = Interval("cluster" if cluster else "sandwich", cluster, level=level, seed=seed)
    answers, kinds = of_answers(controls, battles), of_prompts(controls, battles)
    known = with_known_exposure(battles)
    tally, groups = tally_exposure(battles)
    exposure = exposure_table(groups)
    exposed = _exposed(groups, exposure)
    with one_blas_thread():
        every = {ALL_EXPOSED: exposed}
        common = fit_gains(known, every, answers, kinds, cluster=cluster, missing=missing)
        clusters = common.clusters()
        if clusters is not None and clusters[0] < 2:
            message = (
                f"clusters by {cluster}: all battles that tell of the gain are in one, so nothing "
                "says how sure it is; take others, or none"
            )
            raise NoEstimateError(message)
        apart = common
        if per_model:
            each = {model: [model] for model in _with_gain(groups, exposed)}
            others = [model for model in exposed if model not in each]
            inside = _without_exposure_of(known, others)
            apart = fit_gains(inside, each, answers, kinds, cluster=cluster, missing=missing)
        told = control_estimate(
            known,
            groups,
            answers=answers,
            kinds=kinds,
            pseudo=pseudo_exposed,
            cluster=cluster,
            missing=missing,
            seed=seed,
        )
        base = strengths_with_gain(common)
        board, changes = board_without_gain(apart, base, scale, interval)
    points = scale.per_log_odds
    control = None if isinstance(told, str) else told
    spread = control.spread if control else None
    estimate = in_points(*common.gain(0), points, level)
    rows = [row_of(ALL, ALL_EXPOSED, estimate, *totals(exposure, exposed))]
    if per_model:
        rows += rows_of_models(apart, exposure, exposed, points, level)
    tested = None
    if control:
        tested = in_points(control.gain, control.std_error, points, level)
        rows.append(row_of(CONTROL, CONTROL_NAME, tested, control.n_battles, control.n_seen))
    if spread:
        rows += rows_of_spread(spread, points, level)
    return Uplift(
        frame=pl.DataFrame(rows, schema=dict(COLUMNS), orient="row"),
        estimate=estimate,
        control=tested,
        against_spread=against_spread(common, spread, points, level) if spread else None,
        tau=points * spread.tau if spread else None,
        homogeneity=spread.test if spread else None,
        no_control=told if isinstance(told, str) else "",
        exposure=exposure,
        pseudo=control.pseudo if control else (),
        kinds=tuple(kinds),
        board=board,
        changes=changes,
        n_battles=common.design.n_battles,
        n_unknown=float(tally.funnel["dropped"][-1]),
        n_missing=common.design.n_missing,
        clusters=clusters,
        tally=tally,
        options={
            "per_model": per_model,
            "controls": list(controls),
            "pseudo_exposed": None if pseudo_exposed is None else list(pseudo_exposed),
            "cluster": cluster,
            "missing": missing,
            "level": level,
            "seed": seed,
        },
    )


# ── who had seen what ──────────────────────────────────────────────────────────────────────


def _exposed(groups: pl.DataFrame, exposure: pl.DataFrame) -> list[str]:
    """The models that had seen some of their prompts, most exposed first.

    Raises:
        NoEstimateError: if there is nothing to hold against each other.
    """
    if groups.is_empty():
        raise NoEstimateError("uplift: there is no battle of which is known who saw its prompt")
    some = exposure.filter(pl.col("seen") > 0)
    if some.is_empty():
        message = (
            "uplift: no model had seen the prompt of any of its battles, so there is no gain to "
            "estimate; look whether the models trained are named as the votes name them"
        )
        raise NoEstimateError(message)
    if (some["share"] == 1.0).all():
        message = (
            f"uplift: {listing(some['model'])} had seen the prompt of every battle, so there are "
            "no others to hold these against"
        )
        raise NoEstimateError(message)
    if (groups["seen_a"] == groups["seen_b"]).all():
        message = (
            "uplift: wherever a prompt was seen, both models had seen it, so neither gains on the "
            "other"
        )
        raise NoEstimateError(message)
    return some["model"].to_list()


def _with_gain(groups: pl.DataFrame, exposed: Sequence[str]) -> list[str]:
    """The exposed models whose own gain is finite: with points won and lost on seen prompts."""
    value = pl.col("winner").replace_strict(POINTS, return_dtype=pl.Float64)
    sides = []
    for side, won in (("a", value), ("b", 1.0 - value)):
        alone = pl.col(f"seen_{side}") & ~pl.col(f"seen_{'b' if side == 'a' else 'a'}")
        sides.append(
            groups.select(
                model=f"model_{side}",
                won=pl.col("n") * won * alone,
                lost=pl.col("n") * (1.0 - won) * alone,
                other=pl.col("n") * ~pl.col(f"seen_{side}"),
            )
        )
    sums = pl.concat(sides).group_by("model").agg(pl.col("won", "lost", "other").sum())
    fine = sums.filter(pl.min_horizontal("won", "lost", "other") > 0)["model"].to_list()
    found = [model for model in exposed if model in fine]
    if not found:
        message = (
            f"uplift: none of {listing(exposed)} both won and lost points on seen prompts, so "
            "none has a gain of its own; estimate one gain for all"
        )
        raise NoEstimateError(message)
    return found


def _without_exposure_of(battles: Battles, models: Sequence[str]) -> Battles:
    """The battles but those in which one of these models had seen the prompt."""
    if not models:
        return battles
    met = [
        (pl.col(f"seen_{side}").cast(pl.Float64) > 0) & pl.col(f"model_{side}").is_in(models)
        for side in "ab"
    ]
    return battles.meeting(Condition("a gain of its own", ~(met[0] | met[1])))
