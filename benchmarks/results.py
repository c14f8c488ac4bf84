"""How fast, and how far it goes: `arena` beside other libraries, and beside what is unavoidable.

    python benchmarks/results.py --scratch FOLDER

measures everything, and writes `RESULTS.md` and `growth.svg`. It needs an idle machine, `pip
install ".[test,bench]"`, and 3 GB of room in the scratch folder. A library that is missing is said
to be; one that is installed elsewhere is used there with `--peers-python PATH`. `--only boards,elo`
measures these sections again; the others are taken from the run before, which left them in the
scratch folder.

No time counts before its answer has been held against `reference.py`. Limits are ratios within
one run. Each task runs in processes of its own, which take turns; see `measure.py`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import NoReturn

import numpy as np
import ours
import polars as pl
from generate_prompts import write_file, write_prompts
from measure import Measured, Task, machine, race, versions
from peers import DISTRIBUTIONS
from reference import PER_LOG_ODDS, rate_groups, rate_pairs
from results_page import (
    Curve,
    Point,
    Section,
    Target,
    draw,
    render,
    sections_from_json,
    sections_to_json,
)
from vote_logs import (
    corpus_beside_prompts,
    drawn_votes,
    many_counts,
    real_votes,
    save_counts,
    sharded_votes,
    style_design,
    write_design,
)

RIGHT, CLOSE = 1e-6, 1.0
"""Rating points: how far our ratings may be from the reference, and those of others."""
REG = 0.0
ROUNDS_OUT_OF_TARGETS = 3
"""Warm rounds of what stands in no target, where it takes long."""
OUR_DISTRIBUTIONS = ("arena-ratings", "numpy", "polars", "pyarrow", "numba", "distributed")


@dataclass(frozen=True)
class Sizes:
    """How large everything is.

    Attributes:
        drawn: votes of the small logs.
        real: whether the shipped votes are rated, 1.67 million.
        large: votes of the largest single file.
        sharded: votes of the log in shards, and how many shards.
        battles: of Elo and of style control; of Elo the shipped votes where these are rated.
        rounds: of the bootstrap, the largest last.
        models: of small fits.
        many: competitors of sparse fits.
        games: of all of these.
        texts: of corpora, the largest last.
        prompts: that are looked for in them.
        beside: texts of the corpus that others go through as well, and prompts.
        repeats: warm rounds, and cold ones.
    """

    drawn: tuple[int, ...] = (10_000, 100_000)
    real: bool = True
    large: int = 10_000_000
    sharded: tuple[int, int] = (100_000_000, 20)
    battles: int = 1_670_000
    rounds: tuple[int, ...] = (30, 100, 300, 1_000)
    models: tuple[int, ...] = (20, 50, 100, 200, 300)
    many: tuple[int, ...] = (3_000, 30_000, 100_000)
    games: int = 10_000_000
    texts: tuple[int, ...] = (10_000, 30_000, 100_000, 300_000)
    prompts: int = 100_000
    beside: tuple[int, int] = (20_000, 2_000)
    repeats: tuple[int, int] = (5, 5)


FULL = Sizes()
TINY = Sizes(
    drawn=(3_000,),
    real=False,
    large=20_000,
    sharded=(20_000, 4),
    battles=20_000,
    rounds=(20, 40),
    models=(20, 40),
    many=(1_200, 2_500),
    games=50_000,
    texts=(1_000, 2_000),
    prompts=500,
    beside=(1_000, 200),
    repeats=(1, 1),
)


@dataclass(frozen=True)
class Plan:
    """What to measure, and with what.

    Attributes:
        sizes: how large.
        scratch: a folder for logs.
        python: distribution → the Python that has it.
        versions: of the same.
    """

    sizes: Sizes
    scratch: Path
    python: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def peer(self, name: str, function: str, distribution: str, **options: object) -> Task:
        """A task of another library; it is cold once, as no target has its cold time."""
        python = self.python.get(distribution, sys.executable)
        return Task(name, "peers", function, options, python, cold_rounds=1)


# ── answers ────────────────────────────────────────────────────────────────────────────────


def check(
    measured: Measured,
    names: Sequence[str],
    ratings: np.ndarray,
    most: float,
    errors: np.ndarray | None = None,
) -> Measured:
    """Hold ratings against the reference: the largest error is noted, and one too large said."""
    if measured.why_not or "ratings" not in measured.answer:
        return measured
    given = dict(zip(measured.answer["models"], measured.answer["ratings"], strict=True))
    answer = dict(measured.answer)
    if set(given) != set(names):
        return replace(measured, why_not="it rates other models", answer=answer)
    found = np.array([given[name] for name in names])
    answer["error"] = float(np.abs(found - found.mean() - ratings + np.mean(ratings)).max())
    why = "" if answer["error"] <= most else f"wrong by {answer['error']:.2g} points"
    if errors is not None and "std_errors" in answer:
        of = dict(zip(answer["models"], answer["std_errors"], strict=True))
        ratio = np.array([of[name] for name in names]) / errors
        ratio = ratio[np.isfinite(ratio)]  # ours has none where votes show no spread
        answer["std_error_ratio"] = [float(ratio.min()), float(ratio.max())]
        if most == RIGHT and np.abs(ratio - 1.0).max() > RIGHT:
            why = (
                f"its standard errors are {ratio.min():.3f} to {ratio.max():.3f} of the right ones"
            )
    return replace(measured, why_not=why, answer=answer)


def reference_of(paths: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, ratings and errors of a log by the reference, from polars' bare group-by."""
    groups = ours.count_bare(paths)
    sides = (groups[name].to_numpy().astype(str) for name in ours.COLUMNS)
    return rate_groups(*sides, groups["len"].to_numpy().astype(float))


