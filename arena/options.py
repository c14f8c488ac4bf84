"""The options of the command line, and how their texts are read."""

from collections.abc import Callable
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

    The kind is a dataclass whose fields are the options' names.
    """
    argument, names = kind.__name__.lower(), [field.name for field in fields(kind)]

    def decorate(command: Any) -> Any:
        @wraps(command)
        def with_one_argument(**given: Any) -> Any:
            one = kind(**{name: given.pop(name) for name in names})
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


@dataclass(frozen=True, slots=True)
class Fitting:
    """How strengths are fitted."""

    ties: str
    on_separation: Any
    prior: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """What votes weigh."""

    reweight: str | None
    propensities: str | None


@dataclass(frozen=True, slots=True)
class Control:
    """What is held equal."""

    control: tuple[str, ...]
    ridge: float
    missing: Any


@dataclass(frozen=True, slots=True)
class Intervals:
    """How sure ratings are said to be."""

    ci: str
    level: float
    interval_of: Any
    rounds: int
    seed: int


@dataclass(frozen=True, slots=True)
class Points:
    """The rating scale."""

    anchor: tuple[str, float] | None
    scale: float
    base: float
    init: float


@dataclass(frozen=True, slots=True)
class Periods:
    """How time is cut."""

    every: str
    window: int | None
    level: float


@dataclass(frozen=True, slots=True)
class Play:
    """How online Elo is played."""

    k: str
    order: str
    orders: int
    bootstrap: bool
    seed: int
    scale: float
    base: float
    init: float


@dataclass(frozen=True, slots=True)
class Holding:
    """Which votes are held out, and what else predicts them."""

    split: Any
    share: float
    seed: int
    control: tuple[str, ...]
    k: float
    calibration: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go."""

    top: int | None
    output: tuple[str, ...]
    form: str
    quiet: bool


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
)
fit_options = gathered(
    Fitting,
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
weight_options = gathered(
    Weighing,
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
control_options = gathered(
    Control,
    click.option(
        "--control",
        multiple=True,
        metavar="NAMES",
        help="Hold covariates equal: style (LMArena's style control), side, or numeric columns.",
    ),
    click.option(
        "--ridge", type=float, default=0.0, show_default=True, help="Penalty on their coefficients."
    ),
    click.option(
        "--missing",
        type=click.Choice(["error", "drop"]),
        default="error",
        show_default=True,
        help="Votes that lack a covariate: fail, or leave them out.",
    ),
)
interval_options = gathered(
    Intervals,
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
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Of what is simulated.",
    ),
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
history_options = gathered(
    Periods,
    click.option(
        "--every",
        default="month",
        show_default=True,
        metavar="PERIOD",
        help="day, week, month, quarter, year, or a length such as 2w or 3mo.",
    ),
    click.option(
        "--window",
        type=click.IntRange(min=1),
        metavar="N",
        help="Votes of the last N periods only; without it, all votes until then.",
    ),
    click.option("--level", type=float, default=0.95, show_default=True, help="Coverage."),
)
elo_options = gathered(
    Play,
    click.option(
        "--k",
        default="4",
        show_default=True,
        metavar="K",
        help="K, or a schedule: 32:30,16 is 32 for a model's first 30 battles, then 16.",
    ),
    click.option(
        "--order",
        default="time",
        show_default=True,
        help="time, as-is, or shuffle:SEED.",
    ),
    click.option(
        "--orders",
        type=click.IntRange(min=2),
        default=100,
        show_default=True,
        help="How many orders.",
    ),
    click.option("--bootstrap", is_flag=True, help="Resample the battles as well."),
    click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the orders."
    ),
    click.option(
        "--scale", type=float, default=400.0, show_default=True, help="Points for BASE:1 odds."
    ),
    click.option("--base", type=float, default=10.0, show_default=True, help="See --scale."),
    click.option("--init", type=float, default=1000.0, show_default=True, help="First rating."),
)
evaluate_options = gathered(
    Holding,
    click.option(
        "--split",
        type=click.Choice(["time", "random"]),
        default="time",
        show_default=True,
        help="Hold out the last votes, or random ones.",
    ),
    click.option(
        "--share", type=float, default=0.2, show_default=True, help="Of votes to hold out."
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Of a random split.",
    ),
    click.option(
        "--control", multiple=True, metavar="NAMES", help="Also with covariates, as in arena rate."
    ),
    click.option("--k", type=float, default=4.0, show_default=True, help="Of Elo."),
    click.option(
        "--calibration", metavar="FILE", help="Write predicted against observed points, by tenths."
    ),
)
output_options = gathered(
    Output,
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
    click.option("-q", "--quiet", is_flag=True, help="Nothing but the result and errors."),
)
pairs_option = click.option(
    "--pairs",
    metavar="FILE",
    help="Write win rates by pair, observed and predicted, and who is above whom (csv, parquet).",
)
votes_argument = click.argument("votes", nargs=-1, type=click.Path(), metavar="[VOTES]...")
