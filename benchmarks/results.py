"""How fast, and how far it goes: `arena` beside other libraries, and beside what is unavoidable.

    python benchmarks/results.py --scratch FOLDER

measures everything, and writes `RESULTS.md` and `growth.svg`. It needs an idle machine, `pip
install ".[test,bench]"`, and 3 GB of room in the scratch folder. A library that is missing is said
to be; one that is installed elsewhere is used there with `--peers-python PATH`.

No time counts before its answer has been held against `reference.py`. Limits are ratios within
one run. Each task runs in processes of its own, which take turns; see `measure.py`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
import ours
from measure import Measured, Task, machine, race, versions
from peers import DISTRIBUTIONS
from reference import PER_LOG_ODDS, rate_groups, rate_pairs
from results_page import Curve, Point, Section, Target, draw, render
from vote_logs import (
    drawn_votes,
    many_counts,
    real_votes,
    sharded_votes,
    style_design,
    write_design,
)

RIGHT, CLOSE = 1e-6, 1.0
"""Rating points: how far our ratings may be from the reference, and those of others."""
REG = 0.0
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
    repeats=(1, 1),
)


@dataclass(frozen=True)
class Plan:
    """What to measure, and with what.

    Attributes:
        sizes: how large.
        scratch: a folder for logs.
        python: distribution → the Python that has it.
    """

    sizes: Sizes
    scratch: Path
    python: Mapping[str, str] = field(default_factory=dict)

    def peer(self, name: str, function: str, distribution: str, **options: object) -> Task:
        """A task of another library."""
        python = self.python.get(distribution, sys.executable)
        return Task(name, "peers", function, options, python)


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
        Task(BARE, "ours", "bare_group_by", {"paths": list(paths)}),
        Task(READ, "ours", "read_columns", {"paths": list(paths)}),
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
    logs.append((f"{sizes.large:,} votes", sizes.large, partial(drawn_votes, n=sizes.large)))
    points: list[Point] = []
    for name, votes, make in logs:
        path = str(make(plan.scratch / f"{votes}.parquet"))
        tasks = board_tasks(plan, path, frame=False)
        if votes >= 10_000_000:
            tasks = [one if one.module == "ours" else replace(one, cold_rounds=1) for one in tasks]
            tasks = [one for one in tasks if one.name not in (CHOIX_PANDAS, SKLEARN)]
        elif votes == 10_000:  # where a process takes its start-up and little else, as at 100,000
            tasks = [one if one.module == "ours" else replace(one, cold_rounds=0) for one in tasks]
        found = raced([*tasks, *floors([path], votes)], sizes.repeats, [path])
        rows.append((f"{name}, from a file", found))
        targets.append(accurate(name, found))
        points += [Point(one.task.name, votes, one.seconds, one.peak_mb) for one in found]
        if votes == 1_670_250:
            targets += board_targets(found)
            framed = raced(board_tasks(plan, path, frame=True), (sizes.repeats[0], 0), [path])
            rows.append((f"{name}, from a frame in memory", framed))
    targets += reading_targets(logs[-1][0], by_name(rows[-1][1]))
    text = (
        "Cold is a process from its start to its end, with one board; warm is a later board in "
        "the same process. choix and scikit-learn take no vote log, so another library counts it "
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
    one_by_one = {"paths": paths}
    tasks = [
        Task(BOARD, "ours", "board", one_by_one),
        Task(
            "arena, all files at once, no board", "ours", "count_at_once", one_by_one, cold_rounds=0
        ),
        Task(SHARDS, "ours", "count_shards", one_by_one, cold_rounds=0),
        Task(DASK, "ours", "count_by_dask", one_by_one, cold_rounds=0),
        *floors(paths, votes),
    ]
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
        games = {"n_models": m, "games": n}
        floor = Task("reading the counts", "ours", "read_counts", games)
        task = Task(name, "ours", "fit_counts", games | {"interval": interval})
        found = race([task, floor], min(sizes.repeats[0], 5 if interval == "sandwich" else 3))
        rated = found[0].answer.get("models", [])
        # Some may have won or lost all their few games; whom that leaves is tested elsewhere.
        counts = many_counts(m, n)
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
    per_step = ratio(own, floor) / own.answer.get("iterations", float("nan"))
    targets = [
        Target(5, "times one pass over the design, per Newton step", per_step, 5, "most"),
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
    """Texts past an index of prompts, against tokenising them, by size of the corpus."""
    rows, points, targets = [], [], []
    for n in plan.sizes.texts:
        tasks = [
            Task(
                "arena, matching", "ours", "match", {"n_texts": n, "n_prompts": plan.sizes.prompts}
            ),
            Task("tokenising alone", "ours", "tokenise_texts", {"n_texts": n}),
        ]
        own, floor = race(tasks, plan.sizes.repeats[0])
        rows.append((f"{n:,} texts past {plan.sizes.prompts:,} prompts, one thread", [own, floor]))
        points += [Point(one.task.name, n, one.seconds, one.peak_mb) for one in (own, floor)]
        if n == plan.sizes.texts[-1]:
            targets = [
                Target(
                    6, "rate of matching, times that of tokenising", ratio(floor, own), 0.5, "least"
                )
            ]
    text = (
        "The texts are in memory and the index is there. What is found is checked in "
        "`test_matching.py`, on the same kind of texts."
    )
    curve = Curve("corpus", "texts in the corpus", tuple(points))
    return Section("Matching", text, tuple(rows), tuple(targets), (curve,))


# ── all of it ──────────────────────────────────────────────────────────────────────────────

SECTIONS: tuple[Callable[[Plan], Section], ...] = (
    *(boards, shards, models, bootstraps),
    *(elo, style, matching),
)


def run(plan: Plan) -> list[Section]:
    """Measure all; a section that fails says so, and the others are measured all the same."""
    found = []
    for section in SECTIONS:
        start = perf_counter()
        try:
            found.append(section(plan))
        except Exception as error:
            message = f"not measured: {type(error).__name__}: {error}"
            found.append(Section(section.__name__, message))
        took = perf_counter() - start
        print(f"{section.__name__}: {took:.0f} s", file=sys.stderr, flush=True)
        kept = json.dumps([asdict(one) for one in found], default=str)
        (plan.scratch / "results.json").write_text(kept)
    return found


def find_peers(elsewhere: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Which Python has each library, and its version there."""
    here = versions(*DISTRIBUTIONS)
    python, version = dict.fromkeys(here, sys.executable), dict(here)
    if elsewhere:
        task = Task("versions", "measure", "versions_task", {"names": DISTRIBUTIONS}, elsewhere)
        (there,) = race([task], 1)
        if there.why_not:
            raise SystemExit(f"--peers-python: {there.why_not}")
        for name, number in there.answer.items():
            python.setdefault(name, elsewhere)
            version.setdefault(name, number)
    return python, version


def main() -> None:
    """Read the arguments, measure, write the page and the chart."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for vote logs")
    parser.add_argument("--peers-python", help="a Python that has libraries which this one lacks")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    for folder in (options.scratch, options.output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    python, version = find_peers(options.peers_python)
    start = perf_counter()
    plan = Plan(TINY if options.tiny else FULL, options.scratch, python)
    sections = run(plan)
    known = {**versions(*OUR_DISTRIBUTIONS), **version}
    missing = [name for name in DISTRIBUTIONS if name not in version]
    curves = list(chain.from_iterable(section.curves for section in sections))
    draw(curves, options.output.with_name("growth.svg"))
    page = render(sections, curves, machine(), known, missing, perf_counter() - start)
    options.output.write_text(page, encoding="utf-8")
    print(page)
    wrong = [one for section in sections for _, rows in section.rows for one in rows if one.why_not]
    if any("installed" not in one.why_not for one in wrong) or not all(
        one.rows for one in sections
    ):
        raise SystemExit("some answers are wrong or missing: see the page")


if __name__ == "__main__":
    main()
