"""The commands that rate: rate, history, elo, evaluate."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options, filters_of
from arena.options import (
    Output,
    Points,
    Reading,
    output_options,
    reading_options,
    scale_options,
    split_names,
    votes_argument,
)
from arena.rating_options import (
    Control,
    Fitting,
    Holding,
    Intervals,
    Periods,
    Play,
    Weighing,
    category_option,
    control_options,
    elo_options,
    evaluate_options,
    fit_options,
    history_options,
    interval_options,
    models_option,
    pairs_option,
    weight_options,
)
from arena.steps import (
    account,
    account_of,
    check_tables,
    facts_about,
    give,
    read_kept,
    reweighting,
    scale_of,
    show_board,
    vote_files,
    write_rejected,
)
from arena.terminal import progress_bar, speaks_unicode

if TYPE_CHECKING:
    from arena.uncertainty import Interval


@click.command()
@votes_argument
@reading_options
@filter_options
@fit_options
@weight_options
@control_options
@interval_options
@scale_options
@output_options
@pairs_option
@category_option
@models_option
def rate(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    fitting: Fitting,
    weighing: Weighing,
    control: Control,
    intervals: Intervals,
    points: Points,
    output: Output,
    pairs: str | None,
    category: tuple[str, ...],
    models: str | None,
) -> None:
    """Rate the models in vote logs; with no VOTES, in the shipped Chatbot Arena log.

    VOTES are files in any format that `arena formats` lists, several at once if need be.
    """
    from arena.control import covariate_names
    from arena.outputs import TABLES, check_output, write_board, write_frame
    from arena.pipeline import rate as rate_votes
    from arena.winrates import pairs_table

    if category:
        _refuse_beside_category(weighing, control, pairs, fitting, models)
        _rate_categories(votes, reading, filtering, fitting, intervals, points, output, category)
        return
    for path in output.output:
        check_output(path)
    for path in filter(None, (reading.rejected, pairs)):
        check_output(path, TABLES)
    reweight = reweighting(weighing)
    scale, interval = scale_of(points), _interval(intervals)
    about = None if models is None else facts_about(models)
    source = vote_files(votes, reading, output, needs_rows=False)
    with progress_bar(output.quiet) as progress:
        if reading.rejected:
            write_rejected(source, reading)
        board = rate_votes(
            source,
            columns=reading.columns,
            outcomes=reading.outcomes,
            strict=reading.strict,
            anonymous_only=not reading.identified,
            filters=filters_of(filtering),
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
    board = replace(board, about=about)
    accounts = [one["account"] for one in board.manifest["inputs"]]
    account(accounts, board.manifest["filters"], output)
    for path in output.output:
        write_board(board, path, output.top or None)
    if pairs:
        write_frame(pairs_table(board), pairs)
    show_board(board, output)


def _interval(intervals: Intervals) -> "Interval":
    from arena.uncertainty import Interval, parse_method

    return Interval(
        *parse_method(intervals.ci),
        intervals.level,
        intervals.interval_of,
        intervals.rounds,
        intervals.seed,
    )


def _refuse_beside_category(
    weighing: Weighing, control: Control, pairs: str | None, fitting: Fitting, models: str | None
) -> None:
    """Refuse what a board per category does not do, rather than ignore it."""
    asked = {
        "--control": control.control,
        "--reweight": weighing.reweight,
        "--propensities": weighing.propensities,
        "--pairs": pairs,
        "--models": models,
        "--on-separation": fitting.on_separation != "drop",
    }
    for option in (name for name, given in asked.items() if given):
        message = f"{option}: not with --category; rate one with --in-category KEY"
        raise OptionError(message)


def _rate_categories(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    fitting: Fitting,
    intervals: Intervals,
    points: Points,
    output: Output,
    category: tuple[str, ...],
) -> None:
    """A board per category, side by side."""
    from arena.categories import rate_categories
    from arena.category_report import category_sheet

    check_tables(output.output)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
        boards = rate_categories(
            battles,
            split_names("--category", category),
            ties=fitting.ties,
            scale=scale_of(points),
            interval=_interval(intervals),
        )
    account_of(tally, output)
    give(category_sheet(boards), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@history_options
@fit_options
@scale_options
@output_options
def history(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
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
    from arena.tables import Sheet
    from arena.uncertainty import Interval

    check_tables(output.output)
    period(periods.every)
    Interval(level=periods.level)
    scale = scale_of(points)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
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
    account_of(tally, output)
    window = periods.window
    behind = "all votes until then" if window is None else f"votes of {window} x {told.every}"
    level = f"{periods.level * 100:g}%"
    title = f"Bradley-Terry every {told.every}, {behind}; {level} sandwich intervals"
    summary = history_summary(told, unicode=speaks_unicode())
    give(Sheet("history", title, told.frame, summary), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@elo_options
@output_options
def elo(
    votes: tuple[str, ...], reading: Reading, filtering: Filtering, play: Play, output: Output
) -> None:
    """Online Elo, how much of it is the order of the votes, and Bradley-Terry beside it."""
    from arena.battle_order import check_order, order_battles
    from arena.elo import EloRule, order_spread
    from arena.leaderboard import Scale
    from arena.pipeline import beside_bradley_terry
    from arena.tables import Sheet

    check_tables(output.output)
    rule = EloRule(play.k, play.scale, play.base, play.init)
    check_order(play.order)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
        played = order_battles(battles, order=play.order)
        spread = order_spread(played, rule, play.orders, play.seed, bootstrap=play.bootstrap)
        table = beside_bradley_terry(spread, tally.counts, Scale(play.scale, play.base, play.init))
    account_of(tally, output)
    drawn = f"{play.orders} {'resamples' if play.bootstrap else 'random orders'}"
    title = f"Online Elo, K = {play.k}, {played.n_battles:,} battles; spread over {drawn}"
    give(Sheet("elo", title, table, table), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@evaluate_options
@output_options
def evaluate(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    holding: Holding,
    output: Output,
) -> None:
    """Fit on some votes, predict the others: which model of the votes is worth most?"""
    from arena.control import covariate_names
    from arena.heldout import held_out_skill
    from arena.outputs import write_frame
    from arena.tables import Sheet

    check_tables((*output.output, *filter(None, [holding.calibration])))
    names = covariate_names(holding.control)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress, names)
        told = held_out_skill(
            battles,
            split=holding.split,
            share=holding.share,
            seed=holding.seed,
            control=names,
            k=holding.k,
        )
    account_of(tally, output)
    if holding.calibration:
        write_frame(told.calibration, holding.calibration, "Calibration")
    how = "the last votes in time" if holding.split == "time" else "random votes"
    title = (
        f"Held-out skill on {told.n_test:,} votes ({how}), fitted on {told.n_train:,}; "
        f"{told.n_left_out:,} left out, on models that not all could rate"
    )
    give(Sheet("skill", title, told.skill, told.skill), output, tally)
