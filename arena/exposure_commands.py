"""The what-if commands that need battles: remove, estimate, dose, influence."""

from typing import TYPE_CHECKING

import click

from arena.comparison_options import Placebo, placebo_options
from arena.errors import OptionError
from arena.exposure_options import (
    Dosing,
    Estimating,
    Removing,
    Seeing,
    dosing_options,
    estimating_options,
    match_options,
    removing_options,
    seeing_options,
)
from arena.filter_options import Filtering, filter_options, filters_of
from arena.giving import check_results, give
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
from arena.rating_options import Fitting, fit_options
from arena.steps import account_of, match_of_sample, read_kept, read_log, scale_of
from arena.terminal import progress_bar
from arena.whatif_options import numbers

if TYPE_CHECKING:
    from arena.battles import Battles
    from arena.prompt_match import Match


@click.command()
@votes_argument
@reading_options
@filter_options
@seeing_options
@placebo_options
@scale_options
@pictured_options("placebo", "ranks")
def remove(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    seeing: Seeing,
    placebo: Placebo,
    points: Points,
    output: Output,
) -> None:
    """The board without battles on seen prompts, beside the board of all.

    Every change stands beside its placebo: what leaving out as many battles at random would do.
    With no VOTES, of the shipped synthetic sample.
    """
    from arena.comparison_report import comparison_sheet
    from arena.exposure import SEEN
    from arena.filters import select
    from arena.removal import remove_seen

    check_results(output, ("placebo", "ranks"))
    if placebo.against != "all":
        raise OptionError(
            f"--against: '{placebo.against}' is for arena compare --unseen MATCH; remove holds "
            "the board against all"
        )
    with progress_bar(output.quiet) as progress:
        log = read_log(votes, reading, output, progress, [SEEN])
        battles = select(log, *filters_of(filtering)).kept
        told = remove_seen(
            battles,
            _match(seeing, battles, shipped=not votes),
            scope=seeing.scope,
            short=filtering.short,
            scale=scale_of(points),
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
@match_options
@estimating_options
@scale_options
@pictured_options()
def estimate(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    seeing: Seeing,
    estimating: Estimating,
    points: Points,
    output: Output,
) -> None:
    """What models gain on prompts that they had seen, beside a negative control.

    With no VOTES, of the shipped synthetic sample.
    """
    from arena.exposure import SEEN, expose
    from arena.uplift import estimate_uplift
    from arena.uplift_report import clean_board_sheet, uplift_sheet

    check_results(output, drawn=not estimating.board)
    controls = split_names("--control", estimating.control)
    pseudo = split_names("--pseudo-exposed", estimating.pseudo_exposed)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress, [SEEN, *controls])
        match = _match(seeing, battles, shipped=not votes)
        told = estimate_uplift(
            battles if match is None else expose(battles, match, filtering.short),
            per_model=estimating.per_model,
            controls=controls,
            pseudo_exposed=pseudo or None,
            cluster=None if estimating.cluster == "none" else estimating.cluster,
            missing=estimating.missing,
            scale=scale_of(points),
            level=estimating.level,
            seed=estimating.seed,
        )
    account_of(tally, output)
    sheet = clean_board_sheet(told) if estimating.board else uplift_sheet(told)
    give(sheet, output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@seeing_options
@dosing_options
@scale_options
@pictured_options()
def dose(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    seeing: Seeing,
    dosing: Dosing,
    points: Points,
    output: Output,
) -> None:
    """Ratings and ranks as a growing share of the seen prompts is left in.

    With no VOTES, of the shipped synthetic sample.
    """
    from arena.dosing import dose as let_in
    from arena.exposure import SEEN
    from arena.removal_report import dose_sheet

    check_results(output)
    shares = numbers("--share", dosing.share)
    models = split_names("--model", dosing.model)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress, [SEEN])
        told = let_in(
            battles,
            _match(seeing, battles, shipped=not votes),
            scope=seeing.scope,
            by=dosing.by,
            shares=shares,
            orders=dosing.orders,
            models=models or None,
            level=dosing.level,
            seed=dosing.seed,
            ties=dosing.ties,
            scale=scale_of(points),
        )
    account_of(tally, output)
    give(dose_sheet(told), output, tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@fit_options
@removing_options
@scale_options
@pictured_options()
def influence(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    fitting: Fitting,
    removing: Removing,
    points: Points,
    output: Output,
) -> None:
    """The fewest votes, judges or prompts without which the order is another.

    With no VOTES, of the shipped Chatbot Arena log; with --of judge and the like, of the shipped
    synthetic sample.
    """
    from arena.bradley_terry import fit_bradley_terry
    from arena.clusters import count_clusters
    from arena.removal_report import fewest_votes_sheet, random_removal_sheet
    from arena.vote_influence import fewest_votes

    check_results(output)
    if (removing.model is None) != (removing.rival is None):
        raise OptionError("--model and --rival: go together, the one to stand above the other")
    single = removing.of == "vote"
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(
            votes, reading, filtering, output, progress, needs_rows=not single
        )
        clusters = None if single else count_clusters(battles, removing.of)
        fit = fit_bradley_terry(
            tally.counts,
            ties=fitting.ties,
            on_separation=fitting.on_separation,
            prior=fitting.prior,
        )
        told = fewest_votes(
            fit,
            clusters,
            place=removing.place,
            above=(removing.model, removing.rival) if removing.model and removing.rival else None,
            most=removing.most,
            draws=removing.draws,
            level=removing.level,
            seed=removing.seed,
            scale=scale_of(points),
        )
    account_of(tally, output)
    sheet = random_removal_sheet(told) if removing.at_random else fewest_votes_sheet(told)
    give(sheet, output, tally)


def _match(seeing: Seeing, battles: "Battles", *, shipped: bool) -> "Match | None":
    """The match named, or that of the shipped sample; None where the log says it by itself."""
    from arena.exposure import SIDES
    from arena.prompt_match import read_match

    if seeing.match is not None:
        return read_match(seeing.match)
    if set(SIDES) <= set(battles.columns):
        return None
    if shipped:
        return match_of_sample(battles)
    message = (
        "whose training data had which prompt is not known: name a match with --match FILE, made "
        "by arena match VOTES --corpus FILE --trained MODELS -o FILE.parquet; or give the votes "
        "columns seen_a and seen_b"
    )
    raise OptionError(message)
