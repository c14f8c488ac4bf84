"""The options of the command line, and how their texts are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any

import click

from arena.errors import OptionError

TABLE_ROWS = 30


def pairs(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Parse ``a=b,c=d``, given once or several times."""
    found: dict[str, str] = {}
    for part in (part for value in values for part in value.split(",")):
        name, equals, meaning = part.rpartition("=")
        if not (equals and name and meaning):
            raise OptionError(f"{option.opts[0]}: '{part}' is not of the form name=value")
        found[name.strip()] = meaning.strip()
    return found


def split_names(option: str, values: Sequence[str]) -> list[str]:
    """The names in ``a,b``, given once or several times."""
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise OptionError(f"{option}: '{','.join(values)}' names an empty one")
    return list(dict.fromkeys(names))


def anchored(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, float] | None:
    """Parse ``MODEL=RATING``; the model's name may hold an equals sign."""
    if value is None:
        return None
    model, equals, rating = value.rpartition("=")
    try:
        return model, float(rating if equals and model else "")
    except ValueError:
        raise OptionError(f"--anchor: '{value}' is not of the form MODEL=RATING") from None


def gathered(kind: type, *several: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several click options that reach the command as one argument, named after their kind.

    The kind is a dataclass whose fields are the options' names, or have a default.
    """
    argument, names = kind.__name__.lower(), [field.name for field in fields(kind)]

    def decorate(command: Any) -> Any:
        @wraps(command)
        def with_one_argument(**given: Any) -> Any:
            one = kind(**{name: given.pop(name) for name in names if name in given})
            return command(**given, **{argument: one})

        decorated: Any = with_one_argument
        for option in reversed(several):
            decorated = option(decorated)
        return decorated

    return decorate


@dataclass(frozen=True, slots=True)
class Reading:
    """How vote logs are read."""

    columns: dict[str, str]
    outcomes: dict[str, str]
    strict: bool
    rejected: str | None
    identified: bool
    sample: bool


@dataclass(frozen=True, slots=True)
class Points:
    """The rating scale."""

    anchor: tuple[str, float] | None
    scale: float
    base: float
    init: float


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go, and what picture of them."""

    top: int | None
    output: tuple[str, ...]
    form: str
    quiet: bool
    plot: str | None = None
    dark: bool = False


reading_options = gathered(
    Reading,
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
    click.option(
        "--identified", is_flag=True, help="Count battles fought under the models' names, too."
    ),
    click.option("--sample", is_flag=True, help="Read the shipped log: synthetic, 50,000 votes."),
)
ties_option = click.option(
    "--ties",
    type=click.Choice(["half", "drop", "rao-kupper", "davidson"]),
    default="half",
    show_default=True,
    help="What a tie or both-bad vote is worth.",
)
level_option = click.option(
    "--level", type=float, default=0.95, show_default=True, help="Coverage."
)
rounds_option = click.option(
    "--rounds", type=int, default=1000, show_default=True, help="Resamples."
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of what is simulated.",
)
scale_options = gathered(
    Points,
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


def _output_file(suffixes: str) -> Callable[[Any], Any]:
    return click.option(
        "-o",
        "--output",
        multiple=True,
        metavar="FILE",
        help=f"Write to a file, too: {suffixes}. Repeatable.",
    )


_top_option = click.option(
    "--top",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show only the best N; 0 for all. A table shows {TABLE_ROWS} by itself.",
)
_form_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "spreadsheet", "json", "markdown"]),
    default="table",
    show_default=True,
    help="What goes to standard output; spreadsheet is csv in which no text is a formula.",
)
_quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Nothing but the result and errors."
)
output_options = gathered(
    Output, _top_option, _output_file("csv, parquet, json, md"), _form_option, _quiet_option
)


def pictured_options(*kinds: str) -> Callable[[Any], Any]:
    """The output options of a command whose result can be drawn.

    Args:
        kinds: of pictures, the usual one first, where there are several.
    """
    dark = click.option("--dark", is_flag=True, help="Draw on dark paper.")
    plot = click.option(
        "--plot",
        type=click.Choice(kinds),
        help=f"What -o FILE.svg, png or pdf draws; {next(iter(kinds), '')} by itself.",
    )
    files = _output_file("csv, parquet, json, md, png, svg, pdf")
    several = (_top_option, files, *([plot] if kinds else []), dark)
    return gathered(Output, *several, _form_option, _quiet_option)


votes_argument = click.argument("votes", nargs=-1, type=click.Path(), metavar="[VOTES]...")