def raced(tasks: Sequence[Task], repeats: tuple[int, int], paths: Sequence[str]) -> list[Measured]:
    """Measure tasks that rate the same log, and check each."""
    names, ratings, errors = reference_of(paths)
    return [
        check(one, names, ratings, RIGHT if one.task.module == "ours" else CLOSE, errors)
        for one in race(tasks, *repeats)
    ]


def in_no_target(tasks: Sequence[Task], *names: str, cold_rounds: int = 1_000) -> list[Task]:
    """The same tasks; those of such names, or else of other libraries, in fewer rounds."""
    return [
        replace(
            one,
            rounds=ROUNDS_OUT_OF_TARGETS,
            cold_rounds=min(cold_rounds, one.cold_rounds),
        )
        if (one.name in names if names else one.module == "peers")
        else one
        for one in tasks
    ]


def by_name(found: Sequence[Measured]) -> dict[str, Measured]:
    """The measurements by what was measured."""
    return {one.task.name: one for one in found}


def accurate(what: str, found: Sequence[Measured]) -> Target:
    """Whether all of our ratings are those of the reference."""
    own = [one for one in found if one.task.module == "ours" and "error" in one.answer]
    worst = max((one.answer["error"] for one in own), default=float("nan"))
    return Target(7, f"{what}: error of any rating, in points", worst, RIGHT, "most")


def ratio(above: Measured | None, below: Measured | None) -> float:
    """Median time over median time; nan where one of them is missing or wrong."""
    if above is None or below is None or above.why_not or below.why_not:
        return float("nan")
    return above.seconds / below.seconds


# ── boards ─────────────────────────────────────────────────────────────────────────────────

BOARD, ALONE, BARE = "arena, sandwich intervals", "arena, ratings alone", "polars, bare group-by"
READ, BYTES = "polars, reading three columns", "as many bytes through memory"
RANK, DASK, SHARDS = "arena-rank, sandwich intervals", "arena, by Dask", "arena, shard by shard"
AT_ONCE = "arena, all files at once, no board"
CHOIX, CHOIX_PANDAS = "choix, counted by polars", "choix, counted by pandas"
EVALICA, SKLEARN = "evalica", "scikit-learn, counted by polars"


