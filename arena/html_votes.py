"""Where a log's votes went, as an HTML table: what readers and filters dropped, step by step."""

from collections import Counter
from collections.abc import Mapping

from arena.display import amount
from arena.html_tables import Axis, Cell, Drawing, Head, TableView, shown, value_cell
from arena.leaderboard import Leaderboard
from arena.tally import Tally


def funnel_steps(tally: Tally, board: Leaderboard) -> list[tuple[str, str, float, float]]:
    """Each step from the rows to the votes rated: who drops, what, how many, how many are left."""
    left = sum(reading.rows for reading in tally.readings)
    steps = [("", "rows read", 0.0, left)]

    def drop(who: str, what: str, n: float) -> None:
        nonlocal left
        left -= n
        steps.append((who, what, n, left))

    for who, reasons in (
        ("set aside", [reading.set_aside for reading in tally.readings]),
        ("rejected", [reading.rejected for reading in tally.readings]),
    ):
        for what, n in _summed(reasons).items():
            drop(who, what, n)
    for row in tally.funnel.iter_rows(named=True):
        unknown = f" ({row['unknown']:,.0f} do not tell)" if row["unknown"] else ""
        drop("filter", f"{row['condition']}{unknown}", row["dropped"])
    lost = board.fit.all_counts.n_battles - board.fit.counts.n_battles
    if lost:
        models = amount(len(board.fit.left_out), "model")
        drop("fit", f"battles of {models} that the votes put on no common scale", lost)
    return steps


def _summed(reasons: list[Mapping[str, float]]) -> Counter[str]:
    """Rows by reason, over all sources."""
    total: Counter[str] = Counter()
    for one in reasons:
        for reason, n in one.items():
            total[reason] += n  # type: ignore[assignment]
    return total


def funnel_view(tally: Tally, board: Leaderboard) -> TableView:
    """The same as a table."""
    steps = funnel_steps(tally, board)
    axis = Axis(0.0, max(steps[0][3], 1.0))
    rows = []
    for who, what, dropped, left in steps:
        bar = Drawing(f"{left:,.0f} left", None, band=(axis.place(0.0), axis.place(left)))
        rows.append(
            (
                Cell(shown(what)),
                Cell(who),
                value_cell(dropped) if who else Cell("", kind="num"),
                value_cell(left),
                Cell(bar.label, kind="draw", drawing=bar),
            )
        )
    heads = (
        Head("step"),
        Head("by"),
        Head("dropped", "num"),
        Head("left", "num"),
        Head("share left", "draw", "", ("0", "all")),
    )
    lines = [shown(reading.account(), 1000) for reading in tally.readings]
    lines += [
        shown(f"Not rated: {one.model}: {one.reason}", 400) for one in board.fit.left_out[:20]
    ]
    return TableView("From rows to votes", heads, tuple(rows), tuple(lines))
