"""Online Elo: ratings that move battle by battle, and how much of them is the order.

Elo, The Rating of Chessplayers, Past and Present (1978). K = 4 is what FastChat used for
Chatbot Arena, so that no single vote weighs much. Unlike a Bradley-Terry fit the ratings depend
on the order of the battles, and the last ones weigh the most; `order_spread` says how much.
"""

import math
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import Battles, read_battles
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.sources import collect
from arena.tally import Reading, reading_of, refuse_unknown

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.int32]
HalfPoints = NDArray[np.int8]

HALF_POINTS = {"model_a": 2, "model_b": 0, "tie": 1, "both_bad": 1}
"""What a vote is worth to model_a, in half points."""

MOST_CELLS = 1 << 22
"""Up to so many possible keys of a battle, each gets a place in a table."""

MOST_VIEWS = 1 << 16
"""Up to so many different views of text are told apart in one chunk of a column."""

FOREVER = np.iinfo(np.int64).max


# ── battles in order ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class BattleOrder:
    """Battles one after another.

    Attributes:
        models: the m names, sorted.
        left: int [n], index of model_a.
        right: int [n], index of model_b.
        half_points: int [n], the outcome seen from model_a, doubled: 2 won, 1 tie or both bad,
            0 lost.
        readings: what became of the rows of each source.
    """

    models: tuple[str, ...]
    left: Indices
    right: Indices
    half_points: HalfPoints
    readings: tuple[Reading, ...] = ()

    def __post_init__(self) -> None:
        for array in (self.left, self.right, self.half_points):
            array.setflags(write=False)

    @property
    def n_models(self) -> int:
        """Number of models, m."""
        return len(self.models)

    @property
    def n_battles(self) -> int:
        """Number of battles, n."""
        return self.left.size


def order_battles(votes: Battles | Any, *, order: str = "time") -> BattleOrder:
    """The accepted battles of a log, or of anything `read_battles` takes, in an order.

    Args:
        votes: battles, a path, a frame.
        order: ``time``, by the column `tstamp`, battles of one time as they stand in the log;
            ``as-is``, as they stand; ``shuffle:SEED``, at random.

    Raises:
        OptionError: an order that there is not.
        ColumnError: a log without times, with battles that have none, counted, or weighted.
        LabelError: votes that are no known winner, quoted with how often they occur.
        NoEstimateError: if no vote is left.
        ReadError: a file that cannot be read to its end.

    >>> log = pl.DataFrame(
    ...     {
    ...         "model_a": ["x", "z"],
    ...         "model_b": ["y", "x"],
    ...         "winner": ["model_a", "tie"],
    ...         "tstamp": [1700000060, 1700000000],
    ...     }
    ... )
    >>> battles = order_battles(log)
    >>> battles.models, battles.left.tolist(), battles.right.tolist()
    (('x', 'y', 'z'), [2, 0], [0, 1])
    >>> battles.half_points.tolist()
    [1, 2]
    """
    shuffle = re.fullmatch(r"shuffle:(\d+)", order, re.ASCII)
    if order not in ("time", "as-is") and shuffle is None:
        raise OptionError(f"order: '{order}' is not one of time, as-is, shuffle:SEED")
    battles = votes if isinstance(votes, Battles) else read_battles(votes)
    _refuse_unordered(battles, by_time=order == "time")
    ordered = _encode(battles, by_time=order == "time")
    if shuffle is None:
        return ordered
    turn = np.random.default_rng(int(shuffle[1])).permutation(ordered.n_battles)
    arrays = (ordered.left[turn], ordered.right[turn], ordered.half_points[turn])
    return BattleOrder(ordered.models, *arrays, ordered.readings)


def _refuse_unordered(battles: Battles, *, by_time: bool) -> None:
    for part, source in zip(battles.parts, battles.sources, strict=True):
        there = part.collect_schema()
        for column in ("votes", "weight"):
            if column in there:
                message = (
                    f"{source.name}: its rows have {column}, and online Elo takes battles one by "
                    "one; give it a log with one row per battle, unweighted"
                )
                raise ColumnError(message)
        if by_time and "tstamp" not in there:
            message = (
                f"{source.name}: no column 'tstamp', and online Elo depends on the order of the "
                "battles; name the column of times with --columns tstamp=..., or choose an order "
                "with --order as-is or --order shuffle:SEED"
            )
            raise ColumnError(message)


