"""What is true in a synthetic arena; `arena.simulation` draws votes from it.

All effects are in Elo points, and all add up in the gap of a battle: 173.7 points are one unit
of log-odds. Each is zero unless it is asked for, so that a plain `World` holds nothing but
strengths.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from arena.display import listing
from arena.errors import ColumnError, OptionError

ELO = 400.0 / float(np.log(10.0))
"""Elo points per unit of log-odds."""

LANGUAGES: Mapping[str, float] = {
    "English": 0.55,
    "Chinese": 0.13,
    "Russian": 0.12,
    "German": 0.045,
    "Japanese": 0.03,
    "Spanish": 0.03,
    "French": 0.025,
    "Korean": 0.025,
    "Portuguese": 0.025,
    "Italian": 0.02,
}
"""Shares of the votes, close to those of the public logs."""

COUNTS = ("tokens", "headers", "lists", "bold")
"""What is counted in each answer."""

MOST_POINTS = 4_000.0
"""Odds of ten thousand million to one."""

MOST_TASTES = 100_000_000
"""Numbers that are still held in memory, one for each judge and model."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Who votes.

    Attributes:
        number: how many judges there are.
        activity: the r-th most active judge votes in proportion to 1 / r ** activity.
        taste: standard deviation, in points, of what a judge adds to each model's strength.
        careless: share of the judges who press any of the four buttons, each as often.
        adversarial: share of the judges who always vote for `favourite`, and carelessly where
            it does not play.
        favourite: the model they vote for.
        at_least: careless and adversarial judges are the least active ones of those who can be
            expected to cast so many votes.
    """

    number: int = 2_000
    activity: float = 0.7
    taste: float = 0.0
    careless: float = 0.0
    adversarial: float = 0.0
    favourite: str | None = None
    at_least: float = 40.0

    def __post_init__(self) -> None:
        _whole("judges.number", self.number)
        _share("judges.careless", self.careless)
        _share("judges.adversarial", self.adversarial)
        _at_least_zero("judges.activity", self.activity)
        _at_least_zero("judges.taste", self.taste)
        _at_least_zero("judges.at_least", self.at_least)
        if self.adversarial > 0 and self.favourite is None:
            raise OptionError("judges.favourite: name the model that adversarial judges vote for")
        if self.careless + self.adversarial > 1:
            raise OptionError("judges.careless, judges.adversarial: together they exceed 1")


@dataclass(frozen=True, slots=True)
class Prompts:
    """What is asked.

    Attributes:
        repeated: share of the votes on prompts of a common pool, stock greetings among them;
            all others ask a prompt that nobody else asks.
        variety: distinct prompts in that pool per vote on it.
        popularity: the r-th most popular prompt of a language is asked in proportion to
            1 / r ** popularity.
        code, math, creative_writing: shares of the kinds of prompts; the rest is general.
        instruction_following: share of the prompts that end on a rule to follow.
        refusals: share of the votes in which a model refused to answer.
    """

    repeated: float = 0.10
    variety: float = 0.05
    popularity: float = 1.0
    code: float = 0.20
    math: float = 0.08
    creative_writing: float = 0.15
    instruction_following: float = 0.25
    refusals: float = 0.03

    def __post_init__(self) -> None:
        kinds = ("code", "math", "creative_writing")
        for name in ("repeated", "variety", *kinds, "instruction_following", "refusals"):
            _share(f"prompts.{name}", getattr(self, name))
        _at_least_zero("prompts.popularity", self.popularity)
        if sum(getattr(self, name) for name in kinds) > 1:
            raise OptionError(f"prompts.{', prompts.'.join(kinds)}: together they exceed 1")


@dataclass(frozen=True, slots=True)
class Style:
    """How answers look, and what that is worth.

    Attributes:
        effects: count → points per unit of (a - b) / (a + b + 1), where a and b are how many
            tokens, headers, lists or bold passages the two answers have.
        verbosity: model → how many times as long as usual its answers are; 1 where not given.
    """

    effects: Mapping[str, float] = field(default_factory=dict)
    verbosity: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for count, effect in self.effects.items():
            if count not in COUNTS:
                raise OptionError(f"style.effects: no '{count}'; there are {', '.join(COUNTS)}")
            _points("style.effects", effect)
        for model, factor in self.verbosity.items():
            if not (np.isfinite(factor) and 0.01 <= factor <= 100):
                raise OptionError(
                    f"style.verbosity: {factor} for '{model}' is not a factor from 0.01 to 100"
                )


@dataclass(frozen=True, slots=True)
class PlantedCorpus:
    """Prompts that some models were trained on.

    Attributes:
        name: what it is called.
        models: who was trained on it.
        overlap: share of the votes whose prompt is in it.
        uplift: points that these models gain on such a prompt; corpora add up.
        edited: share of those prompts whose copy is not exact: other case, spaces and
            punctuation, or one word changed.
        unrelated: how many prompts it holds that nobody asks in the arena.
    """

    name: str
    models: tuple[str, ...]
    overlap: float = 0.12
    uplift: float = 60.0
    edited: float = 0.4
    unrelated: int = 10_000

    def __post_init__(self) -> None:
        if isinstance(self.models, str) or not self.models:
            raise OptionError(f"corpora: '{self.name}' needs a list of models, e.g. ('x', 'y')")
        _share("corpora.overlap", self.overlap)
        _share("corpora.edited", self.edited)
        _points("corpora.uplift", self.uplift)
        _whole("corpora.unrelated", self.unrelated, least=0)


@dataclass(frozen=True, slots=True)
class World:
    """A synthetic arena.

    With d the gap in log-odds, model_a's expected points (a win 1, a tie or both bad 1/2) are
    exactly 1 / (1 + exp(-d)), whatever the share of ties. So the half-rule Bradley-Terry fit,
    the default of `arena.rate`, estimates the strengths as they stand here. How likely ties are
    is Davidson's model: see `outcome_shares` in `arena.vote_draws`. What varies between votes
    and is not in the fit (tastes, style, careless judges) pulls its gaps a little towards zero,
    as it does on real votes.

    Attributes:
        strengths: model → strength in points; only differences matter.
        weights: model → how often it plays: a pair is drawn in proportion to the product of
            its two weights. None for all alike.
        ties: share of votes between equals that are ties or both bad; it falls with the gap.
        both_bad: share of those that are both bad.
        side_advantage: points for standing on the left.
        multi_turn: share of the votes with two or more user turns.
        more_turns: chance of each further turn after the second.
        multi_turn_shift: model → points added to its strength from the second turn on.
        languages: language → share of the votes; they are scaled to add up to 1.
        start, end: votes are cast from the beginning of the one day until that of the other, UTC.
        judges, prompts, style, corpora: see these.
    """

    strengths: Mapping[str, float]
    weights: Mapping[str, float] | None = None
    ties: float = 0.35
    both_bad: float = 0.5
    side_advantage: float = 0.0
    multi_turn: float = 0.14
    more_turns: float = 0.4
    multi_turn_shift: Mapping[str, float] = field(default_factory=dict)
    languages: Mapping[str, float] = field(default_factory=lambda: dict(LANGUAGES))
    start: date = date(2024, 4, 1)
    end: date = date(2024, 8, 1)
    judges: Judges = field(default_factory=Judges)
    prompts: Prompts = field(default_factory=Prompts)
    style: Style = field(default_factory=Style)
    corpora: tuple[PlantedCorpus, ...] = ()

    def __post_init__(self) -> None:
        if len(self.strengths) < 2:
            message = f"strengths: a battle needs two models, here is {len(self.strengths)}"
            raise OptionError(message)
        if not all(name.strip() for name in self.strengths):
            raise OptionError("strengths: a model has no name; give it one")
        for name in ("both_bad", "multi_turn"):
            _share(name, getattr(self, name))
        _share("ties", self.ties, most=0.99)
        _share("more_turns", self.more_turns, most=0.99)
        for name in ("strengths", "multi_turn_shift"):
            for points in getattr(self, name).values():
                _points(name, points)
        _points("side_advantage", self.side_advantage)
        self._check_names()
        self._check_weights()
        _relative("languages", self.languages)
        if self.end <= self.start:
            raise OptionError(f"end: {self.end} is not after the start, {self.start}")
        if self.judges.taste and self.judges.number * len(self.strengths) > MOST_TASTES:
            raise OptionError(
                f"judges.taste: {self.judges.number:,} judges with a taste of their own for each "
                f"of {len(self.strengths):,} models are too many; take fewer judges, or taste=0"
            )

    @property
    def models(self) -> tuple[str, ...]:
        """The m names, sorted."""
        return tuple(sorted(self.strengths))

    def _check_names(self) -> None:
        """Every model that is named anywhere must have a strength."""
        named: dict[str, Iterable[str]] = {
            "multi_turn_shift": self.multi_turn_shift,
            "style.verbosity": self.style.verbosity,
            "judges.favourite": [self.judges.favourite] if self.judges.favourite else [],
            **{f"corpora: '{corpus.name}'": corpus.models for corpus in self.corpora},
        }
        for where, models in named.items():
            for model in models:
                if model not in self.strengths:
                    message = f"{where}: no model '{model}' in strengths; there are "
                    raise OptionError(message + listing(self.models))
        corpora = [corpus.name for corpus in self.corpora]
        if len(set(corpora)) < len(corpora) or {"", "prompt_id", "seen_a", "seen_b"} & set(corpora):
            raise OptionError(f"corpora: give each a name of its own; here are {listing(corpora)}")

    def _check_weights(self) -> None:
        if self.weights is None:
            return
        if set(self.weights) != set(self.strengths):
            odd = listing(sorted(set(self.weights) ^ set(self.strengths)))
            raise OptionError(f"weights: must be of the models in strengths; look at {odd}")
        _relative("weights", self.weights)
        # Battles of a model against itself are drawn again, and there must be an end to that.
        if max(self.weights.values()) > 0.95 * sum(self.weights.values()):
            raise OptionError("weights: one model has over 95 % of them; give the others more")


def strengths_of(board: pl.DataFrame, models: Iterable[str] | None = None) -> dict[str, float]:
    """Strengths from a board: a frame with `model` and `rating`, such as `Leaderboard.frame`.

    Args:
        board: the frame; models without a rating are left out.
        models: only these, in any order.

    Raises:
        ColumnError: if one of the columns is missing.
        OptionError: naming a model that has no rating there.

    >>> strengths_of(pl.DataFrame({"model": ["x", "y"], "rating": [1010.0, None]}))
    {'x': 1010.0}
    """
    lacking = [name for name in ("model", "rating") if name not in board.columns]
    if lacking:
        message = f"board: no column {listing(lacking)}; columns are {listing(board.columns)}"
        raise ColumnError(message)
    rated = board.filter(pl.col("rating").is_finite()).select("model", "rating")
    ratings: dict[str, float] = dict(rated.iter_rows())
    if models is None:
        return ratings
    wanted = list(models)
    unrated = [model for model in wanted if model not in ratings]
    if unrated:
        message = f"models: the board has no rating for {listing(unrated)}; it has some for "
        raise OptionError(message + listing(sorted(ratings)))
    return {model: ratings[model] for model in wanted}


# ── what a number may be ───────────────────────────────────────────────────────────────────


def _share(name: str, value: float, most: float = 1) -> None:
    if not (np.isfinite(value) and 0 <= value <= most):
        raise OptionError(f"{name}: {value} is not a share from 0 to {most}")


def _whole(name: str, value: int, least: int = 1) -> None:
    if not isinstance(value, int) or value < least:
        raise OptionError(f"{name}: {value} is not a whole number from {least} up")


def _at_least_zero(name: str, value: float) -> None:
    if not (np.isfinite(value) and value >= 0):
        raise OptionError(f"{name}: {value} is not a number from 0 up")


def _points(name: str, value: float) -> None:
    if not abs(value) <= MOST_POINTS:
        raise OptionError(f"{name}: {value} is not a number of points up to {MOST_POINTS:,.0f}")


def _relative(name: str, values: Mapping[str, float]) -> None:
    wrong = [each for each, value in values.items() if not (np.isfinite(value) and value > 0)]
    if wrong or not values:
        said = f"{values[wrong[0]]} for '{wrong[0]}'" if wrong else "an empty table"
        raise OptionError(f"{name}: {said} will not do; give positive numbers")
