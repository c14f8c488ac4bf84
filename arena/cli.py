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
    from arena.leaderboard import Leaderboard


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
    columns: dict[str, str],
    outcomes: dict[str, str],
    strict: bool,
    rejected: str | None,
    ties: str,
    on_separation: Any,
    prior: float,
    reweight: str | None,
    propensities: str | None,
    control: tuple[str, ...],
    ridge: float,
    missing: Any,
    ci: str,
    level: float,
    interval_of: Any,
    rounds: int,
    seed: int,
    anchor: tuple[str, float] | None,
    scale: float,
    base: float,
    init: float,
    top: int | None,
    output: tuple[str, ...],
    form: str,
    pairs: str | None,
    quiet: bool,
) -> None:
    """Rate the models in vote logs; with no VOTES, in the shipped Chatbot Arena log.

    VOTES are files in any format that `arena formats` lists, several at once if need be.
    """
    from arena.battles import read_battles
    from arena.control import covariate_names
    from arena.datasets import shipped
    from arena.leaderboard import Scale
    from arena.outputs import TABLES, check_output, write_board, write_frame
    from arena.pipeline import rate as rate_votes
    from arena.uncertainty import Interval, parse_method
    from arena.winrates import pairs_table

    for path in output:
        check_output(path)
    for path in filter(None, (rejected, pairs)):
        check_output(path, TABLES)
    weigh = _weighing(reweight, propensities)
    points = Scale(scale, base, init, anchor)
    interval = Interval(*parse_method(ci), level, interval_of, rounds, seed)
    source = list(votes) or None
    if source is None and not quiet:
        note("no vote file given: this is the shipped Chatbot Arena log to 2024-08-14")
    with progress_bar(quiet) as progress:
        if rejected:
            _write_rejected(
                read_battles(source or shipped(), columns=columns, outcomes=outcomes), rejected
            )
        board = rate_votes(
            source,
            columns=columns,
            outcomes=outcomes,
            strict=strict,
            ties=ties,
            on_separation=on_separation,
            prior=prior,
            scale=points,
            interval=interval,
            reweight=weigh,
            control=covariate_names(control),
            ridge=ridge,
            missing=missing,
            progress=progress,
        )
    _account([one["account"] for one in board.manifest["inputs"]], quiet)
    for path in output:
        write_board(board, path, top or None)
    if pairs:
        write_frame(pairs_table(board), pairs)
    _show_board(board, form, top)


@cli.command()
@votes_argument
@reading_options
@history_options
@fit_options
@scale_options
@output_options
def history(
    votes: tuple[str, ...],
    columns: dict[str, str],
    outcomes: dict[str, str],
    strict: bool,
    rejected: str | None,
    every: str,
    window: int | None,
    ties: str,
    on_separation: Any,
    prior: float,
    level: float,
    anchor: tuple[str, float] | None,
    scale: float,
    base: float,
    init: float,
    top: int | None,
    output: tuple[str, ...],
    form: str,
    quiet: bool,
) -> None:
    """Rate the models over time: a board per day, week or month.

    The votes need times. On screen: the latest rating of each model, and how it came there.
    """
    from arena.history import period, rate_history
    from arena.leaderboard import Scale
    from arena.report import history_summary
    from arena.uncertainty import Interval

    _check_tables(output)
    period(every)
    Interval(level=level)
    points = Scale(scale, base, init, anchor)
    with progress_bar(quiet) as progress:
        battles, accounts = _battles(votes, columns, outcomes, strict, rejected, progress)
        told = rate_history(
            battles,
            every=every,
            window=window,
            ties=ties,
            on_separation=on_separation,
            prior=prior,
            scale=points,
            level=level,
        )
    _account(accounts, quiet)
    behind = "all votes until then" if window is None else f"votes of {window} x {told.every}"
    title = f"Bradley-Terry every {told.every}, {behind}; {level * 100:g}% sandwich intervals"
    summary = history_summary(told, unicode=speaks_unicode())
    _give(told.frame, "history", output, form, title, summary, top)


@cli.command()
@votes_argument
@reading_options
@elo_options
@output_options
def elo(
    votes: tuple[str, ...],
    columns: dict[str, str],
    outcomes: dict[str, str],
    strict: bool,
    rejected: str | None,
    k: str,
    order: str,
    orders: int,
    bootstrap: bool,
    seed: int,
    scale: float,
    base: float,
    init: float,
    top: int | None,
    output: tuple[str, ...],
    form: str,
    quiet: bool,
) -> None:
    """Online Elo, how much of it is the order of the votes, and Bradley-Terry beside it."""
    from arena.battle_order import check_order, order_battles
    from arena.elo import EloRule, order_spread
    from arena.leaderboard import Scale
    from arena.pipeline import beside_bradley_terry

    _check_tables(output)
    rule = EloRule(k, scale, base, init)
    check_order(order)
    with progress_bar(quiet) as progress:
        battles, accounts = _battles(votes, columns, outcomes, strict, rejected, progress)
        played = order_battles(battles, order=order)
        spread = order_spread(played, rule, orders, seed, bootstrap=bootstrap)
        table = beside_bradley_terry(spread, battles, Scale(scale, base, init))
    _account(accounts, quiet)
    drawn = "resamples" if bootstrap else "random orders"
    title = f"Online Elo, K = {k}, {played.n_battles:,} battles; spread over {orders} {drawn}"
    _give(table, "elo", output, form, title, table, top)