def _encode(battles: Battles, *, by_time: bool) -> BattleOrder:
    """The accepted battles, names as integers.

    As in `tally_votes`, what becomes of a row is decided once per distinct vote.
    """
    keys = [*battles.keys, *(["source"] if len(battles.sources) > 1 else [])]
    rows = collect(battles.rows.select(*keys, *(["tstamp"] if by_time else [])), battles.sources)
    tstamp = rows["tstamp"] if by_time else None
    columns = {key: _number(rows[key]) for key in keys}
    del rows
    votes = _distinct(columns)
    groups = votes.frame.with_columns(why_not=battles.why_not)
    accepted = groups.filter(pl.col("why_not").is_null())
    refuse_unknown(accepted, battles)
    readings = tuple(reading_of(groups, battles, i) for i in range(len(battles.sources)))
    if accepted.is_empty():
        accounts = "; ".join(reading.account() for reading in readings)
        raise NoEstimateError(f"no votes to rate: {accounts}")

    models = pl.concat([accepted["model_a"], accepted["model_b"]]).unique().sort()
    meaning = pl.col("winner").replace_strict(battles.labels, return_dtype=pl.String, default=None)
    worth = meaning.replace_strict(HALF_POINTS, return_dtype=pl.Int8, default=None)
    of_group = groups.select(pl.when(pl.col("why_not").is_null()).then(worth)).to_series()
    half_points: HalfPoints = of_group.fill_null(-1).to_numpy()[votes.place]
    left, right = (_indices(columns[side], models) for side in ("model_a", "model_b"))
    counts = half_points >= 0
    if not counts.all():
        left, right, half_points = left[counts], right[counts], half_points[counts]
        tstamp = None if tstamp is None else tstamp.filter(pl.Series(counts))
    if tstamp is not None:
        left, right, half_points = _sort(tstamp, left, right, half_points)
    return BattleOrder(tuple(models.to_list()), left, right, half_points, readings)


def _sort(
    tstamp: pl.Series, left: Indices, right: Indices, half_points: HalfPoints
) -> tuple[Indices, Indices, HalfPoints]:
    """The battles by time; those of one time stay as they stand."""
    if tstamp.null_count():
        message = (
            f"column 'tstamp': {tstamp.null_count():,} of {tstamp.len():,} battles have no time, "
            "or none that can be read; leave them out, or choose an order with --order as-is or "
            "--order shuffle:SEED"
        )
        raise ColumnError(message)
    if tstamp.is_sorted():
        return left, right, half_points
    columns = {"tstamp": tstamp, "left": left, "right": right, "half_points": half_points}
    by_time = pl.DataFrame(columns).sort("tstamp", maintain_order=True)
    left, right, half_points = (by_time[name].to_numpy() for name in list(columns)[1:])
    return left, right, half_points


# ── names as integers ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Numbered:
    """A column as integers.

    Attributes:
        values: its distinct values, null being the last.
        code: int [n], where each row's value stands among them.
    """

    values: pl.Series
    code: Indices


def _number(column: pl.Series) -> _Numbered:
    """Number the values of a column of texts, flags or small integers."""
    if column.dtype != pl.String:
        values = column.unique().drop_nulls().sort()
        index = column.replace_strict(values, range(values.len()), return_dtype=pl.Int32)
        return _with_null(values, index)
    parts = [_number_texts(chunk) for chunk in column.get_chunks()]
    texts = pl.concat([part.values for part in parts])
    values = texts.unique().drop_nulls().sort()
    among_all = _with_null(values, texts.cast(pl.Enum(values)).to_physical()).code
    code = np.empty(column.len(), dtype=np.int32)
    place, row = 0, 0
    for part in parts:
        known = among_all[place : place + part.values.len()]
        # Nothing is out of bounds; other modes than "clip" would go through a copy.
        np.take(known, part.code, out=code[row : row + part.code.size], mode="clip")
        place, row = place + known.size, row + part.code.size
    return _Numbered(_null_last(values), code)


