"""Filters drop what they say, in order, with every vote accounted for; nulls are for neither."""

import datetime as dt
import itertools
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import votes
from worlds import battles, log, tied, won

from arena.battle_order import order_battles
from arena.battles import PLACE, read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.conditions import exclude_models, min_battles, multi_turn, random_share
from arena.design import build_design
from arena.errors import ColumnError, LabelError, NoEstimateError
from arena.filters import (
    Filter,
    count_rows,
    keep_places,
    need_one_of,
    placed_votes,
    refuse_nothing_left,
    select,
    where,
)
from arena.history import rate_history
from arena.schema import WINNERS
from arena.tally import count_pairs, tally_votes

CODE = where("code", pl.col("is_code"))
REFUSAL = where("refusal", pl.col("is_refusal"))
LONG = where("turns >= 2", pl.col("turns") >= 2)
ANY_OF_THREE = (True, False, None)


def numbered(frame):
    """A frame whose battles are called by their row, from 0."""
    return frame.with_columns(battle_id=pl.Series([str(i) for i in range(frame.height)]))


def read(frame, **options):
    """The battles of a frame, each called by its row."""
    return read_battles(numbered(frame), **options)


def rows_of(lazy):
    """The rows that some battles were, in the log's order."""
    return sorted(int(one) for one in lazy.select("battle_id").collect()["battle_id"])


def kept(given, *filters):
    """The rows that filters keep."""
    return rows_of(select(given, *filters).kept.frame)


def lasting(*turns):
    """A log of ties with these numbers of turns."""
    return log(*tied("a", "b", len(turns))).with_columns(turns=pl.Series(turns, dtype=pl.Int64))


# ── joining conditions, with Kleene's nulls ────────────────────────────────────────────────


def both(one, two):
    """Kleene's and."""
    return False if False in (one, two) else None if None in (one, two) else True


def either(one, two):
    """Kleene's or."""
    return True if True in (one, two) else None if None in (one, two) else False


def opposite(one):
    """Kleene's not."""
    return None if one is None else not one


JOINED = {
    "and": (CODE & REFUSAL, both),
    "or": (CODE | REFUSAL, either),
    "not": (~CODE, lambda code, _: opposite(code)),
    "neither": (~(CODE | REFUSAL), lambda code, refusal: opposite(either(code, refusal))),
    "one alone": (
        (CODE | REFUSAL) & ~(CODE & REFUSAL),
        lambda c, r: both(either(c, r), opposite(both(c, r))),
    ),
}


@pytest.mark.parametrize(("joined", "meaning"), JOINED.values(), ids=JOINED)
def test_filters_are_joined_by_kleenes_logic(joined, meaning):
    """A row is kept if the condition is true; where it is unknown, it is dropped and counted so."""
    table = list(itertools.product(ANY_OF_THREE, repeat=2))
    frame = log(*tied("a", "b", 9)).with_columns(
        is_code=pl.Series([code for code, _ in table]),
        is_refusal=pl.Series([refusal for _, refusal in table]),
    )

    selection = select(read(frame), joined)

    said = [meaning(code, refusal) for code, refusal in table]
    (funnel,) = selection.funnel.to_dicts()
    unknown = rows_of(selection.dropped.filter("unknown"))
    assert rows_of(selection.kept.frame) == [i for i, value in enumerate(said) if value]
    assert unknown == [i for i, value in enumerate(said) if value is None]
    assert (funnel["unknown"], funnel["after"]) == (said.count(None), said.count(True))


def test_a_row_that_does_not_tell_is_kept_neither_by_a_filter_nor_by_its_opposite():
    """The two together keep only the rows that tell."""
    given = read(lasting(1, 2, None, 3, None))

    long, short = kept(given, LONG), kept(given, ~LONG)

    assert (long, short) == ([1, 3], [0])
    assert select(given, ~LONG).funnel.row(0) == ("not turns >= 2", 5, 4, 2, 1)


