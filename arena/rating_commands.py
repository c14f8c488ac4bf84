"""The commands that rate: rate, history, elo, evaluate."""

from dataclasses import replace

import click

from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options
from arena.giving import check_results, check_tables, give, show_board
from arena.options import (
    Output,
    Points,
    Reading,
    pictured_options,
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
    dask_option,
    elo_options,
    evaluate_options,
    fit_options,
    history_options,
    interval_options,
    models_option,
    pairs_option,
    weight_options,
)
from arena.steps import account_of, facts_about, interval_of, rated, read_kept, scale_of
from arena.terminal import progress_bar, speaks_unicode

RATE_PICTURES = ("ratings", "ranks", "win-rates", "observed", "battles")


@click.command()
@votes_argument
@reading_options
@filter_options
@fit_options
@weight_options
@control_options
@interval_options
@scale_options
@pictured_options(*RATE_PICTURES)
@pairs_option
@category_option
@models_option
@dask_option
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
    dask: str | None,
) -> None:
    """Rate the models in vote logs; with no VOTES, in the shipped Chatbot Arena log.

    VOTES are files in any format that `arena formats` lists, several at once if need be.
    """
    from arena.outputs import TABLES, check_output, write_board, write_frame
    from arena.winrates import pairs_table

    if category:
        _refuse_beside_category(weighing, control, pairs, fitting, models, dask)
        _rate_categories(votes, reading, filtering, fitting, intervals, points, output, category)
        return
    check_results(output, RATE_PICTURES)
    if pairs:
        check_output(pairs, TABLES)
    about = None if models is None else facts_about(models)
    board = rated(
        votes, reading, filtering, fitting, weighing, control, intervals, points, output, dask
    )
    board = replace(board, about=about)
    for path in output.output:
        write_board(board, path, output.top, plot=output.plot, dark=output.dark)
    if pairs:
        write_frame(pairs_table(board), pairs)
    show_board(board, output)


def _refuse_beside_category(
    weighing: Weighing,
    control: Control,
    pairs: str | None,
    fitting: Fitting,
    models: str | None,
    dask: str | None,
) -> None:
    """Refuse what a board per category does not do, rather than ignore it."""
    asked = {
        "--control": control.control,
        "--reweight": weighing.reweight,
        "--propensities": weighing.propensities,
        "--pairs": pairs,
        "--models": models,
        "--dask": dask,
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

    check_results(output, drawn=False)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
        boards = rate_categories(
            battles,
            split_names("--category", category),
            ties=fitting.ties,
            scale=scale_of(points),
            interval=interval_of(intervals),
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
@pictured_options()
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
    from arena.history_report import history_summary
    from arena.pictures import history_pictures
    from arena.tables import Sheet
    from arena.uncertainty import Interval

    check_results(output)
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
    pictures = history_pictures(told)
    give(Sheet("history", title, told.frame, summary, pictures=pictures), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@elo_options
@pictured_options()
def elo(
    votes: tuple[str, ...], reading: Reading, filtering: Filtering, play: Play, output: Output
) -> None:
    """Online Elo, how much of it is the order of the votes, and Bradley-Terry beside it."""
    from arena.battle_order import check_order, order_battles
    from arena.elo import EloRule, order_spread
    from arena.leaderboard import Scale
    from arena.pictures import elo_pictures
    from arena.pipeline import beside_bradley_terry
    from arena.tables import Sheet

    check_results(output)
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
    give(Sheet("elo", title, table, table, pictures=elo_pictures(table)), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@evaluate_options
@pictured_options()
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
    from arena.pictures import skill_pictures
    from arena.tables import Sheet

    check_results(output)
    check_tables([*filter(None, [holding.calibration])])
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
    sheet = Sheet("skill", title, told.skill, told.skill, pictures=skill_pictures(told))
    give(sheet, output, tally)