def board_tasks(plan: Plan, path: str, frame: bool) -> list[Task]:
    """Everybody's ratings of one log."""
    given = {"path": path, "frame": frame}
    return [
        Task(BOARD, "ours", "board", {"paths": [path], "frame": frame}),
        Task(ALONE, "ours", "board", {"paths": [path], "frame": frame, "interval": "none"}),
        plan.peer(RANK, "arena_rank_board", "arena-rank", **given),
        plan.peer(EVALICA, "evalica_board", "evalica", **given),
        plan.peer(CHOIX, "choix_board", "choix", **given),
        plan.peer(CHOIX_PANDAS, "choix_board", "choix", **given, counting="pandas"),
        plan.peer(SKLEARN, "sklearn_board", "scikit-learn", **given),
    ]


def floors(paths: Sequence[str], votes: int) -> list[Task]:
    """The least that a reader of these files could take."""
    # A text in memory is a view of 16 bytes; more at once than a tenth of this goes in rounds.
    passes = {"n_bytes": 48 * min(votes, 10_000_000), "repeats": max(votes // 10_000_000, 1)}
    return [
        Task(BARE, "ours", "bare_group_by", {"paths": list(paths)}, cold_rounds=1),
        Task(READ, "ours", "read_columns", {"paths": list(paths)}, cold_rounds=1),
        Task(BYTES, "ours", "pass_memory", passes, cold_rounds=0),
    ]


def boards(plan: Plan) -> Section:
    """From a file of votes to ratings, and from a frame, at each size."""
    rows: list[tuple[str, list[Measured]]] = []
    targets: list[Target] = []
    sizes = plan.sizes
    logs = [(f"{n:,} votes", n, partial(drawn_votes, n=n)) for n in sizes.drawn]
    if sizes.real:
        logs.append(("1,670,250 real votes", 1_670_250, real_votes))
    in_targets = logs[-1][1]
    logs.append((f"{sizes.large:,} votes", sizes.large, partial(drawn_votes, n=sizes.large)))
    points: list[Point] = []
    for name, votes, make in logs:
        path = str(make(plan.scratch / f"{votes}.parquet"))
        tasks = board_tasks(plan, path, frame=False)
        if votes == in_targets:
            tasks = in_no_target(tasks, SKLEARN)
        else:  # among few votes a cold process is its start-up, among many it takes minutes
            tasks = in_no_target(tasks, cold_rounds=0)
        if votes == sizes.large:
            tasks = [one for one in tasks if one.name not in (CHOIX_PANDAS, SKLEARN, EVALICA)]
        found = raced([*tasks, *floors([path], votes)], sizes.repeats, [path])
        rows.append((f"{name}, from a file", found))
        targets.append(accurate(name, found))
        points += [Point(one.task.name, votes, one.seconds, one.peak_mb) for one in found]
        if votes == in_targets:
            targets += board_targets(found)
            tasks = in_no_target(board_tasks(plan, path, frame=True))
            framed = raced(tasks, (sizes.repeats[0], 0), [path])
            rows.append((f"{name}, from a frame in memory", framed))
    targets += reading_targets(logs[-1][0], by_name(rows[-1][1]))
    text = (
        "Cold is a process from its start to its end, with one board; warm is a later board in "
        "the same process. No target has the cold time of another library, so that it is taken "
        f"once, on the {in_targets:,} votes; on the most votes fewer libraries are run. choix and scikit-learn take no vote log, so another library counts it "
        "for them; choix gets its matrix of points (`ilsr_pairwise_dense`), its quickest way in."
    )
    curve = Curve("votes", "votes", tuple(points))
    return Section("Boards", text, tuple(rows), tuple(targets), (curve,))


def board_targets(found: Sequence[Measured]) -> list[Target]:
    """The first target, of the real votes."""
    of = by_name(found)
    own = of[BOARD]
    others = [one for one in found if one.task.module == "peers" and not one.why_not]
    taking_votes = [one for one in others if one.task.name in (RANK, EVALICA)]

    def quickest(group: Sequence[Measured]) -> float:
        return own.cold_seconds / min((one.seconds for one in group), default=float("nan"))

    return [
        Target(1, "board, warm: times faster than arena-rank", ratio(of[RANK], own), 40, "least"),
        Target(1, f"board, warm: times faster than {CHOIX}", ratio(of[CHOIX], own), 4, "least"),
        Target(
            1,
            f"board, warm: times faster than {CHOIX_PANDAS}",
            ratio(of[CHOIX_PANDAS], own),
            4,
            "least",
        ),
        Target(
            1,
            "board, cold: times the warm time of the quickest other that takes votes",
            quickest(taking_votes),
            1,
            "most",
        ),
        Target(
            1,
            "board, cold: times the warm time of the quickest other, counted for it",
            quickest(others),
            1,
            "most",
        ),
    ]


def reading_targets(what: str, of: Mapping[str, Measured]) -> list[Target]:
    """The third target: against the group-by, and against reading."""
    return [
        Target(
            3, f"{what}: board, times the bare group-by", ratio(of[BOARD], of[BARE]), 0.6, "most"
        ),
        Target(
            3, f"{what}: board, times reading the columns", ratio(of[BOARD], of[READ]), 6, "most"
        ),
    ]


def shards(plan: Plan) -> Section:
    """The largest log: all files at once, one by one, and by Dask."""
    votes, n = plan.sizes.sharded
    made = sharded_votes(plan.scratch / "shards", votes, n)
    paths = list(made.paths)
    given = {"paths": paths}
    tasks = [
        Task(BOARD, "ours", "board", given, cold_rounds=1),
        Task(AT_ONCE, "ours", "count_at_once", given, cold_rounds=0),
        Task(SHARDS, "ours", "count_shards", given, cold_rounds=0),
        Task(DASK, "ours", "count_by_dask", given, cold_rounds=0),
        *floors(paths, votes),
    ]
    tasks = in_no_target(tasks, AT_ONCE, SHARDS, DASK)
    found = raced(tasks, plan.sizes.repeats, paths)
    name, of = f"{votes:,} votes", by_name(found)
    counts = {one.answer.get("counts") for one in found if "counts" in one.answer}
    same = float(len(counts) == 1 and not any(one.why_not for one in found))
    targets = [
        *reading_targets(name, of),
        Target(3, f"{name}: peak memory of the board, MB", of[BOARD].peak_mb, 2_000, "most"),
        Target(3, f"{name}: counts of shards, of Dask and of all at once equal", same, 1, "least"),
        accurate(name, found),
    ]
    drawn = (
        "" if made.n_drawn == n else f" {made.n_drawn} of them were drawn; the others are links."
    )
    text = (
        f"{n} files, each drawn with its own seed.{drawn} Dask's time includes the start of its "
        "worker processes, whose memory is not in its peak."
    )
    points = tuple(
        Point(one.task.name, votes, one.seconds, one.peak_mb)
        for one in found
        if one.task.name in (BOARD, BARE, READ)
    )
    rows = ((f"{name} in {n} files", found),)
    return Section("In shards", text, rows, tuple(targets), (Curve("votes", "votes", points),))


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


# ── all of it ──────────────────────────────────────────────────────────────────────────────

SECTIONS: tuple[Callable[[Plan], Section], ...] = (
    *(boards, shards, models, bootstraps),
    *(elo, style, matching),
)
SECTION_NAMES = tuple(section.__name__ for section in SECTIONS)


def run(
    plan: Plan, only: Sequence[str], before: Mapping[str, Section], made: Mapping[str, str]
) -> list[Section]:
    """Measure sections; one that fails says so, and the others are measured all the same.

    Args:
        plan: what is measured, and with what.
        only: the names of the sections to measure.
        before: name → what was measured before, which stands for those that are not.
        made: what all of them were made with.
    """
    found = dict(before)
    for section in SECTIONS:
        name, start = section.__name__, perf_counter()
        if name not in only:
            continue
        try:
            found[name] = section(plan)
        except Exception as error:
            found[name] = Section(name, f"Not measured: {type(error).__name__}: {error}.")
        took = perf_counter() - start
        found[name] = replace(found[name], seconds=took)
        print(f"{name}: {took:.0f} s", file=sys.stderr, flush=True)
        kept_at(plan).write_text(sections_to_json(found, made), encoding="utf-8")
    absent = {
        name: Section(name, f"Not measured; `--only {name}` does.")
        for name in SECTION_NAMES
        if name not in found
    }
    return [(found | absent)[name] for name in SECTION_NAMES]


def kept_at(plan: Plan) -> Path:
    """Where sections stand that have been measured."""
    return plan.scratch / "results.json"


def made_on(plan: Plan) -> dict[str, str]:
    """What sections on one page have in common: sizes, machine, versions."""
    known = {**versions(*OUR_DISTRIBUTIONS), **plan.versions}
    return {"sizes": repr(plan.sizes), **machine(), **known}


def measured_before(plan: Plan) -> tuple[dict[str, Section], dict[str, str]]:
    """Name → section, of the run before in the same scratch folder, and what it was made with.

    Raises:
        SystemExit: if it was made in another way, so that one page cannot have both.
    """
    if not kept_at(plan).exists():
        return {}, {}
    try:
        found, made = sections_from_json(kept_at(plan).read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError):
        refuse(f"--only: {kept_at(plan)} cannot be read; run without --only")
    now = made_on(plan)
    other = [name for name in now if made.get(name, now[name]) != now[name]]
    if other:
        refuse(
            f"--only: {kept_at(plan)} was made with other {', '.join(other)}; run without --only"
        )
    return found, made


def refuse(message: str) -> NoReturn:
    """End with one line."""
    print(f"results.py: {message}", file=sys.stderr)
    raise SystemExit(2)


def find_peers(elsewhere: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Which Python has each library, and its version there: this one, or the first that does."""
    here = versions(*DISTRIBUTIONS)
    python, version = dict.fromkeys(here, sys.executable), dict(here)
    for path in elsewhere:
        task = Task("versions", "measure", "versions_task", {"names": DISTRIBUTIONS}, path)
        (there,) = race([task], 1)
        if there.why_not:
            refuse(f"--peers-python {path}: {there.why_not}")
        for name, number in there.answer.items():
            python.setdefault(name, path)
            version.setdefault(name, number)
    return python, version


def names_of(given: str | None) -> tuple[str, ...]:
    """The sections that `--only` names; all, if it is not given."""
    if given is None:
        return SECTION_NAMES
    names = tuple(name.strip() for name in given.split(","))
    unknown = [name for name in names if name not in SECTION_NAMES]
    if unknown:
        refuse(f"--only: no section '{unknown[0]}'; there are {', '.join(SECTION_NAMES)}")
    return names


def main() -> None:
    """Read the arguments, measure, write the page and the chart."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for vote logs")
    parser.add_argument(
        "--only",
        metavar="SECTION,...",
        help=f"measure these, and take the others from the run before: {', '.join(SECTION_NAMES)}",
    )
    parser.add_argument(
        "--peers-python",
        action="append",
        default=[],
        metavar="PATH",
        help="a Python that has libraries which this one lacks; may be given again",
    )
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    only = names_of(options.only)
    for folder in (options.scratch, options.output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(TINY if options.tiny else FULL, options.scratch, *find_peers(options.peers_python))
    before, made = measured_before(plan) if options.only else ({}, {})
    made = made | made_on(plan)
    sections = run(plan, only, before, made)
    known = {name: made[name] for name in (*OUR_DISTRIBUTIONS, *DISTRIBUTIONS) if name in made}
    missing = [name for name in DISTRIBUTIONS if name not in known]
    curves = list(chain.from_iterable(section.curves for section in sections))
    draw(curves, options.output.with_name("growth.svg"))
    page = render(sections, curves, machine(), known, missing)
    options.output.write_text(page, encoding="utf-8")
    print(page)
    wrong = [one for section in sections for _, rows in section.rows for one in rows if one.why_not]
    if any("installed" not in one.why_not for one in wrong) or not all(
        one.rows for one in sections
    ):
        raise SystemExit("some answers are wrong or missing: see the page")


if __name__ == "__main__":
    main()
