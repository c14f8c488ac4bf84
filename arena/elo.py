"""Online Elo: ratings that move battle by battle, and how much of them is the order.

Elo, The Rating of Chessplayers, Past and Present (1978). K = 4 is what FastChat used for
Chatbot Arena, so that no single vote weighs much. Unlike a Bradley-Terry fit the ratings depend
on the order of the battles, and the last ones weigh the most; `order_spread` says how much.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battle_order import BattleOrder
from arena.errors import OptionError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KSchedule:
    """How far one battle moves a model: K by how many battles it has had.

    Attributes:
        values: K in rating points in each stage of a model's career.
        battles: how many battles each stage lasts; the last stage has no end.
    """

    values: tuple[float, ...] = (4.0,)
    battles: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.values) != len(self.battles) + 1:
            raise OptionError("k: every stage but the last lasts a number of battles")
        for value in self.values:
            if not (np.isfinite(value) and value > 0):
                raise OptionError(f"k: {value} is not a positive number of rating points")
        for n in self.battles:
            if n < 1:
                raise OptionError(f"k: a stage of {n} battles; it lasts 1 or more")

    @classmethod
    def parse(cls, text: str) -> "KSchedule":
        """From text: ``16``, or ``32:30,16``, 32 for a model's first 30 battles and then 16.

        Raises:
            OptionError: text that is no schedule.

        >>> KSchedule.parse("40:30,20:100,10")
        KSchedule(values=(40.0, 20.0, 10.0), battles=(30, 100))
        """
        *stages, last = text.split(",")
        try:
            pairs = [stage.split(":") for stage in stages]
            values = tuple(float(value) for value, _ in pairs)
            return cls((*values, float(last)), tuple(int(n) for _, n in pairs))
        except OptionError:
            raise
        except ValueError:
            message = (
                f"k: '{text}' is neither a number nor a schedule such as 32:30,16 "
                "(32 for a model's first 30 battles, then 16)"
            )
            raise OptionError(message) from None

    def __str__(self) -> str:
        stages = zip(self.values, self.battles, strict=False)
        return ",".join([*(f"{k:g}:{n}" for k, n in stages), f"{self.values[-1]:g}"])


@dataclass(frozen=True, slots=True)
class EloRule:
    """How a battle moves the ratings.

    Attributes:
        k: K in rating points, or a schedule, or its text, see `KSchedule.parse`; kept as a
            schedule.
        scale: rating points for expected odds of `base` to 1.
        base: see above.
        init: the rating that every model begins with.

    Raises:
        OptionError: a value that cannot be.
    """

    k: float | str | KSchedule = 4.0
    scale: float = 400.0
    base: float = 10.0
    init: float = 1000.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", self.schedule)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale: {self.scale} is not a positive number")
        if not (np.isfinite(self.base) and self.base > 1):
            raise OptionError(f"base: {self.base} is not a number above 1")
        if not np.isfinite(self.init):
            raise OptionError(f"init: {self.init} is not a finite number")

    @property
    def schedule(self) -> KSchedule:
        """K as a schedule."""
        if isinstance(self.k, KSchedule):
            return self.k
        return KSchedule.parse(self.k) if isinstance(self.k, str) else KSchedule((float(self.k),))

    def play(self, packed: Integers, n_models: int) -> tuple[Floats, Integers]:
        """Ratings [m] after battles as `arena.elo_kernel` packs them, and battles of each."""
        from arena.elo_kernel import play

        ratings = np.full(n_models, float(self.init))
        until = np.append(np.cumsum(self.schedule.battles, dtype=np.int64), -1)
        per_point = float(np.log(self.base)) / self.scale
        return ratings, play(packed, ratings, per_point, np.array(self.schedule.values), until)


@dataclass(frozen=True, slots=True, eq=False)
class Elo:
    """Ratings after the last battle.

    Attributes:
        models: the m names, sorted.
        ratings: float [m], in rating points.
        battles: int [m], how many each model had.
        rule: how each battle moved them.
    """

    models: tuple[str, ...]
    ratings: Floats
    battles: Integers
    rule: EloRule


def online_elo(order: BattleOrder, rule: EloRule | None = None) -> Elo:
    """Play the battles in their order: each moves both models by K times the surprise.

    Model a expects E = 1 / (1 + base^((R_b - R_a) / scale)) of a battle that is worth S = 1 if
    it wins, ½ for a tie or both bad, 0 if it loses; R_a moves by K (S - E), R_b by the opposite.
    With one K the sum of the ratings stays what it was; with a schedule each side has its own.

    >>> from arena.battle_order import order_battles
    >>> log = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["model_a"]})
    >>> elo = online_elo(order_battles(log, order="as-is"), EloRule(k=32))
    >>> elo.models, elo.ratings.tolist()
    (('x', 'y'), [1016.0, 984.0])
    """
    from arena.elo_kernel import pack

    rule = rule or EloRule()
    packed = pack(order.left, order.right, order.half_points)
    return Elo(order.models, *rule.play(packed, order.n_models), rule)


def elo_orders(
    order: BattleOrder,
    rule: EloRule | None = None,
    orders: int = 100,
    seed: int = 0,
    *,
    bootstrap: bool = False,
    threads: int | None = None,
) -> Floats:
    """Online Elo of the same battles in many random orders: float [orders, m], rating points.

    Each order has a seed of its own, so the result does not depend on the number of threads.
    Memory is one copy of the battles, of 8 bytes each, per thread and one for all.

    Args:
        order: the battles.
        rule: how a battle moves the ratings.
        orders: how many random orders.
        seed: same seed, same orders.
        bootstrap: draw the battles with replacement, in random order; a model that is not drawn
            stays at its first rating.
        threads: how many at once; None for all processors.

    Raises:
        OptionError: an option with a value it cannot have.
    """
    if orders < 1:
        raise OptionError(f"orders: {orders} is not a positive number")
    if threads is not None and threads < 1:
        raise OptionError(f"threads: {threads} is not a positive number")
    from arena.elo_kernel import pack, resample, shuffle

    rule, rearrange = rule or EloRule(), resample if bootstrap else shuffle
    packed = pack(order.left, order.right, order.half_points)

    def replay(of_one: np.random.SeedSequence) -> Floats:
        drawn = rearrange(packed, np.random.default_rng(of_one))
        return rule.play(drawn, order.n_models)[0]

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return np.array(list(pool.map(replay, np.random.SeedSequence(seed).spawn(orders))))


def order_spread(
    order: BattleOrder,
    rule: EloRule | None = None,
    orders: int = 100,
    seed: int = 0,
    *,
    level: float = 0.95,
    bootstrap: bool = False,
    threads: int | None = None,
) -> pl.DataFrame:
    """How much of an Elo table is the order of its battles.

    Args:
        order: the battles, in the order whose ratings are held against the others.
        rule: how a battle moves the ratings.
        orders: how many random orders, two or more.
        seed: same seed, same orders.
        level: share of the orders between `elo_low` and `elo_high`.
        bootstrap: as in `elo_orders`.
        threads: as in `elo_orders`.

    Returns:
        Best first, in rating points: `model`; `elo`, in the order given; and over the random
        orders `elo_mean`, `elo_std` (of one order), and the quantiles `elo_low` and `elo_high`.

    Raises:
        OptionError: an option with a value it cannot have.
    """
    if orders < 2:
        raise OptionError(f"orders: {orders} have no spread; take 2 or more")
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")
    drawn = elo_orders(order, rule, orders, seed, bootstrap=bootstrap, threads=threads)
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    columns: dict[str, Sequence[str] | Floats] = {
        "model": order.models,
        "elo": online_elo(order, rule).ratings,
        "elo_mean": drawn.mean(axis=0),
        "elo_std": drawn.std(axis=0, ddof=1),
        "elo_low": low,
        "elo_high": high,
    }
    return pl.DataFrame(columns).sort("elo", "model", descending=[True, False])
