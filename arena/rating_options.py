"""The options of the commands that rate."""

from dataclasses import dataclass
from typing import Any

import click

from arena.options import gathered, level_option, rounds_option, seed_option, ties_option


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


fit_options = gathered(
    Fitting,
    ties_option,
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
    level_option,
    click.option(
        "--interval-of",
        type=click.Choice(["centred", "anchor"]),
        default="centred",
        show_default=True,
        help="Intervals of the mean-centred rating, or of the difference from the anchor.",
    ),
    rounds_option,
    seed_option,
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
    level_option,
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
models_option = click.option(
    "--models",
    metavar="FILE",
    help="Show who made the models, and what they trained on, from a TOML file such as "
    "data/models.toml; shipped for the one that comes with arena.",
)
pairs_option = click.option(
    "--pairs",
    metavar="FILE",
    help="Write win rates by pair, observed and predicted, and who is above whom (csv, parquet).",
)
dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Count the files on a Dask cluster: the address of its scheduler, or local.",
)
category_option = click.option(
    "--category",
    multiple=True,
    metavar="KEYS",
    help="A board per LMArena category, side by side: multiturn,english,hard_6,…",
)