@pytest.mark.parametrize(
    ("joined", "name"),
    [
        (CODE & REFUSAL, "code and refusal"),
        (CODE | REFUSAL, "code or refusal"),
        (~CODE, "not code"),
        (CODE & ~REFUSAL, "code and not refusal"),
        (~(CODE & REFUSAL), "not (code and refusal)"),
        ((CODE & REFUSAL) | LONG, "(code and refusal) or turns >= 2"),
        (CODE & (REFUSAL | LONG), "code and (refusal or turns >= 2)"),
        (CODE & REFUSAL & LONG, "(code and refusal) and turns >= 2"),
    ],
)
def test_a_combination_is_called_by_its_parts(joined, name):
    """With brackets wherever the words alone could be read in two ways."""
    assert joined.name == name


def test_a_combination_needs_the_columns_of_all_its_parts():
    """Each once, in the order in which they are named."""
    assert (CODE & REFUSAL).needs == ("is_code", "is_refusal")
    assert (~(LONG | CODE) & LONG).needs == ("turns", "is_code")


# ── one after another ──────────────────────────────────────────────────────────────────────


def test_a_filter_on_the_whole_log_sees_what_those_before_it_left():
    """Without c, b has one battle left, so the order of the two filters decides."""
    rows = [*won("a", "b"), *won("b", "c", 2), *won("a", "d", 2), *won("d", "a")]
    given, without, often = read(log(*rows)), exclude_models("c"), min_battles(2)

    first, last = kept(given, without, often), kept(given, often, without)

    assert first == [3, 4, 5]
    assert last == [0, 3, 4, 5]


def test_conditions_joined_by_and_are_judged_on_the_same_battles():
    """Unlike two filters one after the other: neither sees what the other left."""
    rows = [*won("a", "b"), *won("b", "c", 2), *won("a", "d", 2), *won("d", "a")]
    given, without, often = read(log(*rows)), exclude_models("c"), min_battles(2)

    assert kept(given, without & often) == kept(given, often & without) == [0, 3, 4, 5]


def test_selecting_twice_is_selecting_at_once():
    """Battles carry their conditions along."""
    given = read(lasting(1, 2, 3, 4, None))
    even = where("even", pl.col("turns") % 2 == 0)

    twice = select(select(given, LONG).kept, even)

    assert twice.funnel.rows() == select(given, LONG, even).funnel.rows()
    assert rows_of(twice.kept.frame) == [1, 3]


def test_no_filter_keeps_everything():
    """The funnel is empty, and so is the frame of what was dropped, which has its columns."""
    given = read(lasting(1, None))

    selection = select(given)

    dropped = selection.dropped.collect()
    assert rows_of(selection.kept.frame) == [0, 1]
    assert selection.funnel.rows() == []
    assert dropped.is_empty()
    assert {"reason", "unknown", "winner", "turns"} <= set(dropped.columns)


def test_what_is_dropped_has_the_first_reason_and_its_columns():
    """A battle is dropped once, by the first condition that it fails, known or unknown."""
    given = read(lasting(1, 2, None, 3, 4))
    even = where("even", pl.col("turns") % 2 == 0)

    dropped = select(given, LONG, even).dropped.collect()

    assert dropped.select("battle_id", "reason", "unknown").sort("battle_id").rows() == [
        ("0", "turns >= 2", False),
        ("2", "turns >= 2", True),
        ("3", "even", False),
    ]
    assert dropped.schema["winner"] == pl.Enum(WINNERS)
    assert set(dropped.columns) == {*given.columns, "source", "reason", "unknown"}


# ── the funnel adds up ─────────────────────────────────────────────────────────────────────

DIARY = [
    {**row, "turns": turns, "is_code": code, "anony": anony}
    for row, turns, code, anony in zip(
        votes(*["x y model_a", "y z tie", "z x model_b", "x z both_bad", "y x model_a"] * 8),
        itertools.cycle([1, 2, None, 3, 4, 1, 2]),
        itertools.cycle([True, False, None]),
        itertools.cycle([True] * 10 + [False]),
        strict=False,
    )
]
FAULTY = [
    {**votes("x x tie")[0], "turns": 3, "is_code": True, "anony": True},
    {"model_a": "x", "model_b": None, "winner": "tie", "turns": 1, "is_code": None, "anony": True},
    {"model_a": "x", "model_b": "y", "winner": None, "turns": None, "is_code": True, "anony": True},
]
COUNTED = {"model_a": ["x", "y"], "model_b": ["y", "z"], "wins_a": [3, 0], "wins_b": [2, 5]}


