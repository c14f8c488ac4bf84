"""The what-if commands on how boards are run: best-of-n, retire."""

from typing import Any

import click

from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options
from arena.giving import check_results, check_tables, give
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
from arena.practice_options import Trying, trying_options
from arena.steps import account_of, read_kept, scale_of
from arena.terminal import progress_bar
from arena.whatif_options import numbers


@click.command("best-of-n")
@votes_argument
@reading_options
@filter_options
@trying_options
@scale_options
@pictured_options()
def best_of_n(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    trying: Trying,
    points: Points,
    output: Output,
) -> None:
    """What is gained by trying n variants in private and publishing the best.

    By a formula; or with --like MODEL or --rating POINTS simulated on the board of VOTES, or of
    the shipped Chatbot Arena log.
    """
    from arena.board_variants import best_of_n_on_board
    from arena.bradley_terry import fit_bradley_terry
    from arena.practice_report import variant_sheet
    from arena.variants import best_of_n as best_by_formula

    check_results(output)
    grid: dict[str, Any] = {
        "variants": [_whole("--variants", n) for n in numbers("--variants", trying.variants)],
        "votes": numbers("--on-each", trying.on_each),
        "sampling": numbers("--sampling", trying.sampling),
        "true_spread": numbers("--spread", trying.spread),
        "fresh": numbers("--fresh", trying.fresh),
    }
    shown: dict[str, Any] = {
        "at_least": trying.at_least,
        "level": trying.level,
        "scale": scale_of(points),
    }
    if trying.like is None and trying.rating is None:
        if votes:
            raise OptionError("VOTES: need --like MODEL or --rating POINTS; the formula takes none")
        give(variant_sheet(best_by_formula(**grid, tie_share=trying.ties, **shown)), output)
        return
    with progress_bar(output.quiet) as progress:
        _, tally = read_kept(votes, reading, filtering, output, progress, needs_rows=False)
        told = best_of_n_on_board(
            fit_bradley_terry(tally.counts),
            **grid,
            like=trying.like,
            rating=trying.rating,
            opponents=trying.opponents,
            tie_shares=trying.tie_shares,
            top=trying.rank,
            rounds=trying.rounds,
            seed=trying.seed,
            **shown,
        )
    account_of(tally, output)
    give(variant_sheet(told), output, tally)


@click.command()
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
    from arena.practice_report import retirement_sheet
    from arena.retirement import retire_early

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
