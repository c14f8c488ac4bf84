"""Battles by what corpora had of their prompts: the filter that leaves the seen ones out."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from arena.battles import Battles
from arena.display import amount, listing
from arena.errors import OptionError
from arena.filters import Filter
from arena.prompt_match import Match
from arena.sources import collect

By = Literal["battle", "model"]
Choice = Literal["keep", "drop"]


def unseen(match: Match, by: By = "battle", short: Choice = "keep") -> Filter:
    """Battles whose prompt no corpus had.

    Args:
        match: of the same log, or of one that holds it.
        by: ``battle``, drop every battle on a seen prompt; ``model``, only those of a model that
            was trained on a corpus that had it.
        short: what to do with battles on prompts that are too short to judge, or stock prompts:
            ``keep`` them or ``drop`` them.

    Raises:
        OptionError: an option that cannot be, or a match in which nobody is said to be trained
            on anything, if that is what matters. Using the filter on battles raises it for a
            match that lacks some of their prompts.
    """
    if by not in ("battle", "model"):
        raise OptionError(f"by: '{by}' is not one of battle, model")
    if short not in ("keep", "drop"):
        raise OptionError(f"short: '{short}' is not one of keep, drop")
    if by == "model" and not any(match.trained.values()):
        message = (
            "unseen by model: nobody is said to be trained on these corpora; match again with "
            "--trained MODEL,MODEL"
        )
        raise OptionError(message)
    names = listing([corpus for corpus in match.trained])

    def keeps(battles: Battles) -> pl.Expr:
        refuse_other_log(match, battles)
        text = pl.col(match.text)
        met = [
            text.is_in(seen_prompts(match, corpus).implode())
            & (_plays(models) if by == "model" else pl.lit(True))
            for corpus, models in match.trained.items()
        ]
        kept = ~pl.any_horizontal(met)
        if short == "drop":
            kept &= ~text.is_in(short_prompts(match).implode())
        return pl.when(text.is_not_null()).then(kept)

    whose = "" if by == "battle" else " by its models"
    return Filter(f"unseen{whose} in {names} (short: {short})", (match.text,), keeps)


def seen_prompts(match: Match, corpus: str | None = None) -> pl.Series:
    """The prompts that a corpus had, or any of them; not the stock prompts."""
    of = pl.lit(True) if corpus is None else pl.col("corpus") == corpus
    seen = match.frame.filter(of, pl.col("class") == "seen", ~pl.col("stock"))
    return seen["prompt"].unique(maintain_order=True)


def short_prompts(match: Match) -> pl.Series:
    """The prompts that are too short to judge, or stock prompts."""
    unclear = match.frame.filter((pl.col("class") == "short") | pl.col("stock"))
    return unclear["prompt"].unique(maintain_order=True)


def _plays(models: Sequence[str]) -> pl.Expr:
    return pl.col("model_a").is_in(models) | pl.col("model_b").is_in(models)


def refuse_other_log(match: Match, battles: Battles) -> None:
    """Raise OptionError for a match that lacks some of the battles' prompts."""
    known = match.frame["prompt"].unique()
    of_log = battles.frame.select(pl.col(match.text).alias("prompt")).drop_nulls().unique()
    others = of_log.join(known.to_frame().lazy(), on="prompt", how="anti").select(pl.len())
    n = int(collect(others, battles.sources).item())
    if n:
        message = (
            f"match: lacks {amount(n, 'prompt')} of these votes; it was made from "
            f"{listing(match.manifest['votes'])}; match these votes with arena match"
        )
        raise OptionError(message)