def plain_log():
    """One log with rejected and set-aside rows."""
    return read_battles(pl.DataFrame(DIARY + FAULTY)), [{**row, "number": 1} for row in DIARY]


def weighted_log():
    """Rows of several votes, each of a weight of its own."""
    extra = [{"number": 1 + i % 3, "w": 0.5 + i % 4} for i in range(len(DIARY))]
    rows = [{**row, **more} for row, more in zip(DIARY, extra, strict=True)]
    faulty = [{**row, "number": 9, "w": 7.0} for row in FAULTY]
    columns = {"votes": "number", "weight": "w"}
    return read_battles(pl.DataFrame(rows + faulty), columns=columns), rows


def several_logs():
    """A log with turns, one that tells nothing but votes, and one of counts."""
    bare = [row | dict.fromkeys(("turns", "is_code")) | {"anony": True} for row in DIARY[:9]]
    names = ("model_a", "model_b", "winner")
    counts = pl.DataFrame(COUNTED).with_columns(ties=pl.Series([0, 4]))
    frames = [pl.DataFrame(DIARY + FAULTY), pl.DataFrame(bare).select(names), counts]
    number = [
        {"model_a": a, "model_b": b, "number": n, "turns": None, "is_code": None, "anony": True}
        for a, b, n in [("x", "y", 5), ("y", "z", 9)]
    ]
    return read_battles(frames), [*({**row, "number": 1} for row in DIARY + bare), *number]


LOGS = {"plain": plain_log, "weighted": weighted_log, "several": several_logs}


STEPS = {
    "long": (LONG, lambda row: None if row["turns"] is None else row["turns"] >= 2),
    "code": (CODE, lambda row: row["is_code"]),
    "no z": (exclude_models("z"), lambda row: "z" not in (row["model_a"], row["model_b"])),
}
"""Filters, and what they mean in plain Python."""


@pytest.mark.parametrize("make", LOGS.values(), ids=LOGS)
@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids=" - ".join)
def test_the_funnel_adds_up(make, order):
    """It begins with the accepted votes, a step begins where the last ended, and counts end it."""
    given, rows = make()
    filters, meanings = zip(*(STEPS[name] for name in order), strict=True)

    selection = select(given, *filters)

    left, expected = [row for row in rows if row["anony"]], []
    for one, means in zip(filters, meanings, strict=True):
        said = {answer: [row for row in left if means(row) is answer] for answer in ANY_OF_THREE}
        yes, no, unknown = (sum(row["number"] for row in said[answer]) for answer in ANY_OF_THREE)
        expected.append((one.name, yes + no + unknown, no + unknown, unknown, yes))
        left = said[True]
    assert selection.funnel.rows() == expected
    counted = tally_votes(replace(selection.kept, parts=unweighted(selection.kept))).counts
    assert counted.n_battles == expected[-1][-1] > 0


def unweighted(given):
    """The parts of some battles, of which every vote weighs one."""
    return tuple(part.drop("weight", strict=False) for part in given.parts)


@pytest.mark.parametrize("make", LOGS.values(), ids=LOGS)
def test_every_row_of_every_source_is_accounted_for(make):
    """Accepted, set aside, rejected and filtered add up, and only filtering moves votes."""
    given, _ = make()

    before = tally_votes(given).readings
    after = tally_votes(select(given, LONG, CODE).kept).readings

    for one, two in zip(before, after, strict=True):
        apart = sum(two.set_aside.values()) + sum(two.rejected.values())
        assert two.rows == one.rows == pytest.approx(two.accepted + apart + two.filtered)
        assert (two.set_aside, two.rejected) == (one.set_aside, one.rejected)
        assert two.accepted + two.filtered == pytest.approx(one.accepted)
    assert sum(two.filtered for two in after) > 0


@pytest.mark.parametrize("make", LOGS.values(), ids=LOGS)
def test_kept_and_dropped_are_the_log(make):
    """What the conditions leave and what they drop are the accepted battles, each once."""
    given, _ = make()
    columns = [name for name in given.columns if name != "winner"]

    selection = select(given, LONG, CODE)

    parts = [one.select(columns).collect() for one in (selection.kept.frame, selection.dropped)]
    whole = given.frame.select(columns).collect()
    assert sorted(pl.concat(parts).rows(), key=str) == sorted(whole.rows(), key=str)


