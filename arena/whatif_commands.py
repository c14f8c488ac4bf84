"""What-if, and its commands that need counts alone: inject, break-even, power, best-of-n."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from arena.errors import OptionError
from arena.exposure_commands import dose, estimate, influence, remove
from arena.filter_options import Filtering, filter_options
from arena.options import (
    Output,
    Points,
    Reading,
    level_option,
    output_options,
    pairs,
    pictured_options,
    reading_options,
    rounds_option,
    scale_options,
    seed_option,
    split_names,
    votes_argument,
)
from arena.rating_options import (
    Control,
    Fitting,
    Intervals,
    Weighing,
    fit_options,
    interval_options,
    weight_options,
)
from arena.steps import account_of, check_results, check_tables, give, rated, read_kept, scale_of
from arena.terminal import progress_bar
from arena.whatif_options import (
    SHARES,
    Selecting,
    Supposing,
    Suspecting,
    numbers,
    selecting_options,
    supposing_options,
    suspecting_options,
)

if TYPE_CHECKING:
    from arena.leaderboard import Leaderboard


@click.group()
def whatif() -> None:
    """What would a board be, had models seen more or fewer of the prompts?

    inject, break-even, power and best-of-n need no more than counts, and take the shipped
    Chatbot Arena log if no VOTES are named. remove, estimate and dose need battles and a match
    of their prompts, see `arena match`; influence needs battles only to go by judge or prompt.
    """


for command in (remove, estimate, dose, influence):
    whatif.add_command(command)


def of_a_board(command: Any) -> Any:
    """A command on a board: the options that make one, which reaches it as `make_board`."""

    @wraps(command)
    def with_board(
        votes: tuple[str, ...],
        reading: Reading,
        filtering: Filtering,
        fitting: Fitting,
        weighing: Weighing,
        intervals: Intervals,
        points: Points,
        output: Output,
        **asked: Any,
    ) -> Any:
        check_results(output)
        control = Control((), 0.0, "error")

        def make_board() -> "Leaderboard":
            return rated(
                votes, reading, filtering, fitting, weighing, control, intervals, points, output
            )

        return command(make_board=make_board, output=output, **asked)

    decorated: Any = with_board
    for options in (
        pictured_options(),
        scale_options,
        interval_options,
        weight_options,
        fit_options,
        filter_options,
        reading_options,
        votes_argument,
    ):
        decorated = options(decorated)
    return decorated


MakeBoard = Callable[[], "Leaderboard"]


@whatif.command()
@of_a_board
@supposing_options
@click.option(
    "--rank",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="K",
    help="Show the probability of rank K or better.",
)
def inject(make_board: MakeBoard, supposing: Supposing, rank: int, output: Output) -> None:
    """The board if a model had seen a share of its prompts and gained on them."""
    from arena.injection import inject as suppose
    from arena.scenario_report import injection_sheet

    shares = numbers("--share", supposing.share)
    uplifts = numbers("--uplift", supposing.uplift)
    board = make_board()
    told = suppose(board, supposing.model, shares, uplifts, top=rank)
    give(injection_sheet(told), output, board)


@whatif.command("break-even")
@of_a_board
@suspecting_options
def lead(make_board: MakeBoard, suspecting: Suspecting, output: Output) -> None:
    """How large a gain on seen prompts would explain a model's lead over a rival."""
    from arena.lead import break_even
    from arena.scenario_report import break_even_sheet

    shares = numbers("--share", suspecting.share)
    board = make_board()
    told = break_even(
        board,
        suspecting.model,
        suspecting.rival,
        shares,
        lead=suspecting.lead,
        indirect=suspecting.indirect,
    )
    give(break_even_sheet(told), output, board)


@whatif.command()
@of_a_board
@supposing_options
@click.option(
    "--power", "target", type=float, default=0.8, show_default=True, help="Probability wanted."
)
@click.option(
    "--design-effect",
    type=float,
    default=1.0,
    show_default=True,
    metavar="X",
    help="By how much dependence between votes multiplies the variance.",
)
def power(
    make_board: MakeBoard,
    supposing: Supposing,
    target: float,
    design_effect: float,
    output: Output,
) -> None:
    """How many votes it takes to notice a gain on seen prompts."""
    from arena.detection import detection_power
    from arena.scenario_report import power_sheet

    # A share of one leaves nothing to compare with, so it is no part of the default here.
    given = "5%,10%,30%" if supposing.share == SHARES else supposing.share
    shares, uplifts = numbers("--share", given), numbers("--uplift", supposing.uplift)
    board = make_board()
    told = detection_power(
        board,
        supposing.model,
        shares,
        uplifts,
        target=target,
        level=board.interval.level,
        design_effect=design_effect,
    )
    give(power_sheet(told), output, board)


