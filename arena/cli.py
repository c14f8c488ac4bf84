"""The command line: one function per command, and the exit codes.

Everything heavy is imported inside the commands, so that `arena --help` answers at once.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from arena.display import error_line
from arena.errors import ArenaError, OptionError, UserError
from arena.options import (
    TABLE_ROWS,
    Control,
    Fitting,
    Holding,
    Intervals,
    Output,
    Periods,
    Play,
    Points,
    Reading,
    Weighing,
    control_options,
    elo_options,
    evaluate_options,
    fit_options,
    history_options,
    interval_options,
    output_options,
    pairs_option,
    reading_options,
    scale_options,
    votes_argument,
    weight_options,
)
from arena.terminal import emit, note, progress_bar, show, speaks_unicode

if TYPE_CHECKING:
    import polars as pl

    from arena.battles import Battles
    from arena.counts import PairCounts
    from arena.leaderboard import Leaderboard, Scale
    from arena.tally import Tally


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="arena-ratings", prog_name="arena")
def cli() -> None:
    """Ratings from pairwise votes on language models.

    Start with `arena rate`: without a file it rates the shipped Chatbot Arena log.
    """


@cli.command()
@votes_argument
@reading_options
@fit_options
@weight_options
@control_options
@interval_options
@scale_options
@output_options
@pairs_option
def rate(
    votes: tuple[str, ...],
    reading: Reading,
    fitting: Fitting,
    weighing: Weighing,
    control: Control,
    intervals: Intervals,
    points: Points,
    output: Output,
    pairs: str | None,
) -> None:
    """Rate the models in vote logs; with no VOTES, in the shipped Chatbot Arena log.

    VOTES are files in any format that `arena formats` lists, several at once if need be.
    """
    from arena.battles import read_battles
    from arena.control import covariate_names
    from arena.datasets import shipped
    from arena.outputs import TABLES, check_output, write_board, write_frame
    from arena.pipeline import rate as rate_votes
    from arena.uncertainty import Interval, parse_method
    from arena.winrates import pairs_table

    for path in output.output:
        check_output(path)
    for path in filter(None, (reading.rejected, pairs)):
        check_output(path, TABLES)
    reweight = _reweighting(weighing)
    scale = _scale(points)
    interval = Interval(
        *parse_method(intervals.ci),
        intervals.level,
        intervals.interval_of,
        intervals.rounds,
        intervals.seed,
    )
    source = list(votes) or None
    if source is None and not output.quiet:
        note("no vote file given: this is the shipped Chatbot Arena log to 2024-08-14")
    with progress_bar(output.quiet) as progress:
        if reading.rejected:
            battles = read_battles(
                source or shipped(), columns=reading.columns, outcomes=reading.outcomes
            )
            write_frame(battles.rejected(), reading.rejected)
        board = rate_votes(
            source,
            columns=reading.columns,
            outcomes=reading.outcomes,
            strict=reading.strict,
            ties=fitting.ties,
            on_separation=fitting.on_separation,
            prior=fitting.prior,
            scale=scale,
            interval=interval,
            reweight=reweight,
            control=covariate_names(control.control),
            ridge=control.ridge,
            missing=control.missing,
            progress=progress,
        )
    _account([one["account"] for one in board.manifest["inputs"]], output)
    for path in output.output:
        write_board(board, path, output.top or None)
    if pairs:
        write_frame(pairs_table(board), pairs)
    _show_board(board, output)


@cli.command()
@votes_argument
@reading_options
@history_options
@fit_options
@scale_options
@output_options
def history(
    votes: tuple[str, ...],
    reading: Reading,
    periods: Periods,
    fitting: Fitting,
    points: Points,
    output: Output,
) -> None:
    """Rate the models over time: a board per day, week or month.

    The votes need times. On screen: the latest rating of each model, and how it came there.
    """
    from arena.history import period, rate_history
    from arena.report import history_summary
    from arena.uncertainty import Interval

    _check_tables(output.output)
    period(periods.every)
    Interval(level=periods.level)
    scale = _scale(points)
    with progress_bar(output.quiet) as progress:
        battles, tally = _battles(votes, reading, progress)
        told = rate_history(
            battles,
            every=periods.every,
            window=periods.window,
            ties=fitting.ties,
            on_separation=fitting.on_separation,
            prior=fitting.prior,
            scale=scale,
            level=periods.level,
        )
    _account([one.account() for one in tally.readings], output)
    window = periods.window
    behind = "all votes until then" if window is None else f"votes of {window} x {told.every}"
    level = f"{periods.level * 100:g}%"
    title = f"Bradley-Terry every {told.every}, {behind}; {level} sandwich intervals"
    _give(told.frame, "history", output, title, history_summary(told, unicode=speaks_unicode()))


@cli.command()
@votes_argument
@reading_options
@elo_options
@output_options
def elo(votes: tuple[str, ...], reading: Reading, play: Play, output: Output) -> None:
    """Online Elo, how much of it is the order of the votes, and Bradley-Terry beside it."""
    from arena.battle_order import check_order, order_battles
    from arena.elo import EloRule, order_spread
    from arena.leaderboard import Scale
    from arena.pipeline import beside_bradley_terry

    _check_tables(output.output)
    rule = EloRule(play.k, play.scale, play.base, play.init)
    check_order(play.order)
    with progress_bar(output.quiet) as progress:
        battles, tally = _battles(votes, reading, progress)
        played = order_battles(battles, order=play.order)
        spread = order_spread(played, rule, play.orders, play.seed, bootstrap=play.bootstrap)
        table = beside_bradley_terry(spread, tally.counts, Scale(play.scale, play.base, play.init))
    _account([one.account() for one in tally.readings], output)
    drawn = f"{play.orders} {'resamples' if play.bootstrap else 'random orders'}"
    title = f"Online Elo, K = {play.k}, {played.n_battles:,} battles; spread over {drawn}"
    _give(table, "elo", output, title, table)


@cli.command()
@votes_argument
@reading_options
@evaluate_options
@output_options
def evaluate(votes: tuple[str, ...], reading: Reading, holding: Holding, output: Output) -> None:
    """Fit on some votes, predict the others: which model of the votes is worth most?"""
    from arena.control import covariate_names
    from arena.heldout import held_out_skill
    from arena.outputs import write_frame

    _check_tables((*output.output, *filter(None, [holding.calibration])))
    names = covariate_names(holding.control)
    with progress_bar(output.quiet) as progress:
        battles, tally = _battles(votes, reading, progress, names)
        told = held_out_skill(
            battles,
            split=holding.split,
            share=holding.share,
            seed=holding.seed,
            control=names,
            k=holding.k,
        )
    _account([one.account() for one in tally.readings], output)
    if holding.calibration:
        write_frame(told.calibration, holding.calibration, "Calibration")
    how = "the last votes in time" if holding.split == "time" else "random votes"
    title = (
        f"Held-out skill on {told.n_test:,} votes ({how}), fitted on {told.n_train:,}; "
        f"{told.n_left_out:,} left out, on models that not all could rate"
    )
    _give(told.skill, "skill", output, title, told.skill)


@cli.command()
def formats() -> None:
    """List the vote-log formats that arena reads, and how it tells them apart."""
    from rich.table import Table

    from arena.formats import FORMATS
    from arena.schema import SPELLINGS

    table = Table(
        "format", "published as", "told by its columns", "notes", pad_edge=False, box=None
    )
    for each in FORMATS:
        table.add_row(each.name, each.published_as, ", ".join(each.tell_tale), each.notes)
    show(table)
    for line in (
        "",
        "In Parquet, Arrow, CSV, TSV, JSON lines or one JSON array; .gz for text formats.",
        "A vote may be spelled " + ", ".join(SPELLINGS) + ".",
        "Anything else: --columns model_a=left,model_b=right,winner=choice --outcomes l=model_a,…",
    ):
        emit(line + "\n")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script, e.g. eval "$(arena completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise OptionError(f"no completion for '{shell}'")
    emit(kind(cli, {}, "arena", "_ARENA_COMPLETE").source() + "\n")


# ── what the commands share ────────────────────────────────────────────────────────────────


def _scale(points: Points) -> "Scale":
    from arena.leaderboard import Scale

    return Scale(points.scale, points.base, points.init, points.anchor)


def _battles(
    votes: tuple[str, ...], reading: Reading, progress: Any, keep: Sequence[str] = ()
) -> "tuple[Battles, Tally]":
    """Read and count the votes, and keep the rejected ones where asked."""
    from arena.battles import read_battles
    from arena.outputs import TABLES, check_output, write_frame
    from arena.tally import tally_votes

    if not votes:
        raise OptionError("no vote file given: the shipped log is counts, without times or rows")
    if reading.rejected:
        check_output(reading.rejected, TABLES)
    battles = read_battles(
        list(votes),
        columns=reading.columns,
        outcomes=reading.outcomes,
        keep=keep,
        progress=progress,
    )
    if reading.rejected:
        write_frame(battles.rejected(), reading.rejected)
    tally = tally_votes(battles)
    if reading.strict:
        tally.refuse_rejected()
    tally.refuse_empty()
    return battles, tally


def _account(accounts: list[str], output: Output) -> None:
    """Say what became of each input's rows; after the work, so that an error stands alone."""
    if not output.quiet:
        for account in accounts:
            note(account)


