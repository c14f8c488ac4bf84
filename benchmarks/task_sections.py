"""What is done with votes or counts in memory: fits, resampling, Elo, style control, matching."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from generate_prompts import write_file, write_prompts
from measure import Measured, Task, race
from plan import CLOSE, REG, RIGHT, TINY, Plan, accurate, by_name, check, in_no_target, ratio
from reference import PER_LOG_ODDS, rate_pairs
from results_page import Curve, Point, Section, Target
from vote_logs import (
    corpus_beside_prompts,
    drawn_votes,
    many_counts,
    real_votes,
    save_counts,
    style_design,
    write_design,
)

# ── fits of counts ─────────────────────────────────────────────────────────────────────────


def models(plan: Plan) -> Section:
    """Fits of counts in memory among few and among many."""
    sizes, rows, targets, points = plan.sizes, [], [], []
    plain = [(m, "sandwich", "arena, fit and sandwich intervals") for m in sizes.models]
    sparse = [(m, "none", "arena, fit alone") for m in (*sizes.models[-1:], *sizes.many)]
    for m, interval, name in [*plain, *sparse]:
        n = sizes.battles if interval == "sandwich" else sizes.games
        counts = many_counts(m, n)
        path = str(save_counts(plan.scratch / "counts.npz", counts))
        tasks = [
            Task(name, "ours", "fit_counts", {"path": path, "interval": interval}),
            Task(f"reading the counts of {n:,} games", "ours", "read_counts", {"path": path}),
        ]
        if interval == "none":
            tasks = in_no_target(tasks, *(one.name for one in tasks))
        found = race(tasks, sizes.repeats[0])
        rated = found[0].answer.get("models", [])
        # Some may have won or lost all their few games; whom that leaves is tested elsewhere.
        counts = counts.restrict(np.flatnonzero(np.isin(counts.models, rated)))
        left, right = counts.pairs.T
        half = counts.outcomes[:, 2:].sum(axis=1) / 2
        won, lost = counts.outcomes[:, 0] + half, counts.outcomes[:, 1] + half
        ratings = rate_pairs(left, right, won, lost, counts.n_models)
        found = [check(one, counts.models, ratings, RIGHT) for one in found]
        rows.append((f"{counts.n_models:,} models, {n:,} games on {left.size:,} pairs", found))
        targets.append(accurate(f"{counts.n_models:,} models, {interval}", found))
        points += [Point(one.task.name, m, one.seconds, one.peak_mb) for one in found]
    text = "Counts are in memory, so time is that of the fit; each game's two sides were drawn."
    curve = Curve("models", "models", tuple(points))
    return Section("Few models and many", text, tuple(rows), tuple(targets), (curve,))


# ── bootstrap ──────────────────────────────────────────────────────────────────────────────


def bootstraps(plan: Plan) -> Section:
    """Rounds of the bootstrap, against drawing alone and against refitting one by one."""
    from arena import count_pairs, fit_bradley_terry, shipped
    from arena.problem import problem
    from arena.resample import bootstrap_votes

    fit = fit_bradley_terry(count_pairs(shipped()))
    task = problem(fit.counts, fit.rule)
    # As `ours.bootstrap` draws it, so that the first rounds can be held against the reference.
    first = {rounds: bootstrap_votes(fit, rounds, seed=1).make(0) for rounds in plan.sizes.rounds}
    table = first[plan.sizes.rounds[-1]][:, :, 0]
    file = plan.scratch / "table.npz"
    np.savez(file, left=task.left, right=task.right, table=table, n_models=task.n_models)
    rows, points, targets, worst = [], [], [], 0.0
    refits = plan.peer("one refit by L-BFGS", "lbfgs_refit", "scipy", path=str(file))
    for rounds in plan.sizes.rounds:
        tasks = [
            Task("arena, draws and fits", "ours", "bootstrap", {"rounds": rounds}),
            Task("drawing the counts alone", "ours", "draw_counts", {"rounds": rounds}),
            refits,
        ]
        own, drawing, one = race(tasks, plan.sizes.repeats[0])
        for b, drawn in enumerate(own.answer.get("draws", [])):
            votes = first[rounds][:, :, b]
            exact = rate_pairs(
                task.left, task.right, votes[0] + votes[2] / 2, votes[1] + votes[2] / 2, len(drawn)
            )
            off = PER_LOG_ODDS * (np.array(drawn) - np.mean(drawn)) - exact
            worst = max(worst, float(np.abs(off).max()))
        if not one.why_not:
            exact = rate_pairs(
                task.left,
                task.right,
                table[0] + table[2] / 2,
                table[1] + table[2] / 2,
                task.n_models,
            )
            one = check(
                replace(one, answer={**one.answer, "models": range(task.n_models)}),
                range(task.n_models),  # type: ignore[arg-type]
                exact,
                CLOSE,
            )
        rows.append((f"{rounds:,} rounds, {task.n_models} models", [own, drawing, one]))
        points += [Point(x.task.name, rounds, x.seconds, x.peak_mb) for x in (own, drawing)]
        if rounds == 1_000 or plan.sizes is TINY:
            targets = [
                Target(
                    2,
                    f"{rounds:,} rounds: times faster per round than one refit by L-BFGS",
                    ratio(one, own) * rounds,
                    100,
                    "least",
                ),
                Target(
                    2,
                    f"{rounds:,} rounds: times drawing the counts",
                    ratio(own, drawing),
                    5,
                    "most",
                ),
            ]
    targets.append(Target(7, "bootstrap: error of any rating in five rounds", worst, 2e-6, "most"))
    text = (
        "On the shipped counts, drawing included, on all processors; the others have one. A refit "
        "is one round as LMSYS published it: SciPy's L-BFGS-B from zero until its board is right to 0.1 point."
    )
    curve = Curve("rounds", "bootstrap rounds", tuple(points))
    return Section("Bootstrap", text, tuple(rows), tuple(targets), (curve,))


# ── what goes through votes one by one ─────────────────────────────────────────────────────


def elo(plan: Plan) -> Section:
    """Online Elo, against the bare loop and evalica."""
    votes = 1_670_250 if plan.sizes.real else plan.sizes.battles
    path = plan.scratch / f"{votes}.parquet"
    if not path.exists():
        (real_votes if plan.sizes.real else partial(drawn_votes, n=votes))(path)
    tasks = [
        Task("arena, from integers", "ours", "elo", {"path": str(path)}),
        Task("bare compiled loop", "ours", "bare_elo", {"path": str(path)}),
        Task("arena, from text", "ours", "elo", {"path": str(path), "text": True}),
        plan.peer("evalica, from text", "evalica_elo", "evalica", path=str(path)),
    ]
    found = race(tasks, plan.sizes.repeats[0])
    bare = found[1].answer
    if bare:
        exact = np.array(bare["ratings"])
        found = [check(one, bare["models"], exact, RIGHT) for one in found]
    of = by_name(found)
    loop, text = of["bare compiled loop"], of["arena, from text"]
    targets = [
        Target(
            4,
            "from integers: times the bare loop",
            ratio(of["arena, from integers"], loop),
            2,
            "most",
        ),
        Target(
            4,
            "from text: times faster than evalica",
            ratio(of["evalica, from text"], text),
            20,
            "least",
        ),
    ]
    rows = ((f"{votes:,} votes in memory, K = 4", found),)
    about = "In the order of the file. The reference is the bare loop, which is the definition."
    return Section("Online Elo", about, rows, tuple(targets))


def style(plan: Plan) -> Section:
    """Four covariates held equal, against one pass over the design and arena-rank."""
    folder = str(write_design(plan.scratch / "design", style_design(plan.sizes.battles)))
    tasks = [
        Task("arena, fit and sandwich", "ours", "style", {"folder": folder, "ridge": REG}),
        Task("one pass over the design", "ours", "pass_design", {"folder": folder}),
        plan.peer(
            "arena-rank, fit and sandwich", "arena_rank_style", "arena-rank", folder=folder, reg=REG
        ),
    ]
    own, floor, peer = race(tasks, plan.sizes.repeats[0])
    if not own.why_not:
        peer = check(peer, own.answer["models"], np.array(own.answer["ratings"]), CLOSE)
    # The sandwich goes through the votes once more than the Newton steps.
    per_step = ratio(own, floor) / (own.answer.get("iterations", float("nan")) + 1)
    targets = [
        Target(5, "times one pass over the design, per step and sandwich", per_step, 5, "most"),
        Target(5, "times faster than arena-rank", ratio(peer, own), 10, "least"),
    ]
    steps = own.answer.get("iterations", "?")
    rows = (
        (
            f"{plan.sizes.battles:,} votes, 129 models, 4 covariates, {steps} steps",
            [own, floor, peer],
        ),
    )
    text = (
        "From numbers in memory; without a penalty. A pass reads each number of the design once, "
        "on one processor. The peer's ratings are held against ours; that ours are the maximum is "
        "tested in tests/test_regression.py."
    )
    return Section("Style control", text, rows, tuple(targets))


def matching(plan: Plan) -> Section:
    """Texts past an index of prompts, against tokenising them, by size; and against decon."""
    rows, points, targets = [], [], []
    sizes = plan.sizes
    texts, prompts = (str(plan.scratch / f"{name}.parquet") for name in ("texts", "prompts"))
    write_file(Path(texts), sizes.texts[-1], seed=0)
    copied = list(range(0, sizes.prompts, 100))[: sizes.texts[0]]
    copies = pl.read_parquet(texts, n_rows=len(copied))["text"]
    prompt = write_prompts(sizes.prompts, seed=1)["text"].scatter(copied, copies)
    pl.DataFrame({"text": prompt}).write_parquet(prompts)
    for n in sizes.texts:
        given = {"texts_path": texts, "n_texts": n}
        others = {"prompts_path": prompts, "copied": copied}
        tasks = [
            Task("arena, matching", "ours", "match", given | others),
            Task("tokenising alone", "ours", "tokenise_texts", given),
        ]
        own, floor = race(tasks, sizes.repeats[0])
        if not own.why_not and own.answer["exact"] != len(copied):
            missed = len(copied) - own.answer["exact"]
            own = replace(own, why_not=f"it misses {missed} of {len(copied)} copies")
        rows.append((f"{n:,} texts past {sizes.prompts:,} prompts, one thread", [own, floor]))
        points += [Point(one.task.name, n, one.seconds, one.peak_mb) for one in (own, floor)]
        if n == sizes.texts[-1]:
            targets = [
                Target(
                    6, "rate of matching, times that of tokenising", ratio(floor, own), 0.5, "least"
                )
            ]
    heading, found, about = beside_decon(plan)
    rows.append((heading, found))
    what = "rate of matching from files, times that of decon"
    targets.append(Target(6, what, ratio(found[1], found[0]), 1, "least"))
    text = (
        "By size of the corpus, the texts are in memory and the index is there; every prompt that "
        f"is a copy of a text is found. {about}"
    )
    curve = Curve("corpus", "texts in the corpus", tuple(points))
    return Section("Matching", text, tuple(rows), tuple(targets), (curve,))


def beside_decon(plan: Plan) -> tuple[str, list[Measured], str]:
    """The same prompts in the same corpus, by both, from files to a file.

    Returns:
        A heading, ours and decon's, and what they found.
    """
    n_texts, n_prompts = plan.sizes.beside
    planted = corpus_beside_prompts(plan.scratch / "corpus", n_texts, n_prompts)
    folder, threads = str(planted.folder), os.cpu_count() or 1
    cap = max(n_prompts // 400, 1)  # in proportion, so that openers count as boilerplate
    tasks = [
        Task("arena, from files to a file", "ours", "match_files", {"folder": folder, "cap": cap}),
        plan.peer("decon", "decon_report", "decontaminate", folder=folder, threads=threads),
    ]
    own, peer = race(tasks, plan.sizes.repeats[0], min(plan.sizes.repeats[1], 1))
    mb, rows = planted.n_bytes / 1e6, set(planted.rows)
    told = []
    if not own.why_not:
        long = rows - set(own.answer["short"])
        missed = len(long - set(own.answer["seen"]))
        if missed:
            own = replace(own, why_not=f"it misses {missed} of {len(long)} planted prompts")
        told.append(f"`arena` at {mb / own.seconds:,.3g} MB/s finds {len(long) - missed} of the")
        told.append(f"{len(long)} planted prompts that have enough words for its rule,")
        told.append(_others_found(own, rows))
    if not peer.why_not:
        told.append(f"decon at {mb / peer.seconds:,.3g} MB/s finds")
        told.append(f"{len(rows & set(peer.answer['seen']))} of all {len(rows)},")
        told.append(_others_found(peer, rows))
    about = (
        f"Beside decon, with its own settings, which leave short prompts out: {mb:,.3g} MB of text "
        f"in four files of JSON lines, {n_prompts:,} prompts, of which {len(rows)} without an "
        "opener stand word for word within a text; both have all processors, and the time has reading, the index and "
        f"writing in it. {' '.join(told)}"
    )
    return f"{n_texts:,} texts and {n_prompts:,} prompts, from files", [own, peer], about


def _others_found(one: Measured, planted: set[int]) -> str:
    """How many prompts it found that were not planted."""
    return f"and of the others {len(set(one.answer['seen']) - planted)}."
