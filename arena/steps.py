"""What the commands share: reading the votes, and saying what became of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from arena.errors import OptionError
from arena.filter_options import Filtering, filters_of
from arena.options import Output, Points, Reading
from arena.rating_options import Control, Fitting, Intervals, Weighing
from arena.terminal import note, progress_bar

if TYPE_CHECKING:
    import polars as pl

    from arena.battles import Battles
    from arena.counts import PairCounts
    from arena.json_arrays import Progress
    from arena.leaderboard import Leaderboard, Scale
    from arena.prompt_match import Match
    from arena.tally import Tally
    from arena.uncertainty import Interval


def read_log(
    votes: tuple[str, ...],
    reading: Reading,
    output: Output,
    progress: "Progress | None" = None,
    keep: Sequence[str] = (),
    *,
    needs_rows: bool = True,
) -> "Battles":
    """The votes named, or shipped ones; rejected rows go to their file."""
    from arena.battles import read_battles
    from arena.outputs import TABLES, check_output

    if reading.rejected:
        check_output(reading.rejected, TABLES)
    files = vote_files(votes, reading, output, needs_rows=needs_rows)
    if reading.rejected:
        write_rejected(files, reading)
    return read_battles(
        files,
        columns=reading.columns,
        outcomes=reading.outcomes,
        keep=keep,
        anonymous_only=not reading.identified,
        progress=progress,
    )


def vote_files(
    votes: tuple[str, ...], reading: Reading, output: Output, *, needs_rows: bool = True
) -> list[Any]:
    """The files to read, and where none are named, a shipped log."""
    from arena.datasets import CHATBOT_ARENA, SYNTHETIC_SAMPLE, shipped

    if votes and reading.sample:
        raise OptionError("--sample: reads the shipped log, so name no other")
    if votes:
        return list(votes)
    if reading.sample or needs_rows:
        said, name = "these are no real votes, but the shipped synthetic sample", SYNTHETIC_SAMPLE
    else:
        said, name = "this is the shipped Chatbot Arena log to 2024-08-14", CHATBOT_ARENA
    if not output.quiet:
        note(said if reading.sample else f"no vote file given: {said}")
    return [shipped(name)]


def write_rejected(files: list[Any], reading: Reading) -> None:
    """Write the rejected rows, with their reasons, to the file asked for."""
    from arena.battles import read_battles
    from arena.outputs import write_frame

    if reading.rejected:
        battles = read_battles(files, columns=reading.columns, outcomes=reading.outcomes)
        write_frame(battles.rejected(), reading.rejected)


def read_kept(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    output: Output,
    progress: "Progress | None" = None,
    keep: Sequence[str] = (),
    *,
    needs_rows: bool = True,
) -> "tuple[Battles, Tally]":
    """Read the votes that the filters keep, and count them."""
    from arena.filters import refuse_nothing_left, select
    from arena.tally import tally_votes

    log = read_log(votes, reading, output, progress, keep, needs_rows=needs_rows)
    battles = select(log, *filters_of(filtering)).kept
    tally = tally_votes(battles)
    if reading.strict:
        tally.refuse_rejected()
    refuse_nothing_left(battles, tally)
    return battles, tally


def match_of_sample(battles: "Battles") -> "Match":
    """The shipped synthetic sample's prompts, held against its training corpus."""
    from arena.datasets import shipped_corpora
    from arena.matching import match_prompts

    corpora, trained = shipped_corpora()
    return match_prompts(battles, corpora, trained=trained)


def rated(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    fitting: Fitting,
    weighing: Weighing,
    control: Control,
    intervals: Intervals,
    points: Points,
    output: Output,
    dask: str | None = None,
) -> "Leaderboard":
    """The board of the votes named, or of the shipped Chatbot Arena log."""
    from arena.control import covariate_names
    from arena.outputs import TABLES, check_output
    from arena.pipeline import rate

    if reading.rejected:
        check_output(reading.rejected, TABLES)
    reweight = reweighting(weighing)
    scale, interval = scale_of(points), interval_of(intervals)
    source = vote_files(votes, reading, output, needs_rows=False)
    with progress_bar(output.quiet) as progress:
        if reading.rejected:
            write_rejected(source, reading)
        board = rate(
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
            dask=dask,
        )
    accounts = [one["account"] for one in board.manifest["inputs"]]
    account(accounts, board.manifest["filters"], output)
    return board


def account(accounts: Sequence[str], funnel: Sequence[Mapping[str, Any]], output: Output) -> None:
    """Say what became of each input's rows; after the work, so that an error stands alone."""
    if output.quiet:
        return
    for line in accounts:
        note(line)
    for row in funnel:
        unknown = f", {row['unknown']:,} of them because they do not tell" if row["unknown"] else ""
        note(
            f"{row['condition']}: drops {row['dropped']:,} of {row['before']:,} votes{unknown}; "
            f"{row['after']:,} left"
        )


def account_of(tally: "Tally", output: Output) -> None:
    """The same of a tally."""
    accounts = [reading.account() for reading in tally.readings]
    account(accounts, tally.funnel.to_dicts(), output)


def facts_about(path: str) -> "pl.DataFrame":
    """What a models file says of the models; ``shipped`` is the one that comes with arena."""
    from arena.datasets import MODELS, shipped
    from arena.model_facts import read_facts

    return read_facts(shipped(MODELS) if path == "shipped" else path).frame()


def scale_of(points: Points) -> "Scale":
    """The rating scale asked for."""
    from arena.leaderboard import Scale

    return Scale(points.scale, points.base, points.init, points.anchor)


def interval_of(intervals: Intervals) -> "Interval":
    """How intervals are asked for."""
    from arena.uncertainty import Interval, parse_method

    return Interval(
        *parse_method(intervals.ci),
        intervals.level,
        intervals.interval_of,
        intervals.rounds,
        intervals.seed,
    )


def reweighting(weighing: Weighing) -> "Callable[[PairCounts], PairCounts] | None":
    """What is to be done with the counts before the fit."""
    from arena.counts import read_propensities, reweight_pairs, reweight_propensity

    if weighing.reweight and weighing.propensities:
        raise OptionError("--reweight and --propensities: give one of them")
    if weighing.propensities:
        by_pair = read_propensities(weighing.propensities)

        def by_propensity(counts: "PairCounts") -> "PairCounts":
            return reweight_propensity(counts, by_pair)

        return by_propensity
    return reweight_pairs if weighing.reweight else None
