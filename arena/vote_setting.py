"""A world as numbers: what is fixed before the first vote is drawn."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
from numpy.typing import NDArray

from arena.alias import Chances, chances
from arena.display import amount
from arena.errors import OptionError
from arena.prompt_texts import LANGUAGES, greetings
from arena.world import Judges, World

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

STREAMS = ("activity", "taste", "conduct", "pool", "times", "votes", "corpora", "texts", "copies")
"""What is drawn, each from random numbers of its own.

So two worlds that differ in one effect have the same battles, and other winners only where it
matters.
"""

HONEST, CARELESS, ADVERSARIAL = range(3)
"""How a judge votes."""

TICK = 15_625
"""Microseconds between possible times: 1/64 s, which unix seconds hold exactly, too."""

HARD = (0.35, 0.65, 0.60, 0.30)
"""Chance of each of the seven criteria of a hard prompt, by kind of prompt."""


def stream(seed: int, name: str, *further: int) -> np.random.Generator:
    """The random numbers of one of the `STREAMS`, or of a part of it."""
    return np.random.default_rng([seed, STREAMS.index(name), *further])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The prompts that more than one vote may ask.

    Attributes:
        language: int [K], index into the world's languages; sorted.
        first: int [L + 1], where the prompts of each of the L languages begin.
        greeting: int [K], which of the language's greetings it is, or -1.
        kind: int [K], index into `KINDS`.
        ruled: bool [K], whether it ends on a rule to follow.
        criteria: int [K], how many criteria of a hard prompt hold.
        popularity: float [K], share of all votes that ask it.
        of_language: for each language, the chances of its prompts.
    """

    language: Integers
    first: Integers
    greeting: Integers
    kind: Integers
    ruled: Flags
    criteria: Integers
    popularity: Floats
    of_language: tuple[Chances, ...]

    @property
    def size(self) -> int:
        """Number of prompts, K."""
        return self.language.size


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A world as numbers, for a number of votes; models are in the order of their names.

    Attributes:
        world: what is true.
        n_votes: how many votes.
        seed: of all that is drawn.
        strength: float [m], in points.
        shift: float [m], points added from the second turn on.
        lengthening: float [m], what is added to the logarithm of an answer's tokens.
        plays: chances of the m models, on either side.
        judges: chances of the J judges.
        speaks: chances of the languages.
        conduct: int [J], HONEST, CARELESS or ADVERSARIAL.
        taste: float32 [J, m], points that judges add; None if they have no tastes.
        pool: the common prompts.
        trained: bool [C, m], who was trained on each corpus.
        pool_seen: bool [C, K], which common prompts are in each corpus.
        other_seen: float [C], chance that any other prompt is.
        midnight: when the first day begins, in microseconds since 1970.
        times: int [n], when votes are cast, in the same; sorted.
    """

    world: World
    n_votes: int
    seed: int
    strength: Floats
    shift: Floats
    lengthening: Floats
    plays: Chances
    judges: Chances
    speaks: Chances
    conduct: Integers
    taste: NDArray[np.float32] | None
    pool: Pool
    trained: Flags
    pool_seen: Flags
    other_seen: Floats
    midnight: int
    times: Integers


def prepare(world: World, n_votes: int, seed: int) -> Setting:
    """Fix everything that is common to all votes.

    Raises:
        OptionError: too few judges are active enough to be careless or adversarial.
    """
    models = world.models
    m = len(models)
    weights = world.weights or dict.fromkeys(models, 1.0)
    # Names should not tell who votes most.
    ranked = _zipf(world.judges.number, world.judges.activity)
    activity = stream(seed, "activity").permutation(ranked)
    taste = None
    if world.judges.taste:
        taste = stream(seed, "taste").standard_normal((activity.size, m), dtype=np.float32)
        taste *= np.float32(world.judges.taste)
    pool = _pool(world, n_votes, stream(seed, "pool"))
    trained = [[name in corpus.models for name in models] for corpus in world.corpora]
    pool_seen, other_seen = _seen(world, pool, seed)
    return Setting(
        world=world,
        n_votes=n_votes,
        seed=seed,
        strength=np.array([world.strengths[name] for name in models], dtype=np.float64),
        shift=np.array([world.multi_turn_shift.get(name, 0.0) for name in models]),
        lengthening=np.log([world.style.verbosity.get(name, 1.0) for name in models]),
        plays=chances(np.array([weights[name] for name in models], dtype=np.float64)),
        judges=chances(activity),
        speaks=chances(_spoken(world)),
        conduct=_conduct(world.judges, activity * n_votes, stream(seed, "conduct")),
        taste=taste,
        pool=pool,
        trained=np.array(trained, dtype=np.bool_).reshape(len(world.corpora), m),
        pool_seen=pool_seen,
        other_seen=other_seen,
        midnight=_midnight(world.start),
        times=_times(world, n_votes, stream(seed, "times")),
    )


def _spoken(world: World) -> Floats:
    return _shares(np.array(list(world.languages.values()), dtype=np.float64))


def _shares(values: Floats) -> Floats:
    shares: Floats = values / values.sum()
    return shares


def _zipf(n: int, exponent: float) -> Floats:
    """Shares [n] that fall with a power of the rank."""
    return _shares(np.arange(1, n + 1, dtype=np.float64) ** -exponent)


def _conduct(judges: Judges, expected: Floats, rng: np.random.Generator) -> Integers:
    """How each judge votes, given how many votes [J] can be expected of them."""
    careless, adversarial = (
        round(share * judges.number) for share in (judges.careless, judges.adversarial)
    )
    active = np.flatnonzero(expected >= judges.at_least)
    if active.size < careless + adversarial:
        message = (
            f"judges.careless, judges.adversarial: {amount(careless + adversarial, 'judge')} with "
            f"{judges.at_least:g} votes are wanted, and {active.size:,} can be expected to cast "
            "so many; take more votes, fewer judges or a lower judges.at_least"
        )
        raise OptionError(message)
    least_active = active[np.argsort(expected[active], kind="stable")][: careless + adversarial]
    chosen = rng.permutation(least_active)
    conduct = np.full(expected.size, HONEST)
    conduct[chosen[:careless]] = CARELESS
    conduct[chosen[careless:]] = ADVERSARIAL
    return conduct


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000


def _times(world: World, n: int, rng: np.random.Generator) -> Integers:
    """Moments [n] spread evenly over the world's days: exponential gaps, scaled to fit."""
    start, end = _midnight(world.start), _midnight(world.end)
    gaps = np.cumsum(rng.standard_exponential(n + 1))
    gaps *= (end - start) / TICK / gaps[-1]
    return start + gaps[:-1].astype(np.int64) * TICK