def test_whole_numbers_of_votes_are_whole_and_others_are_not_rounded():
    """A funnel of half votes keeps its halves."""
    frame = lasting(1, 2, 3).with_columns(number=pl.Series([1.0, 0.5, 2.0]))
    halves = read_battles(frame, columns={"votes": "number"})

    fractions, whole = (select(one, LONG).funnel for one in (halves, read(frame)))

    assert fractions.row(0) == ("turns >= 2", 3.5, 1.0, 0.0, 2.5)
    assert fractions.schema["before"] == pl.Float64
    assert whole.schema["before"] == pl.Int64


def test_a_filtered_vote_is_not_a_rejected_one():
    """The rejected rows of a log are the same whatever conditions its battles must meet."""
    given = read_battles(pl.DataFrame(DIARY + FAULTY))

    rejected = select(given, LONG).kept.rejected()

    assert rejected.rows() == given.rejected().rows()
    assert rejected["row"].to_list() == [41, 42, 43]


def test_the_account_of_a_log_says_how_many_votes_were_filtered_out():
    """Beside those that were lost for other reasons."""
    given = read_battles(pl.DataFrame(FAULTY + DIARY[:7]))

    account = tally_votes(select(given, LONG).kept).readings[0].account()

    assert account.startswith("frame: 33k format, 4 of 10 votes; 3 rejected (")
    assert account.endswith("; 3 filtered out")


def test_a_misspelt_vote_is_a_mistake_even_where_a_condition_drops_it():
    """What stands in the log does not depend on what is asked of it."""
    frame = lasting(1, 2, 3).with_columns(winner=pl.Series(["tye", "tie", "tie"]))

    with pytest.raises(LabelError, match="'tye'"):
        tally_votes(select(read(frame), LONG).kept)


# ── against a plain list, filtered one by one ──────────────────────────────────────────────


@dataclass(frozen=True)
class Twin:
    """A filter, and what it means: from a list of rows to true, false or None for each."""

    filter: Filter
    means: object

    def __repr__(self):
        """The filter's name, for hypothesis to show."""
        return self.filter.name


def of_row(name, expression, test):
    """A filter on a column of a row, and the same in plain Python."""
    return Twin(
        where(name, expression), lambda rows: [None if r[name] is None else test(r) for r in rows]
    )


def repeated():
    """Battles in languages that at least two of the battles left are in."""

    def among(given):
        counts = given.frame.group_by("language").agg(pl.len()).collect()
        return pl.col("language").is_in(counts.filter(pl.col("len") >= 2)["language"].drop_nulls())

    def slowly(rows):
        said = [row["language"] for row in rows]
        return [None if one is None else said.count(one) >= 2 for one in said]

    return Twin(Filter("repeated", ("language",), among), slowly)


LEAVES = st.sampled_from(
    [
        *(
            of_row("turns", pl.col("turns") >= at_least, lambda r, k=at_least: r["turns"] >= k)
            for at_least in (1, 2, 3)
        ),
        of_row("is_code", pl.col("is_code"), lambda r: r["is_code"]),
        of_row("language", pl.col("language") == "de", lambda r: r["language"] == "de"),
        repeated(),
    ]
)


def joined(one, two, way):
    """Two twins joined in one of three ways."""
    logic = {"and": both, "or": either}.get(way)
    if logic is None:
        return Twin(~one.filter, lambda rows: [opposite(value) for value in one.means(rows)])
    filters = one.filter & two.filter if way == "and" else one.filter | two.filter

    def means(rows):
        return [logic(*pair) for pair in zip(one.means(rows), two.means(rows), strict=True)]

    return Twin(filters, means)


