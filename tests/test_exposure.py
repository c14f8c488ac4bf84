"""Which side had seen the prompt: from a match, or from columns that the log brings."""

import polars as pl
import pytest

from arena.battles import read_battles
from arena.conditions import multi_turn
from arena.errors import ColumnError, OptionError
from arena.exposure import (
    count_exposure,
    expose,
    exposed_models,
    tally_exposure,
    with_known_exposure,
)
from arena.filters import select
from arena.overlap_rules import OverlapRule
from arena.prompt_match import COLUMNS, Match
from arena.tally import tally_votes
from arena.unseen_filter import unseen

CLASSES = {
    "code": ("seen", False),
    "math": ("unseen", False),
    "hi": ("short", False),
    "hello there": ("seen", True),
    "poem": ("seen", False),
}
"""Prompt → its class in the corpus, and whether it is a stock prompt."""


def match_of(classes=None, trained=None, text="prompt"):
    """A match: corpus → prompt → class and stock; by default one corpus, of x and y."""
    classes = classes or {"c": CLASSES}
    rows = [
        {"prompt": prompt, "battles": 1, "corpus": corpus, "class": kind, "stock": stock}
        for corpus, held in classes.items()
        for prompt, (kind, stock) in held.items()
    ]
    frame = pl.DataFrame(
        [{name: row.get(name) for name in COLUMNS} for row in rows], schema=dict(COLUMNS)
    )
    trained = {"c": ("x", "y")} if trained is None else trained
    return Match(frame, OverlapRule(), text, trained, {"votes": ["votes.csv"]})


def asked(*rows, **columns):
    """Battles: (model_a, model_b, prompt)."""
    frame = pl.DataFrame(rows, schema=["model_a", "model_b", "prompt"], orient="row")
    return read_battles(frame.with_columns(winner=pl.lit("tie"), **columns))


def flags(battles):
    """What is said of each battle: seen_a, seen_b, seen."""
    return battles.frame.select("seen_a", "seen_b", "seen").collect().rows()


def own(**columns):
    """A log that brings columns itself: x met y so many times."""
    n = len(next(iter(columns.values())))
    frame = pl.DataFrame({"model_a": ["x"] * n, "model_b": ["y"] * n, "winner": ["tie"] * n})
    given = {name: pl.Series(values) for name, values in columns.items()}
    return read_battles(frame.with_columns(**given), keep=["seen"])


# ── from a match ───────────────────────────────────────────────────────────────────────────


def test_a_side_had_seen_what_a_corpus_of_its_model_had():
    """The prompt must be in the corpus, and the model trained on it."""
    battles = asked(("x", "z", "code"), ("z", "y", "code"), ("x", "y", "code"), ("z", "w", "code"))

    shown = expose(battles, match_of())

    assert flags(shown) == [
        (True, False, True),
        (False, True, True),
        (True, True, True),
        (False, False, True),
    ]


def test_prompts_unseen_short_or_stock_are_not_seen():
    """What cannot be judged, and what everybody asks, says nothing of training."""
    battles = asked(("x", "z", "math"), ("x", "z", "hi"), ("x", "z", "hello there"))

    assert flags(expose(battles, match_of())) == [(False, False, False)] * 3


def test_a_battle_without_a_prompt_is_not_known():
    """Neither seen nor unseen."""
    battles = asked(("x", "z", None), ("x", "z", "code"))

    assert flags(expose(battles, match_of())) == [(None, None, None), (True, False, True)]


def test_each_model_had_seen_its_own_corpora():
    """Two corpora, a model in each, and one in both; a corpus of nobody counts for nothing."""
    kinds = {"code": ("seen", False), "math": ("unseen", False), "poem": ("unseen", False)}
    other = {"code": ("unseen", False), "math": ("seen", False), "poem": ("unseen", False)}
    nobody = {"code": ("seen", False), "math": ("seen", False), "poem": ("seen", False)}
    match = match_of(
        {"c": kinds, "d": other, "n": nobody}, {"c": ("x", "w"), "d": ("y", "w"), "n": ()}
    )
    battles = asked(("x", "y", "code"), ("x", "y", "math"), ("w", "x", "math"), ("x", "y", "poem"))

    assert flags(expose(battles, match)) == [
        (True, False, True),
        (False, True, True),
        (True, False, True),
        (False, False, False),
    ]


