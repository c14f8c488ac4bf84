"""Blocks of votes, as arrays: who met whom, on what, before which judge, and who won.

Each block has random numbers of its own, so that blocks can be drawn side by side and are the
same however many threads there are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.alias import Chances, pick
from arena.vote_setting import ADVERSARIAL, HONEST, Pool, Setting, asked, stream
from arena.world import COUNTS, ELO, World

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

BLOCK = 100_000
"""Votes per block: so many that numpy is busy, so few that they stay in the cache."""

TOKENS = (5.5, 0.7)
"""Mean and standard deviation of the logarithm of an answer's tokens, per turn."""

ASKED = (3.3, 0.7)
"""The same of the user's tokens, where there are no texts to count them in."""

MARKUP = {"headers": (2.0, 1.0), "lists": (5.0, 2.0), "bold": (5.0, 2.0)}
"""Count → mean and offset: exponential with this mean, less the offset, cut off at 0."""


# ── votes ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """A block of n votes.

    Attributes:
        left, right: int [n], model indices.
        winner: int [n], index into `WINNERS`.
        judge: int [n].
        time: int [n], microseconds since 1970.
        language: int [n], index into the world's languages.
        turns: int [n], user turns.
        prompt: int [n], index into the pool, or K + the vote's number.
        kind: int [n], index into `KINDS`.
        ruled: bool [n], whether the prompt ends on a rule to follow.
        criteria: int [n], how many criteria of a hard prompt hold.
        refusal: bool [n], whether a model refused.
        asked: int [n], the user's tokens, were there no texts.
        looks: count → the two sides', each int [n].
        seen: bool [C, n], whether the prompt is in each corpus.
    """

    left: Integers
    right: Integers
    winner: Integers
    judge: Integers
    time: Integers
    language: Integers
    turns: Integers
    prompt: Integers
    kind: Integers
    ruled: Flags
    criteria: Integers
    refusal: Flags
    asked: Integers
    looks: dict[str, tuple[Integers, Integers]]
    seen: Flags


def n_blocks(setting: Setting) -> int:
    """Into how many blocks the votes are divided."""
    return -(-setting.n_votes // BLOCK)


def draw_block(setting: Setting, number: int) -> Votes:
    """Draw the votes of one block."""
    world, pool, rng = setting.world, setting.pool, stream(setting.seed, "votes", number)
    first = number * BLOCK
    n = min(BLOCK, setting.n_votes - first)
    left, right = _pairs(setting.plays, n, rng)
    judge = pick(setting.judges, n, rng)
    language = pick(setting.speaks, n, rng)
    turns = _turns(world, n, rng)
    kind, ruled, criteria = asked(world, n, rng)
    prompt = pool.size + first + np.arange(n)
    seen = _seen(setting, number, n)
    common = np.flatnonzero(rng.random(n) < world.prompts.repeated)
    which = _common_prompts(pool, language[common], rng)
    prompt[common], seen[:, common] = which, setting.pool_seen[:, which]
    kind[common], ruled[common] = pool.kind[which], pool.ruled[which]
    criteria[common] = pool.criteria[which]
    refusal = rng.random(n) < world.prompts.refusals
    asks = turns * _rounded_up(_log_normal(*ASKED, n, rng))
    looks = {count: _look(setting, count, (left, right), turns, rng) for count in COUNTS}
    gap = _gap(setting, left, right, judge, turns, looks, seen)
    return Votes(
        left=left,
        right=right,
        winner=_winners(setting, gap, left, right, judge, rng),
        judge=judge,
        time=setting.times[first : first + n],
        language=language,
        turns=turns,
        prompt=prompt,
        kind=kind,
        ruled=ruled,
        criteria=criteria,
        refusal=refusal,
        asked=asks,
        looks=looks,
        seen=seen,
    )


def _log_normal(mean: float, spread: float, n: int, rng: np.random.Generator) -> Floats:
    drawn: Floats = np.exp(mean + spread * rng.standard_normal(n))
    return drawn


def _rounded_up(values: Floats) -> Integers:
    return np.ceil(values).astype(np.int64)


def _seen(setting: Setting, number: int, n: int) -> Flags:
    """Whether each of n prompts of a block is in each corpus, were it none of the pool."""
    rows = [
        stream(setting.seed, "corpora", row, number).random(n) < chance
        for row, chance in enumerate(setting.other_seen)
    ]
    return np.array(rows, dtype=np.bool_).reshape(len(rows), n)


def _pairs(plays: Chances, n: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Two different models per vote, with a chance in proportion to the product of weights."""
    left, right = pick(plays, n, rng), pick(plays, n, rng)
    while (same := np.flatnonzero(left == right)).size:
        left[same], right[same] = pick(plays, same.size, rng), pick(plays, same.size, rng)
    return left, right