@cli.command()
@votes_argument
@reading_options
@evaluate_options
@output_options
def evaluate(
    votes: tuple[str, ...],
    columns: dict[str, str],
    outcomes: dict[str, str],
    strict: bool,
    rejected: str | None,
    split: Any,
    share: float,
    seed: int,
    control: tuple[str, ...],
    k: float,
    calibration: str | None,
    top: int | None,
    output: tuple[str, ...],
    form: str,
    quiet: bool,
) -> None:
    """Fit on some votes, predict the others: which model of the votes is worth most?"""
    from arena.control import covariate_names
    from arena.heldout import held_out_skill
    from arena.outputs import write_frame

    _check_tables((*output, *filter(None, [calibration])))
    names = covariate_names(control)
    with progress_bar(quiet) as progress:
        battles, accounts = _battles(votes, columns, outcomes, strict, rejected, progress, names)
        told = held_out_skill(battles, split=split, share=share, seed=seed, control=names, k=k)
    _account(accounts, quiet)
    if calibration:
        write_frame(told.calibration, calibration, "Calibration")
    how = "the last votes in time" if split == "time" else "random votes"
    title = (
        f"Held-out skill on {told.n_test:,} votes ({how}), fitted on {told.n_train:,}; "
        f"{told.n_left_out:,} left out, on models that not all could rate"
    )
    _give(told.skill, "skill", output, form, title, told.skill, top)


@cli.command()
def formats() -> None:
    """List the vote-log formats that arena reads, and how it tells them apart."""
    from rich.table import Table

    from arena.formats import FORMATS, SPELLINGS

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


def _battles(
    votes: tuple[str, ...],
    columns: dict[str, str],
    outcomes: dict[str, str],
    strict: bool,
    rejected: str | None,
    progress: Any,
    keep: Sequence[str] = (),
) -> "tuple[Battles, list[str]]":
    """Read the votes, keep the rejected ones where asked, and account for all."""
    from arena.battles import read_battles
    from arena.outputs import TABLES, check_output
    from arena.tally import tally_votes

    if not votes:
        raise OptionError("no vote file given: the shipped log is counts, without times or rows")
    if rejected:
        check_output(rejected, TABLES)
    battles = read_battles(
        list(votes), columns=columns, outcomes=outcomes, keep=keep, progress=progress
    )
    if rejected:
        _write_rejected(battles, rejected)
    tally = tally_votes(battles)
    if strict:
        tally.refuse_rejected()
    tally.refuse_empty()
    return battles, [reading.account() for reading in tally.readings]


def _account(accounts: list[str], quiet: bool) -> None:
    """Say what became of each input's rows; after the work, so that an error stands alone."""
    if not quiet:
        for account in accounts:
            note(account)


def _show_board(board: "Leaderboard", form: str, top: int | None) -> None:
    from arena import report

    most = top or None
    if form != "table":
        render = {
            "csv": report.render_csv,
            "json": report.render_json,
            "markdown": report.render_markdown,
        }
        emit(render[form](board, most))
        return
    shown = most if top is not None else TABLE_ROWS
    show(report.render_table(board, shown, unicode=speaks_unicode()))


def _check_tables(output: tuple[str, ...]) -> None:
    from arena.outputs import FRAMES, check_output

    for path in output:
        check_output(path, FRAMES)


def _give(
    frame: "pl.DataFrame",
    name: str,
    output: tuple[str, ...],
    form: str,
    title: str,
    summary: "pl.DataFrame",
    top: int | None,
) -> None:
    """Write a table to files, and show it, or its summary, in the form asked for."""
    from arena.outputs import write_frame
    from arena.tables import frame_json, frame_markdown, frame_table

    if top:
        summary = summary.head(top)
        names = "model" if "model" in frame.columns else frame.columns[0]
        frame = frame.filter(frame[names].is_in(summary[names].to_list()))
    for path in output:
        write_frame(frame, path, title)
    if form == "csv":
        emit(frame.write_csv())
    elif form == "json":
        emit(frame_json(frame, name))
    elif form == "markdown":
        emit(frame_markdown(summary, title))
    else:
        shown = summary if top is not None else summary.head(TABLE_ROWS)
        show(frame_table(shown, title, unicode=speaks_unicode()))


def _weighing(
    reweight: str | None, propensities: str | None
) -> "Callable[[PairCounts], PairCounts] | None":
    from arena.counts import read_propensities, reweight_pairs, reweight_propensity

    if reweight and propensities:
        raise OptionError("--reweight and --propensities: give one of them")
    if propensities:
        by_pair = read_propensities(propensities)
        return lambda counts: reweight_propensity(counts, by_pair)
    return reweight_pairs if reweight else None


def _write_rejected(battles: "Battles", path: str) -> None:
    from arena.outputs import write_frame

    write_frame(battles.rejected(), path)


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
