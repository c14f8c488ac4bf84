"""The command line: its commands, and the exit codes.

Everything heavy is imported inside the commands, so that `arena --help` answers at once.
"""

import sys

import click

from arena.display import error_line
from arena.errors import ArenaError, OptionError, UserError
from arena.filter_commands import compare, judges
from arena.prompt_commands import match, prompts
from arena.rating_commands import elo, evaluate, history, rate
from arena.report_commands import report_page
from arena.simulate_commands import simulate
from arena.terminal import emit, note, show
from arena.whatif_commands import whatif


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="arena-ratings", prog_name="arena")
def cli() -> None:
    """Ratings from pairwise votes on language models.

    Start with `arena rate`: without a file it rates the shipped Chatbot Arena log.
    """


COMMANDS = (
    rate,
    compare,
    history,
    elo,
    evaluate,
    judges,
    match,
    prompts,
    whatif,
    report_page,
    simulate,
)

for command in COMMANDS:
    cli.add_command(command)


@cli.command()
def formats() -> None:
    """List the vote-log formats that arena reads, and how it tells them apart."""
    from rich.table import Table

    from arena.formats import FORMATS
    from arena.schema import SPELLINGS

    table = Table(
        "format", "published as", "told by its columns", "notes", pad_edge=False, box=None
    )
    for each in FORMATS:
        table.add_row(each.name, each.published_as, ", ".join(each.tell_tale), each.notes)
    show(table)
    for line in (
        "",
        "In Parquet, Arrow, CSV, TSV, JSON lines or one JSON array; .gz for text formats.",
        "A vote may be spelled " + ", ".join(SPELLINGS) + ".",
        "Anything else: --columns model_a=left,model_b=right,winner=choice --outcomes l=model_a,…",
    ):
        emit(line + "\n")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script, e.g. eval "$(arena completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise OptionError(f"no completion for '{shell}'")
    emit(kind(cli, {}, "arena", "_ARENA_COMPLETE").source() + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with 0, 2 for a user's mistake, 1 for ours."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.exit(cli.main(arguments, prog_name="arena", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        emit(error.format_message() + "\n")
        sys.exit(0)
    except click.ClickException as error:
        note(f"{error.format_message()} See arena --help.")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        sys.exit(130)
    except ArenaError as error:
        note(error_line(error))
        sys.exit(2 if isinstance(error, UserError) else 1)