def _turns(world: World, n: int, rng: np.random.Generator) -> Integers:
    turns = np.ones(n, dtype=np.int64)
    several = np.flatnonzero(rng.random(n) < world.multi_turn)
    turns[several] += rng.geometric(1.0 - world.more_turns, several.size)
    return turns


def _common_prompts(pool: Pool, language: Integers, rng: np.random.Generator) -> Integers:
    """Prompts of the pool in these languages, by popularity."""
    which = np.empty(language.size, dtype=np.int64)
    for code, chances in enumerate(pool.of_language):
        rows = np.flatnonzero(language == code)
        which[rows] = pool.first[code] + pick(chances, rows.size, rng)
    return which


def _look(
    setting: Setting,
    count: str,
    sides: tuple[Integers, Integers],
    turns: Integers,
    rng: np.random.Generator,
) -> tuple[Integers, Integers]:
    """How many tokens, headers, lists or bold passages the two answers have."""
    if count == "tokens":
        a, b = (
            turns * np.exp(setting.lengthening[side]) * _log_normal(*TOKENS, side.size, rng)
            for side in sides
        )
    else:
        mean, offset = MARKUP[count]
        a, b = (
            np.maximum(mean * rng.standard_exponential(side.size) - offset, 0.0) for side in sides
        )
    return _rounded_up(a), _rounded_up(b)


def _gap(
    setting: Setting,
    left: Integers,
    right: Integers,
    judge: Integers,
    turns: Integers,
    looks: dict[str, tuple[Integers, Integers]],
    seen: Flags,
) -> Floats:
    """Gaps [n] of the battles, in log-odds: everything that favours the left side, added up."""
    world = setting.world
    points = setting.strength[left] - setting.strength[right] + world.side_advantage
    if setting.shift.any():
        points += np.where(turns > 1, setting.shift[left] - setting.shift[right], 0.0)
    if setting.taste is not None:
        points += setting.taste[judge, left] - setting.taste[judge, right]
    for count, effect in world.style.effects.items():
        a, b = looks[count]
        points += effect * ((a - b) / (a + b + 1.0))
    for row, corpus in enumerate(world.corpora):
        trained = setting.trained[row].astype(np.float64)
        points += corpus.uplift * seen[row] * (trained[left] - trained[right])
    points /= ELO
    return points


def outcome_shares(gap: Floats, ties: float) -> tuple[Floats, Floats, Floats]:
    """Chances that the left one wins, that the right one wins, and of a tie of either kind.

    They are Davidson's, at the gap D for which the expected points are those of the gap d asked
    for: P(win) + P(tie) / 2 = 1 / (1 + exp(-d)). With nu = 2 ties / (1 - ties), that is
    D = d + 2 arsinh(nu / 2 · sinh(d / 2)), about d (1 + nu / 2); so a fit of Davidson's model
    finds gaps wider by about this factor. Davidson, On extending the Bradley-Terry model to
    accommodate ties, JASA 65 (1970).

    Args:
        gap: float [n], in log-odds.
        ties: share of ties between equals, below 1.

    >>> win, loss, tie = outcome_shares(np.array([0.0, np.log(4)]), ties=0.4)
    >>> tie.round(3).tolist(), (win + tie / 2).round(3).tolist()
    ([0.4, 0.273], [0.5, 0.8])
    """
    nu = 2.0 * ties / (1.0 - ties)
    root = np.exp(0.5 * gap)
    sinh, cosh = 0.5 * (root - 1.0 / root), 0.5 * (root + 1.0 / root)
    stretch = 0.5 * nu * sinh
    # cosh(D / 2) by the addition theorem, since cosh(arsinh(x)) = sqrt(1 + x²).
    tie = nu / (2.0 * (cosh * np.sqrt(1.0 + stretch**2) + sinh * stretch) + nu)
    half = 0.5 * tie
    return root / (root + 1.0 / root) - half, 1.0 / (1.0 + root**2) - half, tie


def _winners(
    setting: Setting,
    gap: Floats,
    left: Integers,
    right: Integers,
    judge: Integers,
    rng: np.random.Generator,
) -> Integers:
    """Who won, as indices into `WINNERS`."""
    win, _, tie = outcome_shares(gap, setting.world.ties)
    u = rng.random(gap.size)
    winner = (u >= win).astype(np.int64)
    winner += u >= 1.0 - tie
    winner += u >= 1.0 - tie * setting.world.both_bad
    conduct = setting.conduct[judge]
    odd = np.flatnonzero(conduct != HONEST)
    winner[odd] = rng.integers(4, size=odd.size)
    if setting.world.judges.adversarial:
        favourite = setting.world.models.index(setting.world.judges.favourite or "")
        for code, side in enumerate((left, right)):
            winner[odd[(conduct[odd] == ADVERSARIAL) & (side[odd] == favourite)]] = code
    return winner
