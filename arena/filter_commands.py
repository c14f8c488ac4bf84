"""The commands on which votes count: compare, judges."""

from typing import TYPE_CHECKING

import click

from arena.comparison_options import Judging, Placebo, judge_options, placebo_options
from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options, filters_of
from arena.giving import check_results, check_tables, give
from arena.options import (
    Output,
    Points,
    Reading,
    output_options,
    pictured_options,
    reading_options,
    scale_options,
    votes_argument,
)
from arena.steps import account_of, read_kept, read_log, scale_of
from arena.terminal import progress_bar

if TYPE_CHECKING:
    from arena.battles import Battles
    from arena.tables import Sheet


COMPARISON_PICTURES = ("placebo", "ranks")


@click.command()
@votes_argument
@reading_options
@filter_options
@placebo_options
@scale_options
@pictured_options(*COMPARISON_PICTURES)
def compare(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    placebo: Placebo,
    points: Points,
    output: Output,
) -> None:
    """Hold the board of the votes that filters keep against that of all votes.

    Every change stands beside its interval, and beside what leaving out as many votes at random
    would do. With no VOTES, of the shipped synthetic sample.
    """
    from arena.comparison import compare as compare_boards
    from arena.comparison_report import comparison_sheet

    check_results(output, COMPARISON_PICTURES)
    filters = filters_of(filtering)
    if not filters:
        raise OptionError("compare: no filter, so nothing to compare; e.g. --multi-turn")
    scale = scale_of(points)
    with progress_bar(output.quiet) as progress:
        told = compare_boards(
            read_log(votes, reading, output, progress),
            *filters,
            against=placebo.against,
            scale=scale,
            **placebo.arguments(),
        )
    if reading.strict:
        told.tally.refuse_rejected()
    account_of(told.tally, output)
    give(comparison_sheet(told), output, told.tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@judge_options
@scale_options
@output_options
def judges(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    judging: Judging,
    points: Points,
    output: Output,
) -> None:
    """Which judges vote unlike the others, with the evidence; or what each does to the board.

    With no VOTES, of the shipped synthetic sample. `--drop-anomalous`, in any command, leaves
    the votes of judges that are flagged out.
    """
    from arena.bradley_terry import fit_bradley_terry
    from arena.clusters import count_clusters
    from arena.influence import judge_influence
    from arena.judge_report import influence_sheet

    check_tables(output.output)
    scale = scale_of(points)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
        if judging.influence is None:
            sheet = _evidence(battles, judging)
        else:
            clusters = count_clusters(battles, judging.influence)
            fit = fit_bradley_terry(clusters.counts)
            sheet = influence_sheet(judge_influence(fit, clusters, scale))
    account_of(tally, output)
    give(sheet, output, tally)


def _evidence(battles: "Battles", judging: Judging) -> "Sheet":
    from arena.anomalous_judges import judge_evidence
    from arena.judge_report import evidence_sheet

    told = judge_evidence(
        battles,
        alpha=judging.alpha,
        rule=judging.rule,
        tails=judging.tails,
        seed=judging.seed,
        at_least=judging.at_least,
    )
    return evidence_sheet(told)