def test_dropping_short_prompts_is_a_condition_like_others():
    """The battles on them are in the funnel, and so are those without a prompt."""
    rows = [("x", "z", "hi"), ("x", "z", "hello there"), ("x", "z", "math"), ("x", "z", None)]

    shown = expose(asked(*rows), match_of(), "drop")

    assert shown.frame.collect().height == 1
    assert select(shown).funnel.rows() == [("prompt neither short nor stock", 4, 3, 1, 1)]


def test_conditions_that_battles_have_are_kept():
    """A filter before and after."""
    battles = asked(("x", "z", "code"), ("x", "z", "math"), turns=pl.Series([1, 2]))

    before = expose(select(battles, multi_turn()).kept, match_of())
    after = select(expose(battles, match_of()), multi_turn()).kept

    assert flags(before) == flags(after) == [(False, False, False)]


def test_what_is_exposed_is_what_unseen_by_model_drops():
    """Two ways of asking the same."""
    rows = [(a, b, p) for a, b in (("x", "z"), ("w", "y"), ("z", "w")) for p in CLASSES]
    battles, match = asked(*rows), match_of()

    shown = expose(battles, match).frame.filter(~(pl.col("seen_a") | pl.col("seen_b"))).collect()

    kept = select(battles, unseen(match, by="model")).kept.frame
    kept = kept.select("model_a", "model_b", "prompt").collect()
    assert shown.select("model_a", "model_b", "prompt").rows() == kept.rows()


def test_logs_of_which_one_has_no_prompts():
    """There nobody knows."""
    with_prompts = pl.DataFrame(
        {"model_a": ["x"], "model_b": ["z"], "winner": ["tie"], "prompt": ["code"]}
    )
    battles = read_battles([with_prompts, with_prompts.drop("prompt")])

    assert flags(expose(battles, match_of())) == [(True, False, True), (None, None, None)]


def test_all_user_turns_can_be_what_was_matched():
    """The match says which column it looked at."""
    battles = asked(("x", "z", "hi"), user_text=pl.Series(["code"]))

    assert flags(expose(battles, match_of(text="user_text"))) == [(True, False, True)]


def test_nothing_is_read_before_it_is_asked_for():
    """Parts stay lazy."""
    shown = expose(asked(("x", "z", "code")), match_of())

    assert all(isinstance(part, pl.LazyFrame) for part in shown.parts)


@pytest.mark.parametrize(
    ("battles", "match", "options", "error", "message"),
    [
        (asked(("x", "z", "other")), match_of(), {}, OptionError, "lacks 1 prompt"),
        (asked(("x", "z", "code")), match_of(trained={"c": ()}), {}, OptionError, "--trained"),
        (asked(("x", "z", "code")), match_of(), {"short": "no"}, OptionError, "keep, drop"),
        (own(turns=[1]), match_of(), {}, ColumnError, "no column 'prompt'"),
        (
            read_battles(
                pl.DataFrame(
                    {
                        "model_a": ["x"],
                        "model_b": ["z"],
                        "winner": ["tie"],
                        "prompt": ["code"],
                        "seen_a": [1],
                    }
                ),
                keep=["seen"],
            ),
            match_of(),
            {},
            ColumnError,
            "'seen_a' already",
        ),
    ],
)
def test_what_cannot_be_said_is_an_error(battles, match, options, error, message):
    """A match of other votes or of nobody's training, votes without prompts, or told already."""
    with pytest.raises(error, match=message):
        expose(battles, match, **options)


# ── who had seen how much ──────────────────────────────────────────────────────────────────


def test_shares_are_of_the_battles_whose_prompt_is_known():
    """Counted by hand: x saw two of three, y one of one, z nothing."""
    rows = [("x", "z", "code"), ("z", "x", "poem"), ("x", "z", "math"), ("x", "z", None)]
    battles = asked(*rows, ("z", "y", "code"))

    table = exposed_models(expose(battles, match_of()))

    assert table.rows() == [
        ("y", 1.0, 1.0, 1.0),
        ("x", 3.0, 2.0, 2 / 3),
        ("z", 4.0, 0.0, 0.0),
    ]


