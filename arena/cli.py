"""The command line: arguments, progress, exit codes. The only module that prints.

Tables go to standard output, all else to standard error, so that a pipe gets only data.
Everything heavy is imported inside the commands, so that `arena --help` answers at once.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from arena.errors import ArenaError, OptionError, UserError

if TYPE_CHECKING:
    from rich.console import Console

    from arena.counts import PairCounts
    from arena.leaderboard import Leaderboard
    from arena.sources import Progress

TABLE_ROWS = 30
PIPE_WIDTH = 160
PROGRESS_AFTER = 1.0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="arena-ratings", prog_name="arena")
def cli() -> None:
    """Ratings from pairwise votes on language models.

    Start with `arena rate`: without a file it rates the shipped Chatbot Arena log.
    """


def pairs(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Parse ``a=b,c=d``, given once or several times."""
    found: dict[str, str] = {}
    for part in (part for value in values for part in value.split(",")):
        name, equals, meaning = part.rpartition("=")
        if not (equals and name and meaning):
            raise OptionError(f"{option.opts[0]}: '{part}' is not of the form name=value")
        found[name.strip()] = meaning.strip()
    return found


def anchored(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, float] | None:
    """Parse ``MODEL=RATING``; the model's name may hold an equals sign."""
    if value is None:
        return None
    model, equals, rating = value.rpartition("=")
    try:
        return model, float(rating if equals and model else "")
    except ValueError:
        raise OptionError(f"--anchor: '{value}' is not of the form MODEL=RATING") from None


