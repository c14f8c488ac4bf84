"""The command that makes votes: simulate."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arena.errors import OptionError
from arena.options import seed_option
from arena.terminal import note

if TYPE_CHECKING:
    from arena.world import World


@click.command()
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where the votes go: parquet or csv; call it synthetic, so that nobody mistakes it.",
)
@click.option("--votes", type=click.IntRange(min=1), default=50_000, show_default=True)
@click.option(
    "--world",
    metavar="FILE",
    help="What is true, as TOML: strengths, ties, turns, judges, prompts, style, corpora.",
)
@click.option(
    "--top",
    type=click.IntRange(min=2),
    default=20,
    show_default=True,
    metavar="N",
    help="Without strengths in the world: the best N models of the shipped board.",
)
@click.option("--no-texts", is_flag=True, help="No prompts and no corpora; much faster.")
@click.option(
    "--schema",
    type=click.Choice(["arena", "100k"]),
    default="arena",
    show_default=True,
    help="Our own columns, or those of arena-human-preference-100k.",
)
@click.option("--truth", metavar="FILE", help="Write what is true, as JSON.")
@click.option(
    "--corpora", metavar="FOLDER", help="Write each training corpus to FOLDER/NAME.parquet."
)
@seed_option
@click.option("-q", "--quiet", is_flag=True, help="Nothing but errors.")
def simulate(
    output: str,
    votes: int,
    world: str | None,
    top: int,
    no_texts: bool,
    schema: str,
    truth: str | None,
    corpora: str | None,
    seed: int,
    quiet: bool,
) -> None:
    """Draw votes from an arena whose truth is known.

    The same world, number and seed give the same votes. Nobody cast them: every battle's id
    begins with 'synthetic'.
    """
    from arena.outputs import TABLES, check_output, write_frame, write_whole
    from arena.published_100k import to_100k
    from arena.simulation import simulate as draw

    target = check_output(output, (".parquet",) if schema == "100k" else TABLES)
    if truth is not None:
        check_output(truth, (".json",))
    if corpora is not None and not Path(corpora).is_dir():
        raise OptionError(f"--corpora: there is no folder '{corpora}'")
    if no_texts and (corpora is not None or schema == "100k"):
        raise OptionError("--no-texts: leaves nothing for --corpora, or for --schema 100k")
    drawn = draw(_world(world, top), votes, seed, texts=not no_texts)
    write_frame(to_100k(drawn.votes) if schema == "100k" else drawn.votes, target)
    if truth is not None:
        text = json.dumps(dict(drawn.truth), indent=1, ensure_ascii=False) + "\n"
        write_whole(Path(truth), lambda file: file.write_text(text, encoding="utf-8"))
    if corpora is not None:
        for name, corpus in drawn.corpora.items():
            write_frame(corpus, Path(corpora) / f"{name}.parquet")
    if not quiet:
        note(f"{output}: {votes:,} synthetic votes, which nobody cast")


def _world(path: str | None, top: int) -> "World":
    """The world of a file; its strengths those of the shipped board where it gives none."""
    from arena.pipeline import rate
    from arena.uncertainty import Interval
    from arena.world import World, strengths_of
    from arena.world_file import read_world

    board = rate(interval=Interval("none")).frame.head(top)
    strengths = {model: round(points, 1) for model, points in strengths_of(board).items()}
    return World(strengths) if path is None else read_world(path, strengths)