def test_a_row_may_stand_for_many_votes():
    """Votes are counted, not rows."""
    frame = pl.DataFrame(
        {
            "model_a": ["x", "x"],
            "model_b": ["y", "y"],
            "winner": ["tie", "model_a"],
            "v": [3.0, 1.0],
            "seen_a": [True, False],
            "seen_b": [False, False],
        }
    )
    battles = read_battles(frame, columns={"votes": "v"}, keep=["seen"])

    assert exposed_models(battles).rows()[0] == ("x", 4.0, 3.0, 0.75)


@pytest.mark.parametrize(
    "values", [([True, False], [False, False]), ([1, 0], [0, 0]), ([1.0, 0.0], [0.0, 0.0])]
)
def test_columns_of_the_log_do_as_well(values):
    """True and false, or 1 and 0: simulated votes need no texts."""
    battles = own(seen_a=values[0], seen_b=values[1])

    assert exposed_models(battles).rows() == [("x", 2.0, 1.0, 0.5), ("y", 2.0, 0.0, 0.0)]


def test_battles_of_unknown_exposure_are_dropped_and_counted():
    """A null on either side is enough."""
    battles = own(seen_a=[True, None, False], seen_b=[False, False, None])

    known = with_known_exposure(battles)

    assert known.frame.collect().height == 1
    assert select(known).funnel.rows() == [("prompt known", 3, 2, 0, 1)]


def test_the_account_of_rows_is_that_of_a_pass_of_its_own():
    """Votes lost before, to the condition, and to an unknown exposure add up the same."""
    frame = pl.DataFrame(
        {
            "model_a": ["x", "x", "y", "x", "y", None],
            "model_b": ["y", "z", "z", "y", "x", "x"],
            "winner": ["tie", "model_a", "model_b", "model_a", "both_bad", "tie"],
            "turn": [2, 2, 2, 1, 3, 2],
            "seen_a": [True, None, False, True, False, True],
            "seen_b": [False, False, True, False, False, True],
        }
    )
    battles = select(read_battles(frame, keep=["seen"]), multi_turn(2)).kept

    tally, groups = tally_exposure(battles)

    alone = tally_votes(with_known_exposure(battles))
    assert groups["n"].sum() == 3
    assert tally.funnel["dropped"].to_list() == [1, 1]
    assert tally.funnel.equals(alone.funnel)
    assert tally.readings == alone.readings
    assert tally.counts.models == alone.counts.models
    assert tally.counts.pairs.tolist() == alone.counts.pairs.tolist()
    assert tally.counts.outcomes.tolist() == alone.counts.outcomes.tolist()


def test_without_the_third_column_nothing_is_known_of_other_models():
    """`seen` is null, and then there can be no control."""
    groups = count_exposure(own(seen_a=[True, False], seen_b=[False, False]))

    assert groups["seen"].is_null().all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"seen_a": [0.5, 1.0], "seen_b": [0.0, 0.0]}, "'seen_a': 0.5 is neither 0 nor 1"),
        ({"seen_a": [1, 0]}, "no column 'seen_b'"),
        ({"seen_a": [1, 0], "seen_b": [0, 0], "seen": [0, 0]}, "'seen': is false in battles"),
    ],
)
def test_columns_that_say_something_else_are_refused(columns, message):
    """A score is no flag, one side is not both, and columns must agree."""
    with pytest.raises(ColumnError, match=message):
        count_exposure(own(**columns))


def test_text_is_no_flag():
    """A battle column that is text by its nature, taken for a flag."""
    frame = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["tie"]})
    battles = read_battles(frame)
    part = battles.parts[0].with_columns(seen_a=pl.lit("yes"), seen_b=pl.lit("no"))
    told = type(battles)((part,), battles.sources, battles.formats)

    with pytest.raises(ColumnError, match="'seen_a' is string"):
        count_exposure(told)