def _pool(world: World, n_votes: int, rng: np.random.Generator) -> Pool:
    """The common prompts of every language, some greetings among the most popular ones."""
    prompts = world.prompts
    share = _spoken(world)
    sizes = np.maximum(np.rint(n_votes * prompts.repeated * prompts.variety * share), 1).astype(int)
    first = np.concatenate([[0], np.cumsum(sizes)])
    of_language = []
    popularity, greeting = np.empty(first[-1]), np.full(first[-1], -1)
    for code, name in enumerate(world.languages):
        here = slice(first[code], first[code + 1])
        by_rank = _zipf(int(sizes[code]), prompts.popularity)
        of_language.append(chances(by_rank))
        popularity[here] = prompts.repeated * share[code] * by_rank
        greeted = greeting[here][::3]
        known = min(greeted.size, len(greetings(name)) if name in LANGUAGES else 0)
        greeted[:known] = np.arange(known)
    kind, ruled, criteria = asked(world, popularity.size, rng)
    plain = greeting >= 0
    kind[plain], ruled[plain], criteria[plain] = 0, False, 0
    language = np.repeat(np.arange(share.size), sizes)
    return Pool(language, first, greeting, kind, ruled, criteria, popularity, tuple(of_language))


def _seen(world: World, pool: Pool, seed: int) -> tuple[Flags, Floats]:
    """Which common prompts each corpus holds, and its share of the others: see `PlantedCorpus.overlap`."""
    common = np.zeros((len(world.corpora), pool.size), dtype=np.bool_)
    others = np.zeros(len(world.corpora))
    rest = 1.0 - pool.popularity.sum()
    for row, corpus in enumerate(world.corpora):
        held = _held(pool.popularity, corpus.overlap, rest, stream(seed, "corpora", row))
        common[row, held] = True
        missing = corpus.overlap - pool.popularity[held].sum()
        others[row] = np.clip(missing / rest, 0.0, 1.0) if rest > 1e-9 else 0.0
    return common, others


def _held(popularity: Floats, overlap: float, rest: float, rng: np.random.Generator) -> list[int]:
    """Common prompts at random, each with a chance of `overlap`, none that exceeds it.

    There are more of them if the prompts asked once, a share `rest` of the votes, are too few.
    """
    order = rng.permutation(popularity.size)
    lucky = rng.random(popularity.size) < overlap
    n_lucky = np.count_nonzero(lucky)
    held: list[int] = []
    missing = overlap
    for i, prompt in enumerate([*order[lucky], *order[~lucky]]):
        wanted = i < n_lucky or missing > rest
        if wanted and popularity[prompt] <= missing + 1e-12:
            held.append(int(prompt))
            missing -= popularity[prompt]
    return held


def asked(world: World, n: int, rng: np.random.Generator) -> tuple[Integers, Flags, Integers]:
    """Kind, rule and hard criteria of n prompts."""
    prompts = world.prompts
    special = (prompts.code, prompts.math, prompts.creative_writing)
    kind = np.searchsorted(np.cumsum(special), rng.random(n), side="right") + 1
    kind[kind > len(special)] = 0
    ruled = rng.random(n) < prompts.instruction_following
    criteria = np.zeros(n, dtype=np.int64)
    for code, chance in enumerate(HARD):
        rows = np.flatnonzero(kind == code)
        criteria[rows] = rng.binomial(7, chance, rows.size)
    return kind, ruled, criteria
