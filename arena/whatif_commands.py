"""What-if, and its commands that suppose a gain: inject, break-even, power."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from arena.exposure_commands import dose, estimate, influence, remove
from arena.filter_options import Filtering, filter_options
from arena.giving import check_results, give
from arena.options import (
    Output,
    Points,
    Reading,
    pictured_options,
    reading_options,
    scale_options,
    votes_argument,
)
from arena.practice_commands import best_of_n, retire
from arena.rating_options import (
    Control,
    Fitting,
    Intervals,
    Weighing,
    fit_options,
    interval_options,
    weight_options,
)
from arena.steps import rated
from arena.whatif_options import (
    Supposing,
    Suspecting,
    noticing_options,
    numbers,
    supposing_options,
    suspecting_options,
)

if TYPE_CHECKING:
    from arena.leaderboard import Leaderboard


@click.group()
def whatif() -> None:
    """What would a board be, had models seen more or fewer of the prompts?

    inject, break-even, power, best-of-n and retire need no more than counts, and take the shipped
    Chatbot Arena log if no VOTES are named. remove, estimate and dose need battles and a match
    of their prompts, see `arena match`; influence needs battles only to go by judge or prompt.
    """


for command in (remove, estimate, dose, influence, best_of_n, retire):
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
@noticing_options
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

    shares = numbers("--share", supposing.share)
    uplifts = numbers("--uplift", supposing.uplift)
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
