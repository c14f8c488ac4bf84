"""The command that writes a page: report."""

from typing import TYPE_CHECKING, Any

import click

from arena.comparison_options import Placebo, placebo_options
from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options, filters_of
from arena.options import (
    Output,
    Points,
    Reading,
    reading_options,
    scale_options,
    split_names,
    votes_argument,
)
from arena.steps import account_of, match_of_sample, scale_of, vote_files, write_rejected
from arena.terminal import note, progress_bar

if TYPE_CHECKING:
    from arena.battles import Battles


@click.command("report")
@votes_argument
@reading_options
@filter_options
@placebo_options
@scale_options
@click.option(
    "--match",
    "match_file",
    metavar="FILE",
    help="A match of these votes that arena match has written: what was seen, and the board "
    "without it.",
)
@click.option(
    "--categories",
    multiple=True,
    metavar="KEYS",
    help="LMArena categories to switch between: coding,hard_6,english,…",
)
@click.option("--counts", is_flag=True, help="Without VOTES: the shipped Chatbot Arena counts.")
@click.option(
    "-o", "--output", required=True, metavar="FILE.html", help="Where the page is written."
)
@click.option("-q", "--quiet", is_flag=True, help="Nothing but errors.")
def report_page(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    placebo: Placebo,
    points: Points,
    match_file: str | None,
    categories: tuple[str, ...],
    counts: bool,
    output: str,
    quiet: bool,
) -> None:
    """Write one self-contained HTML page: the board, seen prompts, what-if, and the method.

    It needs no network and no other file. With no VOTES, of the shipped synthetic sample, held
    against its own training corpus.
    """
    from arena.filters import select
    from arena.html_data import gather_page
    from arena.html_page import SUFFIXES, write_page
    from arena.outputs import TABLES, check_output
    from arena.prompt_match import read_match

    target = check_output(output, SUFFIXES)
    if reading.rejected:
        check_output(reading.rejected, TABLES)
    if counts and (votes or reading.sample):
        raise OptionError("--counts: reads the shipped counts, so name no other votes")
    keys = split_names("--categories", categories)
    filters, scale = filters_of(filtering), scale_of(points)
    match = None if match_file is None else read_match(match_file)
    told = Output(None, (output,), "table", quiet)
    with progress_bar(quiet) as progress:
        files = vote_files(votes, reading, told, needs_rows=not counts)
        write_rejected(files, reading)
        battles = select(_read(files, reading, progress), *filters).kept
        if match is None and not votes and not counts:
            match = match_of_sample(battles)
        data = gather_page(
            battles,
            match,
            keys,
            against=placebo.against,
            scale=scale,
            **placebo.arguments(),
        )
        if reading.strict:
            data.tally.refuse_rejected()
        write_page(data, target)
    account_of(data.tally, told)
    if not quiet:
        for reason in data.left_out:
            note(f"not on the page: {reason}")
        note(f"{output}: {target.stat().st_size / 1e6:.1f} MB")


def _read(files: list[Any], reading: Reading, progress: Any) -> "Battles":
    from arena.battles import read_battles

    return read_battles(
        files,
        columns=reading.columns,
        outcomes=reading.outcomes,
        anonymous_only=not reading.identified,
        progress=progress,
    )