def _show_board(board: "Leaderboard", output: Output) -> None:
    from arena import report

    most = output.top or None
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


def _check_tables(paths: Sequence[str]) -> None:
    from arena.outputs import FRAMES, check_output

    for path in paths:
        check_output(path, FRAMES)


def _give(
    frame: "pl.DataFrame", name: str, output: Output, title: str, summary: "pl.DataFrame"
) -> None:
    """Write a table to files, and show it, or its summary, in the form asked for."""
    from arena.outputs import write_frame
    from arena.tables import frame_json, frame_markdown, frame_table

    if output.top:
        summary = summary.head(output.top)
        key = "model" if "model" in frame.columns else frame.columns[0]
        frame = frame.filter(frame[key].is_in(summary[key].to_list()))
    for path in output.output:
        write_frame(frame, path, title)
    if output.form == "csv":
        emit(frame.write_csv())
    elif output.form == "json":
        emit(frame_json(frame, name))
    elif output.form == "markdown":
        emit(frame_markdown(summary, title))
    else:
        shown = summary if output.top is not None else summary.head(TABLE_ROWS)
        show(frame_table(shown, title, unicode=speaks_unicode()))


def _reweighting(weighing: Weighing) -> "Callable[[PairCounts], PairCounts] | None":
    from arena.counts import read_propensities, reweight_pairs, reweight_propensity

    if weighing.reweight and weighing.propensities:
        raise OptionError("--reweight and --propensities: give one of them")
    if weighing.propensities:
        by_pair = read_propensities(weighing.propensities)

        def by_propensity(counts: "PairCounts") -> "PairCounts":
            return reweight_propensity(counts, by_pair)

        return by_propensity
    return reweight_pairs if weighing.reweight else None


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with 0, 2 for a user's mistake, 1 for ours."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.exit(cli.main(arguments, prog_name="arena", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        emit(error.format_message() + "\n")
        sys.exit(0)
    except click.ClickException as error:
        note(f"{error.format_message()} See arena --help.")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        sys.exit(130)
    except ArenaError as error:
        note(error_line(error))
        sys.exit(2 if isinstance(error, UserError) else 1)
