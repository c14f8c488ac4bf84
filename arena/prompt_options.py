"""The options of the commands on prompts."""

from dataclasses import dataclass
from typing import Any

import click

from arena.options import gathered

RULES = ("default", "gpt3", "palm", "llama3", "tulu3", "gpt4")
"""The names in `arena.overlap_rules`, said here so that --help need not import it."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What prompts are held against, and when one counts as seen."""

    corpus: tuple[str, ...]
    trained: tuple[str, ...]
    corpora: str | None
    rule: str
    n: int | None
    threshold: float | None
    jaccard: float | None
    cap: int | None
    roles: str
    text: Any
    skip_bad_files: bool
    show: int | None
    dask: str | None


@dataclass(frozen=True, slots=True)
class Looking:
    """What to look at in a log's own prompts."""

    part: Any
    every: str
    jaccard: float


matching_options = gathered(
    Matching,
    click.option(
        "--corpus",
        multiple=True,
        metavar="FILE[:COLUMN]",
        help="Training data: Parquet, CSV, JSON lines or text, also .gz and .zst; a pattern in "
        "quotes names several files. Repeatable.",
    ),
    click.option(
        "--trained",
        multiple=True,
        metavar="MODELS",
        help="The models that were trained on these corpora.",
    ),
    click.option(
        "--corpora",
        metavar="FILE",
        help="A TOML file of corpora and the models trained on them, as data/models.toml is.",
    ),
    click.option(
        "--rule",
        type=click.Choice(RULES),
        default="default",
        show_default=True,
        help="When a prompt counts as seen: our rule, or a published one.",
    ),
    click.option("--n", type=click.IntRange(min=1), help="Tokens in an n-gram."),
    click.option("--threshold", type=float, help="Share from which on a prompt is seen."),
    click.option("--jaccard", type=float, help="Token-multiset Jaccard from which on it is seen."),
    click.option(
        "--cap",
        type=click.IntRange(min=1),
        help="n-grams in more distinct prompts than this are boilerplate.",
    ),
    click.option(
        "--roles",
        default="user",
        show_default=True,
        metavar="ROLES",
        help="Whose turns count in conversations: user, or e.g. user,assistant; or all.",
    ),
    click.option(
        "--text",
        type=click.Choice(["prompt", "user_text"]),
        default="prompt",
        show_default=True,
        help="Match the first user turn, or all of them together.",
    ),
    click.option("--skip-bad-files", is_flag=True, help="Go on without files that cannot be read."),
    click.option(
        "--show",
        type=click.IntRange(min=1),
        metavar="N",
        help="Instead: N pairs of prompt and text that are hardest to judge.",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Match the files on a Dask cluster: the address of its scheduler, or local.",
    ),
)
looking_options = gathered(
    Looking,
    click.option(
        "--part",
        type=click.Choice(["repeats", "repeated", "freshness", "distribution", "drift"]),
        default="repeats",
        show_default=True,
        help="What to show and write.",
    ),
    click.option(
        "--every",
        default="month",
        show_default=True,
        metavar="PERIOD",
        help="Periods of the drift: day, week, month, or e.g. 2w.",
    ),
    click.option(
        "--jaccard",
        type=float,
        default=0.8,
        show_default=True,
        help="Token-multiset Jaccard from which on prompts are near duplicates.",
    ),
)