def options(*several: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several click options as one decorator, in the order given."""

    def decorate(command: Any) -> Any:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


reading_options = options(
    click.option(
        "--columns",
        multiple=True,
        callback=pairs,
        metavar="OURS=THEIRS,…",
        help="Which column is which, e.g. model_a=left,model_b=right,winner=choice.",
    ),
    click.option(
        "--outcomes",
        multiple=True,
        callback=pairs,
        metavar="THEIRS=OURS,…",
        help="What a vote means, e.g. left=model_a; ours are model_a, model_b, tie, both_bad.",
    ),
    click.option("--strict", is_flag=True, help="Fail if any row is no valid vote."),
    click.option(
        "--rejected", metavar="FILE", help="Write rejected rows, with reasons (csv, parquet)."
    ),
)
fit_options = options(
    click.option(
        "--ties",
        type=click.Choice(["half", "drop", "rao-kupper", "davidson"]),
        default="half",
        show_default=True,
        help="What a tie or both-bad vote is worth.",
    ),
    click.option(
        "--on-separation",
        type=click.Choice(["drop", "error", "prior"]),
        default="drop",
        show_default=True,
        help="When some models have no finite rating: leave them out, fail, or use a prior.",
    ),
    click.option(
        "--prior",
        type=float,
        default=1.0,
        show_default=True,
        metavar="BATTLES",
        help="With --on-separation prior: battles against an average model, half won.",
    ),
)
weight_options = options(
    click.option(
        "--reweight",
        type=click.Choice(["pairs"]),
        help="Weigh votes by 1 / max(votes of their pair, 50), against unequal sampling.",
    ),
    click.option(
        "--propensities",
        metavar="FILE",
        help="Weigh votes by 1 / propensity of their pair: model_a, model_b, propensity.",
    ),
)
interval_options = options(
    click.option(
        "--ci",
        default="sandwich",
        show_default=True,
        metavar="METHOD",
        help="How intervals are made: sandwich, fisher, none, bootstrap, bayesian; or over "
        "clusters of votes: cluster:COLUMN, bootstrap:COLUMN, bayesian:COLUMN, "
        "jackknife:COLUMN, with judge, session, prompt, day or any other column.",
    ),
    click.option("--level", type=float, default=0.95, show_default=True, help="Coverage."),
    click.option(
        "--interval-of",
        type=click.Choice(["centred", "anchor"]),
        default="centred",
        show_default=True,
        help="Intervals of the mean-centred rating, or of the difference from the anchor.",
    ),
    click.option("--rounds", type=int, default=1000, show_default=True, help="Resamples."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of what is simulated."),
)
scale_options = options(
    click.option(
        "--anchor",
        metavar="MODEL=RATING",
        callback=anchored,
        help="Hold this model at this rating.",
    ),
    click.option(
        "--scale", type=float, default=400.0, show_default=True, help="Points for BASE:1 odds."
    ),
    click.option("--base", type=float, default=10.0, show_default=True, help="See --scale."),
    click.option("--init", type=float, default=1000.0, show_default=True, help="Mean rating."),
)
output_options = options(
    click.option(
        "--top",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"Show only the best N; 0 for all. A table shows {TABLE_ROWS} by itself.",
    ),
    click.option(
        "-o",
        "--output",
        multiple=True,
        metavar="FILE",
        help="Write to a file, too: csv, parquet, json, md, png, svg, pdf. Repeatable.",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json", "markdown"]),
        default="table",
        show_default=True,
        help="What goes to standard output.",
    ),
    click.option(
        "--pairs",
        metavar="FILE",
        help="Write win rates by pair, observed and predicted, and who is above whom (csv, parquet).",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Nothing but the result and errors."),
)


@cli.command()
@click.argument("votes", nargs=-1, type=click.Path(), metavar="[VOTES]...")
@reading_options
@fit_options
@weight_options
@interval_options
@scale_options
@output_options
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
        _note("no vote file given: this is the shipped Chatbot Arena log to 2024-08-14")
    with _progress(quiet) as progress:
        if rejected:
            _write_rejected(source, columns, outcomes, rejected)
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
            progress=progress,
        )
    if not quiet:
        _account(board)
    for path in output:
        write_board(board, path, top or None)
    if pairs:
        write_frame(pairs_table(board), pairs)
    _show(board, form, top)


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
    out = _console(sys.stdout)
    out.print(table)
    out.print("\nIn Parquet, Arrow, CSV, TSV, JSON lines or one JSON array; .gz for text formats.")
    out.print("A vote may be spelled " + ", ".join(SPELLINGS) + ".")
    out.print(
        "Anything else: --columns model_a=left,model_b=right,winner=choice --outcomes l=model_a,…"
    )


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script, e.g. eval "$(arena completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise OptionError(f"no completion for '{shell}'")
    click.echo(kind(cli, {}, "arena", "_ARENA_COMPLETE").source())


# ── printing ───────────────────────────────────────────────────────────────────────────────


def _console(stream: Any) -> "Console":
    from rich.console import Console

    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _note(text: str) -> None:
    click.echo(f"arena: {text}", err=True)


def _account(board: "Leaderboard") -> None:
    """Say what became of each input's rows."""
    from arena.report import plain

    for one in board.manifest["inputs"]:
        _note(plain(one["account"]))


def _show(board: "Leaderboard", form: str, top: int | None) -> None:
    from arena import report

    most = top or None
    if form != "table":
        render = {
            "csv": report.render_csv,
            "json": report.render_json,
            "markdown": report.render_markdown,
        }
        click.echo(render[form](board, most), nl=False)
        return
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    shown = most if top is not None else TABLE_ROWS
    _console(sys.stdout).print(report.render_table(board, shown, unicode=unicode))


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


def _write_rejected(
    votes: object, columns: dict[str, str], outcomes: dict[str, str], path: str
) -> None:
    from arena.battles import read_battles
    from arena.datasets import shipped
    from arena.outputs import write_frame

    battles = read_battles(votes or shipped(), columns=columns, outcomes=outcomes)
    write_frame(battles.rejected(), path)


@contextmanager
def _progress(quiet: bool) -> Iterator["Progress | None"]:
    """A progress bar on a terminal, once the work has taken a second."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress as Bar

    bar = Bar(console=_console(sys.stderr), transient=True)
    task = bar.add_task("counting votes", total=None)
    timer = threading.Timer(PROGRESS_AFTER, bar.start)
    timer.start()

    def advance(name: str, done: int, total: int) -> None:
        bar.update(task, description=f"reading {name}", completed=done, total=total)

    try:
        yield advance
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with 0, 2 for a user's mistake, 1 for ours."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.exit(cli.main(arguments, prog_name="arena", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.ClickException as error:
        _note(f"{error.format_message()} See arena --help.")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _note("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # The reader has seen enough. Python would complain again while closing the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ArenaError as error:
        from arena.report import error_line

        click.echo(error_line(error), err=True)
        sys.exit(2 if isinstance(error, UserError) else 1)
