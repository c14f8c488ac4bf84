"""From vote logs to ratings: one file at every size, a frame, and a log in shards."""

from collections.abc import Mapping, Sequence
from functools import partial

from measure import Measured, Task
from plan import Plan, accurate, by_name, in_no_target, raced, ratio
from results_page import Curve, Point, Section, Target
from vote_logs import drawn_votes, real_votes, sharded_votes

BOARD, ALONE, BARE = "arena, sandwich intervals", "arena, ratings alone", "polars, bare group-by"
READ, BYTES = "polars, reading three columns", "as many bytes through memory"
RANK, DASK, SHARDS = "arena-rank, sandwich intervals", "arena, by Dask", "arena, shard by shard"
AT_ONCE = "arena, all files at once, no board"
CHOIX, CHOIX_PANDAS = "choix, counted by polars", "choix, counted by pandas"
EVALICA, SKLEARN = "evalica", "scikit-learn, counted by polars"
LEADERBOT = "leaderbot, counted by polars"


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
        plan.peer(LEADERBOT, "leaderbot_board", "leaderbot", **given),
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
            tasks = in_no_target(tasks, SKLEARN, LEADERBOT)
        else:  # among few votes a cold process is its start-up, among many it takes minutes
            tasks = in_no_target(tasks, cold_rounds=0)
        if votes == sizes.large:
            long = (CHOIX_PANDAS, SKLEARN, LEADERBOT, EVALICA)
            tasks = [one for one in tasks if one.name not in long]
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
        f"once, on the {in_targets:,} votes; on the most votes fewer libraries are run. choix, "
        "scikit-learn and leaderbot take no vote log, so another library counts it for them; "
        "choix gets its matrix of points (`ilsr_pairwise_dense`), its quickest way in."
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