def _number_texts(texts: pl.Series) -> _Numbered:
    """Number the texts of one chunk; equal ones may get several numbers.

    polars keeps a text as 16 bytes: itself if it is short, else where it stands. Texts from one
    Parquet dictionary stand in one place, so that telling these bytes apart mostly tells the
    texts apart, at a fifth of the time. Where too many differ, the texts are compared.
    """
    import pyarrow as pa

    from arena.elo_kernel import number_views

    array = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    if not texts.null_count() and pa.types.is_string_view(array.type) and len(array):
        views = np.frombuffer(array.buffers()[1], dtype=np.uint64).reshape(-1, 2)
        views = views[array.offset : array.offset + len(array)]
        first = np.empty(min(len(array) // 16 + 256, MOST_VIEWS), dtype=np.int64)
        code = np.empty(len(array), dtype=np.int32)
        n_views = number_views(views, code, first)
        if n_views >= 0:
            return _Numbered(_null_last(texts.gather(first[:n_views])), code)
    known = texts.cast(pl.Categorical(pl.Categories.random()))
    distinct = known.unique().drop_nulls()
    values = distinct.cast(pl.String).gather(distinct.to_physical().arg_sort())
    return _with_null(values, known.to_physical())


def _with_null(values: pl.Series, index: pl.Series) -> _Numbered:
    code = index.cast(pl.Int32).fill_null(values.len()).to_numpy()
    return _Numbered(_null_last(values), code)


def _null_last(values: pl.Series) -> pl.Series:
    return pl.concat([values, pl.Series(values.name, [None], dtype=values.dtype)])


def _indices(names: _Numbered, models: pl.Series) -> Indices:
    """Names as indices [n] into the models; 0 where a name is none of them."""
    index = names.values.cast(pl.Enum(models), strict=False).to_physical()
    of_code: Indices = index.cast(pl.Int32).fill_null(0).to_numpy()
    return of_code[names.code]


@dataclass(frozen=True, slots=True, eq=False)
class _Distinct:
    """The distinct rows of a frame.

    Attributes:
        frame: one row each, with `n`, how often it occurs, and `source`.
        place: int [n], where each row of the frame given stands in it.
    """

    frame: pl.DataFrame
    place: Indices


def _distinct(columns: Mapping[str, _Numbered]) -> _Distinct:
    """As a group-by would find them, but from the numbers that the values already have."""
    sizes = [column.values.len() for column in columns.values()]
    cell = np.zeros(next(iter(columns.values())).code.size, dtype=np.int64)
    for column, size in zip(columns.values(), sizes, strict=True):
        cell *= size
        cell += column.code
    n_cells = math.prod(sizes)
    if n_cells <= MOST_CELLS:
        n = np.bincount(cell, minlength=n_cells)
        met = np.flatnonzero(n)
        n_met = n[met]
        place_of = np.empty(n_cells, dtype=np.int32)
        place_of[met] = np.arange(met.size)
        place = place_of[cell]
    else:
        met, inverse, n_met = np.unique(cell, return_inverse=True, return_counts=True)
        place = inverse.astype(np.int32)
    of_column = zip(columns.items(), np.unravel_index(met, sizes), strict=True)
    frame = pl.DataFrame(
        {name: column.values.gather(code) for (name, column), code in of_column}
        | {"n": pl.Series(n_met, dtype=pl.Float64)}
    )
    if "source" not in frame.columns:
        frame = frame.with_columns(source=pl.lit(0, pl.UInt16))
    return _Distinct(frame, place)


# ── K ──────────────────────────────────────────────────────────────────────────────────────


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
class _Rule:
    """How a battle moves the ratings, as the compiled loop takes it."""

    k: KSchedule
    scale: float
    base: float
    init: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale: {self.scale} is not a positive number")
        if not (np.isfinite(self.base) and self.base > 1):
            raise OptionError(f"base: {self.base} is not a number above 1")
        if not np.isfinite(self.init):
            raise OptionError(f"init: {self.init} is not a finite number")

    def play(self, packed: Integers, n_models: int) -> Floats:
        """Ratings [m] after these battles."""
        from arena.elo_kernel import play

        ratings = np.full(n_models, self.init)
        until = np.append(np.cumsum(np.array(self.k.battles, dtype=np.int64)), FOREVER)
        played = np.zeros(n_models, dtype=np.int64)
        per_point = float(np.log(self.base)) / self.scale
        play(packed, ratings, per_point, np.array(self.k.values), until, played)
        return ratings


def _rule(k: float | str | KSchedule, scale: float, base: float, init: float) -> _Rule:
    if not isinstance(k, KSchedule):
        k = KSchedule.parse(k) if isinstance(k, str) else KSchedule((float(k),))
    return _Rule(k, float(scale), float(base), float(init))


def _packed(order: BattleOrder) -> Integers:
    """Each battle in one integer, so that a battle is one move of memory when shuffled."""
    from arena.elo_kernel import LEFT_BITS, RIGHT_BITS

    packed = order.left.astype(np.int64)
    packed <<= LEFT_BITS - RIGHT_BITS
    packed |= order.right
    packed <<= RIGHT_BITS
    packed |= order.half_points
    return packed


# ── ratings ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Elo:
    """Ratings after the last battle.

    Attributes:
        models: the m names, sorted.
        ratings: float [m], in rating points.
        battles: int [m], how many each model had.
        k: the K that was used, in rating points.
        scale: rating points for expected odds of `base` to 1.
        base: see above.
        init: the rating that every model began with.
    """

    models: tuple[str, ...]
    ratings: Floats
    battles: Integers
    k: KSchedule
    scale: float
    base: float
    init: float


def online_elo(
    order: BattleOrder,
    *,
    k: float | str | KSchedule = 4.0,
    scale: float = 400.0,
    base: float = 10.0,
    init: float = 1000.0,
) -> Elo:
    """Play the battles in their order: each moves both models by K times the surprise.

    Model a expects E = 1 / (1 + base^((R_b - R_a) / scale)) of a battle that is worth S = 1 if
    it wins, ½ for a tie or both bad, 0 if it loses; R_a moves by K (S - E), R_b by the opposite.
    With one K the sum of the ratings stays what it was; with a schedule each side has its own.

    Args:
        order: the battles.
        k: K in rating points, or a schedule, or its text, see `KSchedule.parse`.
        scale: rating points for expected odds of `base` to 1.
        base: see above.
        init: the rating that every model begins with.

    Raises:
        OptionError: an option with a value it cannot have.

    >>> log = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["model_a"]})
    >>> elo = online_elo(order_battles(log, order="as-is"), k=32)
    >>> elo.models, elo.ratings.tolist()
    (('x', 'y'), [1016.0, 984.0])
    """
    rule = _rule(k, scale, base, init)
    ratings = rule.play(_packed(order), order.n_models)
    sides = (order.left, order.right)
    battles = sum(
        (np.bincount(side, minlength=order.n_models) for side in sides),
        start=np.zeros(order.n_models, dtype=np.int64),
    )
    return Elo(order.models, ratings, battles, rule.k, rule.scale, rule.base, rule.init)


def elo_orders(
    order: BattleOrder,
    orders: int = 100,
    seed: int = 0,
    *,
    bootstrap: bool = False,
    k: float | str | KSchedule = 4.0,
    scale: float = 400.0,
    base: float = 10.0,
    init: float = 1000.0,
    threads: int | None = None,
) -> Floats:
    """Online Elo of the same battles in many random orders: float [orders, m], rating points.

    Each order has a seed of its own, so the result does not depend on the number of threads.
    Memory is one copy of the battles, of 8 bytes each, per thread and one for all.

    Args:
        order: the battles.
        orders: how many random orders.
        seed: same seed, same orders.
        bootstrap: draw the battles with replacement, in random order; a model that is not drawn
            stays at `init`.
        k: as in `online_elo`.
        scale: as in `online_elo`.
        base: as in `online_elo`.
        init: as in `online_elo`.
        threads: how many at once; None for all processors.

    Raises:
        OptionError: an option with a value it cannot have.
    """
    rule = _rule(k, scale, base, init)
    if orders < 1:
        raise OptionError(f"orders: {orders} is not a positive number")
    if threads is not None and threads < 1:
        raise OptionError(f"threads: {threads} is not a positive number")
    from arena.elo_kernel import resample, shuffle

    packed, rearrange = _packed(order), resample if bootstrap else shuffle

    def replay(of_one: np.random.SeedSequence) -> Floats:
        drawn = packed.copy()
        rearrange(drawn, packed, np.random.default_rng(of_one))
        return rule.play(drawn, order.n_models)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return np.array(list(pool.map(replay, np.random.SeedSequence(seed).spawn(orders))))


def order_spread(
    order: BattleOrder,
    orders: int = 100,
    seed: int = 0,
    *,
    level: float = 0.95,
    bootstrap: bool = False,
    k: float | str | KSchedule = 4.0,
    scale: float = 400.0,
    base: float = 10.0,
    init: float = 1000.0,
    threads: int | None = None,
) -> pl.DataFrame:
    """How much of an Elo table is the order of its battles.

    Args:
        order: the battles, in the order whose ratings are held against the others.
        orders: how many random orders, two or more.
        seed: same seed, same orders.
        level: share of the orders between `elo_low` and `elo_high`.
        bootstrap: as in `elo_orders`.
        k: as in `online_elo`.
        scale: as in `online_elo`.
        base: as in `online_elo`.
        init: as in `online_elo`.
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
    rule = _rule(k, scale, base, init)
    given = rule.play(_packed(order), order.n_models)
    drawn = elo_orders(
        order,
        orders,
        seed,
        bootstrap=bootstrap,
        k=rule.k,
        scale=scale,
        base=base,
        init=init,
        threads=threads,
    )
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    columns: dict[str, Sequence[str] | Floats] = {
        "model": order.models,
        "elo": given,
        "elo_mean": drawn.mean(axis=0),
        "elo_std": drawn.std(axis=0, ddof=1),
        "elo_low": low,
        "elo_high": high,
    }
    return pl.DataFrame(columns).sort("elo", "model", descending=[True, False])
