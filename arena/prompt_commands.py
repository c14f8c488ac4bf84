"""The commands on prompts: match, prompts."""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arena.errors import OptionError
from arena.filter_options import Filtering, filter_options
from arena.giving import check_results, check_tables, give
from arena.options import (
    Output,
    Reading,
    output_options,
    pictured_options,
    reading_options,
    split_names,
    votes_argument,
)
from arena.prompt_options import Looking, Matching, looking_options, matching_options
from arena.steps import account_of, read_kept
from arena.terminal import emit, progress_bar

if TYPE_CHECKING:
    from arena.corpora import Corpus
    from arena.corpus_pass import GoThrough
    from arena.overlap_rules import OverlapRule


MATCH_PICTURES = ("classes", "scores")


@click.command()
@votes_argument
@reading_options
@filter_options
@matching_options
@pictured_options(*MATCH_PICTURES)
def match(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    matching: Matching,
    output: Output,
) -> None:
    """Which battles' prompts were also in training data.

    With -o FILE.parquet the match is written, for `--unseen FILE.parquet` of any command. With no
    VOTES, the prompts of the shipped synthetic sample, held against its own training corpus if
    no other is named.
    """
    from arena.matching import match_prompts
    from arena.outputs import write_sheet, write_whole
    from arena.prompt_report import borderline, match_sheet

    check_results(output, MATCH_PICTURES)
    if matching.show and output.form != "table":
        raise OptionError("--show: prints pairs of texts, which have no --format")
    corpora, trained = _corpora(matching, needed=bool(votes))
    with progress_bar(output.quiet, "matching") as progress:
        battles, tally = read_kept(votes, reading, filtering, output)
        _refuse_absent(split_names("--trained", matching.trained), tally.counts.models)
        found = match_prompts(
            battles,
            corpora,
            _rule(matching),
            trained=trained,
            text=matching.text,
            skip_bad_files=matching.skip_bad_files,
            go_through=_elsewhere(matching),
            progress=progress,
        )
    account_of(tally, output)
    kept = [path for path in output.output if Path(path).suffix.lower() == ".parquet"]
    for path in kept:
        write_whole(Path(path), found.write)
    tables = tuple(path for path in output.output if path not in kept)
    sheet = match_sheet(found, battles)
    if matching.show:
        for path in tables:
            write_sheet(sheet, path, output.top, plot=output.plot, dark=output.dark)
        emit("\n".join(borderline(found, matching.show)) + "\n")
        return
    give(sheet, replace(output, output=tables), tally)


@click.command()
@votes_argument
@reading_options
@filter_options
@looking_options
@output_options
def prompts(
    votes: tuple[str, ...],
    reading: Reading,
    filtering: Filtering,
    looking: Looking,
    output: Output,
) -> None:
    """How a log's prompts repeat, how fresh they are, what they are, and how that drifts.

    With no VOTES, those of the shipped synthetic sample.
    """
    from arena.prompt_report import survey_sheet
    from arena.prompt_survey import survey_prompts

    check_tables(output.output)
    with progress_bar(output.quiet) as progress:
        battles, tally = read_kept(votes, reading, filtering, output, progress)
        told = survey_prompts(battles, every=looking.every, jaccard=looking.jaccard)
    account_of(tally, output)
    give(survey_sheet(told, looking.part), output, tally)


def _corpora(matching: Matching, *, needed: bool) -> "tuple[list[Corpus], dict[str, list[str]]]":
    """The corpora named, or the shipped synthetic one; and the models trained on each."""
    from arena.corpora import open_corpus, parse_roles
    from arena.datasets import shipped_corpora
    from arena.model_facts import corpora_of

    roles = parse_roles(matching.roles)
    corpora = [open_corpus(path, roles=roles) for path in matching.corpus]
    names = [corpus.name for corpus in corpora]
    if len(set(names)) < len(names):  # two folders with files of one name
        corpora = [
            replace(one, name=path) for one, path in zip(corpora, matching.corpus, strict=True)
        ]
    models = split_names("--trained", matching.trained)
    if models and not corpora:
        raise OptionError("--trained: says who was trained on --corpus, of which there is none")
    trained = {corpus.name: models for corpus in corpora}
    if matching.corpora is not None:
        listed = corpora_of(matching.corpora)
        corpora += [corpus for corpus, _ in listed]
        trained |= {corpus.name: list(names) for corpus, names in listed}
    if not corpora and needed:
        raise OptionError("match: no corpus; name one with --corpus FILE")
    return (corpora, trained) if corpora else shipped_corpora()


def _refuse_absent(trained: Sequence[str], models: Sequence[str]) -> None:
    """Refuse models that nobody voted on: a name that is misspelt would find nothing."""
    for name in trained:
        if name not in models:
            close = difflib.get_close_matches(name, models, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise OptionError(f"--trained: no model '{name}' in these votes{hint}")


def _rule(matching: Matching) -> "OverlapRule":
    from arena.overlap_rules import overlap_rule

    asked = {
        name: value
        for name in ("n", "threshold", "jaccard", "cap")
        if (value := getattr(matching, name)) is not None
    }
    return replace(overlap_rule(matching.rule), **asked)


def _elsewhere(matching: Matching) -> "GoThrough | None":
    """Going through the files on a cluster, where one is named."""
    if matching.dask is None:
        return None
    from arena.distributed import on_dask

    return on_dask(matching.dask)
