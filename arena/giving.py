"""What the commands give: paths are checked before the work, the result is given after it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from arena.errors import OptionError
from arena.options import TABLE_ROWS, Output
from arena.terminal import emit, show, speaks_unicode

if TYPE_CHECKING:
    from arena.leaderboard import Leaderboard
    from arena.tables import Sheet
    from arena.tally import Tally


def check_tables(paths: Sequence[str]) -> None:
    """Refuse paths that no table can be written to."""
    from arena.outputs import FRAMES, check_output

    for path in paths:
        check_output(path, FRAMES)


def check_results(output: Output, kinds: Sequence[str] = (), *, drawn: bool = True) -> None:
    """Refuse paths that the result cannot be written to, and pictures that there are none of.

    Args:
        output: what was asked for.
        kinds: of pictures, where there are several.
        drawn: whether there is any.
    """
    from arena.outputs import FRAMES, PICTURES, check_output

    known = (*FRAMES, *(PICTURES if drawn else ()))
    suffixes = {check_output(path, known).suffix.lower() for path in output.output}
    asked = "--plot" if output.plot else "--dark" if output.dark else ""
    if asked and not drawn:
        raise OptionError(f"{asked}: there is no picture of this result")
    if output.plot and output.plot not in kinds:
        raise OptionError(f"--plot: '{output.plot}' is not one of {', '.join(kinds)}")
    if asked and not suffixes & set(PICTURES):
        raise OptionError(f"{asked}: no picture is written; add e.g. -o FILE.svg")


def show_board(board: "Leaderboard", output: Output) -> None:
    """Show a leaderboard in the form asked for."""
    from arena import report
    from arena.html_tables import spreadsheet_csv

    most = output.top or None
    if output.form == "spreadsheet":
        emit(spreadsheet_csv(report.shown_rows(board, most)))
        return
    if output.form != "table":
        render = {
            "csv": report.render_csv,
            "json": report.render_json,
            "markdown": report.render_markdown,
        }
        emit(render[output.form](board, most))
        return
    shown = most if output.top is not None else TABLE_ROWS
    show(report.render_table(board, shown, unicode=speaks_unicode()))


def give(sheet: "Sheet", output: Output, of: "Tally | Leaderboard | None" = None) -> None:
    """Write a result to files, and show it in the form asked for.

    Where the votes that it is of were simulated, its title says so.
    """
    from arena.html_tables import spreadsheet_csv
    from arena.outputs import write_sheet
    from arena.report import SYNTHETIC
    from arena.tables import frame_json, frame_markdown, frame_table

    if _is_synthetic(of):
        sheet = replace(sheet, title=f"{SYNTHETIC}; {sheet.title}")
    if output.top:
        sheet = sheet.head(output.top)
    for path in output.output:
        write_sheet(sheet, path, output.top, plot=output.plot, dark=output.dark)
    if output.form == "csv":
        emit(sheet.frame.write_csv())
    elif output.form == "spreadsheet":
        emit(spreadsheet_csv(sheet.frame))
    elif output.form == "json":
        emit(frame_json(sheet.frame, sheet.name, sheet.manifest))
    elif output.form == "markdown":
        emit(frame_markdown(sheet.summary, sheet.title, sheet.lines))
    else:
        shown = sheet.summary if output.top is not None else sheet.summary.head(TABLE_ROWS)
        show(frame_table(shown, sheet.title, sheet.lines, unicode=speaks_unicode()))


def _is_synthetic(of: "Tally | Leaderboard | None") -> bool:
    """Whether a result is of votes that nobody cast."""
    from arena.datasets import is_synthetic
    from arena.tally import Tally

    if of is None:
        return False
    if isinstance(of, Tally):
        return any(is_synthetic(reading.source.name) for reading in of.readings)
    return any(is_synthetic(source["name"]) for source in of.manifest["inputs"])