TWINS = st.recursive(
    LEAVES,
    lambda inner: st.builds(joined, inner, inner, st.sampled_from(["and", "or", "not"])),
    max_leaves=4,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "turns": st.sampled_from([None, 1, 2, 3]),
            "is_code": st.sampled_from(ANY_OF_THREE),
            "language": st.sampled_from([None, "de", "en", "fr"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rows=ROWS, twins=st.lists(TWINS, min_size=1, max_size=4))
def test_any_conditions_keep_what_filtering_a_list_one_by_one_keeps(rows, twins):
    """The kept, the reasons, the unknown and the funnel, each step on what the last one left."""
    kinds = {"turns": pl.Int64, "is_code": pl.Boolean, "language": pl.String}
    told = pl.DataFrame(rows, schema=kinds)
    given = read(log(*won("a", "b", len(rows))).hstack(told))

    selection = select(given, *(twin.filter for twin in twins))

    left, steps, dropped = list(enumerate(rows)), [], {}
    for twin in twins:
        said = dict(zip((i for i, _ in left), twin.means([row for _, row in left]), strict=True))
        steps.append((len(left), list(said.values()).count(None)))
        dropped |= {i: (twin.filter.name, said[i] is None) for i in said if not said[i]}
        left = [(i, row) for i, row in left if said[i]]
    lost = selection.dropped.select("battle_id", "reason", "unknown").collect()
    funnel = selection.funnel
    assert rows_of(selection.kept.frame) == [i for i, _ in left]
    assert {int(i): (why, unknown) for i, why, unknown in lost.rows()} == dropped
    assert funnel.select("before", "unknown").rows() == steps
    assert funnel["after"].to_list() == [*(before for before, _ in steps[1:]), len(left)]


# ── reading late, and by place ─────────────────────────────────────────────────────────────


def watched(frame):
    """A lazy frame, and the list of the times that it was read."""
    readings = []

    def read_again(whole):
        readings.append(whole.height)
        return whole

    return frame.lazy().map_batches(read_again, schema=frame.schema), readings


def test_conditions_on_rows_read_nothing_before_something_is_asked():
    """Then one pass counts and judges all of them; a filter on the whole log reads at once."""
    frame, readings = watched(lasting(1, 2, 3, None))
    given = read_battles(frame)

    selection = select(given, LONG, where("few", pl.col("turns") < 3) | ~LONG)

    assert readings == []
    assert selection.funnel["after"].to_list() == [2, 1]
    assert readings == [4]
    select(given, min_battles(1))
    assert readings == [4, 4]


@pytest.mark.parametrize("n_logs", [1, 3])
def test_rows_are_kept_by_their_place_over_all_sources(n_logs):
    """Rejected rows have a place, too; long logs are read in pieces, and several on."""
    frame = numbered(pl.concat([battles(4, 500, seed=1)] * 400)).with_columns(
        winner=pl.when(pl.int_range(pl.len()) % 7 == 3).then(None).otherwise("winner")
    )
    cut = np.linspace(0, frame.height, n_logs + 1).astype(int)
    given = read_battles([frame[i:j] for i, j in itertools.pairwise(cut)])
    flags = np.random.default_rng(0).random(frame.height) < 0.3

    some = select(given, Filter("flagged", (), lambda _: keep_places(flags))).kept

    expected = [i for i in np.flatnonzero(flags) if i % 7 != 3]
    placed = placed_votes(some, ["battle_id"])
    assert count_rows(given) == count_rows(some) == frame.height
    assert rows_of(some.frame) == expected
    assert placed[PLACE].to_list() == placed["battle_id"].cast(pl.Int64).to_list() == expected
    assert tally_votes(some).counts.n_battles == len(expected)


def test_votes_with_their_place_are_those_that_count():
    """In the log's order, with any expression over their columns."""
    frame = lasting(4, 2, None, 3).with_columns(winner=pl.Series(["tie", None, "tie", "tie"]))

    placed = placed_votes(read_battles(frame), [pl.col("turns") * 2, "model_a"])

    assert placed.rows() == [(0, 8, "a"), (2, None, "a"), (3, 6, "a")]


# ── whoever reads battles reads those kept ─────────────────────────────────────────────────

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def diary(n_battles):
    """A log with turns, judges, times and lengths of answers."""
    rng = np.random.default_rng(5)
    return battles(5, n_battles, seed=5).with_columns(
        turns=pl.Series(rng.integers(1, 4, n_battles)),
        judge=pl.Series([f"j{k}" for k in rng.integers(0, 9, n_battles)]),
        tstamp=pl.Series([START + dt.timedelta(hours=int(h)) for h in rng.permutation(n_battles)]),
        tokens_a=pl.Series(rng.integers(1, 99, n_battles)),
        tokens_b=pl.Series(rng.integers(1, 99, n_battles)),
    )


def as_order(given):
    """Online Elo's battles."""
    order = order_battles(given)
    sides = [np.array(order.models)[side].tolist() for side in (order.left, order.right)]
    return sides, order.half_points.tolist()


def as_design(given):
    """Style control's battles."""
    design = build_design(given, ["tokens"], cluster="judge")
    return design.models, design.points.tolist(), design.covariates.tolist()


def as_clusters(given):
    """Votes by judge."""
    clusters = count_clusters(given, "judge")
    return clusters.values.to_list(), clusters.table.toarray().tolist()


READERS = {
    "rating": lambda given: fit_bradley_terry(tally_votes(given).counts).log_odds.tolist(),
    "counting": lambda given: count_pairs(given).frame().rows(),
    "order": as_order,
    "design": as_design,
    "clusters": as_clusters,
    "history": lambda given: rate_history(given, every="week").frame.rows(),
    "frame": lambda given: given.frame.select(given.columns).collect().rows(),
}


@pytest.mark.parametrize("cuts", [[0, 600], [0, 250, 600]], ids=["one log", "two logs"])
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_every_reader_sees_only_the_battles_kept(reader, cuts):
    """Conditions on rows and on places give what a log without the dropped rows gives."""
    frame = diary(600)
    flags = np.random.default_rng(1).random(600) < 0.8
    given = read_battles([frame[i:j] for i, j in itertools.pairwise(cuts)])

    some = select(given, Filter("some", (), lambda _: keep_places(flags)), multi_turn()).kept

    less = frame.filter(pl.Series(flags) & (frame["turns"] >= 2))
    assert 100 < less.height < 500
    assert reader(some) == reader(read_battles(less))


# ── refusing ───────────────────────────────────────────────────────────────────────────────


def test_a_missing_column_is_named_with_those_there_are():
    """Also where it is only one part of a combination, and whatever filters stand before it."""
    given = read_battles(lasting(1, 2))

    with pytest.raises(ColumnError) as raised:
        select(given, LONG, LONG & CODE)

    assert str(raised.value) == (
        "no column 'is_code', which the filter 'turns >= 2 and code' needs; "
        "these votes have model_a, model_b, winner, turns"
    )


def test_one_of_several_columns_is_enough():
    """The first that the battles have; if they have none, all are named."""
    given = read_battles(lasting(1))

    assert need_one_of(given, ("user_text", "turns", "winner"), "x") == "turns"
    with pytest.raises(ColumnError, match="no column 'user_text' or 'prompt', which"):
        need_one_of(given, ("user_text", "prompt"), "x")


def test_a_condition_is_true_or_false():
    """The error names the filter, and does not say that the log cannot be read."""
    with pytest.raises(ColumnError, match="odd"):
        tally_votes(select(read_battles(lasting(1, 2)), where("odd", pl.col("turns") % 2)).kept)


def test_a_log_may_have_places_of_its_own():
    """A covariate may have any name."""
    frame = lasting(1, 2, 3, 4).with_columns(place=pl.Series([5.0, 6.0, 7.0, 8.0]))
    given = read_battles(numbered(frame), keep=["place"])

    assert kept(given, random_share(1.0)) == [0, 1, 2, 3]


TOLD = lasting(1, 2, 3, None, 5).with_columns(
    language=pl.Series(["de", "en", "en", None, "fr"]),
    tstamp=pl.Series([START + dt.timedelta(days=i) for i in range(5)]),
    prompt=pl.Series([f"prompt {i}" for i in range(4)] + ["prompt 3"]),
    judge=pl.lit(None, pl.String),
    user_tokens=pl.lit(None, pl.Int64),
    is_code=pl.Series([True, True, None, True, True]),
)
REFUSED = {
    "numbers": (pl.col("turns") > 9, "turns from 1 to 5"),
    "times": (
        pl.col("tstamp") < START,
        r"tstamp from 2024-01-01 00:00:00\+00:00 to 2024-01-05 00:00:00\+00:00",
    ),
    "texts": (pl.col("language") == "xx", r"language en \(2\), none \(1\), de \(1\), fr \(1\)"),
    "flags": (~pl.col("is_code"), r"is_code True \(4\), none \(1\)"),
    "no numbers": (pl.col("user_tokens") > 1, "no user_tokens at all"),
    "no texts": (pl.col("judge") == "x", r"judge none \(5\)"),
    "two columns": (
        (pl.col("turns") > 3) & (pl.col("language") == "de"),
        r"turns from 1 to 5; language en \(2\), .*",
    ),
}


@pytest.mark.parametrize(("condition", "there"), REFUSED.values(), ids=REFUSED)
def test_filters_that_leave_nothing_say_what_there_is(condition, there):
    """The range of a number or a time, and the commonest values of anything else."""
    given = select(read_battles(TOLD), where("mine", condition)).kept

    message = f"^no votes to rate: 'mine' drops all 5 votes that are left; there are {there}$"
    with pytest.raises(NoEstimateError, match=message):
        refuse_nothing_left(given, tally_votes(given))


def test_the_filter_that_took_the_last_votes_is_the_one_named():
    """With what the ones before it had left, not with what the whole log has."""
    given = select(
        read_battles(TOLD),
        LONG,
        where("French", pl.col("language") == "fr"),
        where("short", pl.col("turns") < 2),
        where("code", pl.col("is_code")),
    ).kept

    message = "'short' drops all 1 vote that are left; there are turns from 5 to 5$"
    with pytest.raises(NoEstimateError, match=message):
        refuse_nothing_left(given, tally_votes(given))


def test_of_two_filters_of_one_name_the_right_one_is_named():
    """What there is to choose from is what the second of them saw."""
    few = [where("few", pl.col("turns") >= at_least) for at_least in (2, 9)]
    given = select(read_battles(TOLD), *few).kept

    with pytest.raises(NoEstimateError, match="turns from 2 to 5"):
        refuse_nothing_left(given, tally_votes(given))


def test_many_values_are_cut_short():
    """Eight are shown, commonest first and then by name."""
    frame = log(*tied("a", "b", 12)).with_columns(
        prompt=pl.Series([f"p{i}" for i in range(10)] + ["p9", "p9"])
    )
    given = select(read_battles(frame), where("mine", pl.col("prompt") == "q")).kept

    with pytest.raises(NoEstimateError) as raised:
        refuse_nothing_left(given, tally_votes(given))

    shown = ", ".join(["p9 (3)", *(f"p{i} (1)" for i in range(7))])
    assert str(raised.value).endswith(f"there are prompt {shown} and others")


def test_what_a_refusal_quotes_is_safe_and_short():
    """Names and values come from vote logs: no control characters, and no novel."""
    frame = log(*tied("a", "b")).with_columns(prompt=pl.lit("\x1b[31m" + "long " * 50))
    given = select(read_battles(frame), where("my\x1b[0m", pl.col("prompt") == "q")).kept

    with pytest.raises(NoEstimateError) as raised:
        refuse_nothing_left(given, tally_votes(given))

    message = str(raised.value)
    assert "\x1b" not in message
    assert len(message) < 150


def test_a_filter_without_a_column_has_nothing_to_list():
    """Then the message ends with what was dropped."""
    given = select(read_battles(TOLD), random_share(1e-9)).kept

    with pytest.raises(NoEstimateError, match=r"'random 1e-09 \(seed 0\)' drops all 5 .* left$"):
        refuse_nothing_left(given, tally_votes(given))


def test_a_log_that_was_empty_to_begin_with_is_no_filters_fault():
    """The account of its rows is given, as without filters."""
    given = select(read_battles(log(*tied("a", "a", 3)).with_columns(turns=pl.lit(1))), LONG).kept

    with pytest.raises(NoEstimateError, match="to rate: frame: plain format, 0 of 3 votes"):
        refuse_nothing_left(given, tally_votes(given))


def test_filters_that_leave_something_are_not_refused():
    """Not even if a later one drops nothing."""
    given = select(read_battles(TOLD), LONG, where("all", pl.col("turns") > 0)).kept

    refuse_nothing_left(given, tally_votes(given))