@whatif.command("best-of-n")
@votes_argument
@reading_options
@filter_options
@selecting_options
@scale_options
@pictured_options()
def best(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    selecting: Selecting,
    points: Points,
    output: Output,
) -> None:
    """What is gained by trying n variants in private and publishing the best.

    By a formula; or with --like MODEL or --rating POINTS simulated on the board of VOTES, or of
    the shipped Chatbot Arena log.
    """
    from arena.board_selection import best_of_n_on_board
    from arena.bradley_terry import fit_bradley_terry
    from arena.selection import best_of_n
    from arena.selection_report import selection_sheet

    check_results(output)
    grid: dict[str, Any] = {
        "variants": [_whole("--variants", n) for n in numbers("--variants", selecting.variants)],
        "votes": numbers("--on-each", selecting.on_each),
        "sampling": numbers("--sampling", selecting.sampling),
        "true_spread": numbers("--spread", selecting.spread),
        "fresh": numbers("--fresh", selecting.fresh),
    }
    shown: dict[str, Any] = {
        "at_least": selecting.at_least,
        "level": selecting.level,
        "scale": scale_of(points),
    }
    if selecting.like is None and selecting.rating is None:
        if votes:
            raise OptionError("VOTES: need --like MODEL or --rating POINTS; the formula takes none")
        give(selection_sheet(best_of_n(**grid, tie_share=selecting.ties, **shown)), output)
        return
    with progress_bar(output.quiet) as progress:
        _, tally = read_kept(votes, reading, filtering, output, progress, needs_rows=False)
        told = best_of_n_on_board(
            fit_bradley_terry(tally.counts),
            **grid,
            like=selecting.like,
            rating=selecting.rating,
            opponents=selecting.opponents,
            tie_shares=selecting.tie_shares,
            top=selecting.rank,
            rounds=selecting.rounds,
            seed=selecting.seed,
            **shown,
        )
    account_of(tally, output)
    give(selection_sheet(told), output, tally)


@whatif.command()
@votes_argument
@reading_options
@filter_options
@click.option(
    "--model", multiple=True, required=True, metavar="MODELS", help="Who is no longer sampled."
)
@click.option(
    "--shift",
    multiple=True,
    required=True,
    callback=pairs,
    metavar="MODEL=POINTS,…",
    help="What models gain on the prompts that come after.",
)
@click.option(
    "--new-share",
    default="25%,50%,75%",
    show_default=True,
    metavar="LIST",
    help="Of the votes that come after.",
)
@rounds_option
@level_option
@seed_option
@scale_options
@output_options
def retire(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    model: tuple[str, ...],
    shift: dict[str, str],
    new_share: str,
    rounds: int,
    level: float,
    seed: int,
    points: Points,
    output: Output,
) -> None:
    """What it does to ratings to stop sampling models while prompts change.

    With no VOTES, of the shipped Chatbot Arena log.
    """
    from arena.bradley_terry import fit_bradley_terry
    from arena.retirement import retire_early
    from arena.selection_report import retirement_sheet

    check_tables(output.output)
    gained = {name: numbers("--shift", text)[0] for name, text in shift.items()}
    shares = numbers("--new-share", new_share)
    with progress_bar(output.quiet) as progress:
        _, tally = read_kept(votes, reading, filtering, output, progress, needs_rows=False)
        told = retire_early(
            fit_bradley_terry(tally.counts),
            split_names("--model", model),
            gained,
            shares,
            rounds=rounds,
            level=level,
            seed=seed,
            scale=scale_of(points),
        )
    account_of(tally, output)
    give(retirement_sheet(told), output, tally)


def _whole(option: str, value: float) -> int:
    """A number as a whole one."""
    if value != int(value):
        raise OptionError(f"{option}: {value:g} is no whole number")
    return int(value)
