"""Each condition keeps the battles that its name says, up to the edge and not beyond."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from scipy import stats
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.conditions import (
    LANGUAGES,
    anonymous,
    exactly_turns,
    exclude_models,
    first_turn,
    flagged,
    hard,
    known_language,
    language,
    last_turn,
    min_battles,
    multi_turn,
    no_both_bad,
    no_ties,
    only_models,
    prompt_tokens,
    random_share,
    since,
    single_turn,
    until,
)
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import select, where
from arena.schema import SPELLINGS
from arena.tally import tally_votes


def having(**columns):
    """A log of ties between a and b with more columns, each battle called by its row."""
    (height,) = {len(values) for values in columns.values()}
    told = {name: pl.Series(values) for name, values in columns.items()}
    return numbered(log(*tied("a", "b", height)).with_columns(**told))


def numbered(frame):
    """A frame whose battles are called by their row, from 0."""
    return frame.with_columns(battle_id=pl.Series([str(i) for i in range(frame.height)]))


def kept(frame, *filters, **options):
    """The rows of a frame, or of battles, that filters keep."""
    given = read_battles(frame, **options) if isinstance(frame, pl.DataFrame) else frame
    found = select(given, *filters).kept.frame.select("battle_id").collect()["battle_id"]
    return sorted(int(one) for one in found)


def unknown(frame, *filters):
    """The rows of a frame that are dropped because they do not tell."""
    dropped = select(read_battles(frame), *filters).dropped.filter("unknown").collect()
    return sorted(int(one) for one in dropped["battle_id"])


# ── turns ──────────────────────────────────────────────────────────────────────────────────

LASTING = having(turns=[1, 2, None, 3, 1], session_turns=[4, None, 2, 3, 1])


@pytest.mark.parametrize(
    ("wanted", "name", "rows"),
    [
        (multi_turn(), "turns >= 2", [1, 3]),
        (multi_turn(3), "turns >= 3", [3]),
        (multi_turn(4), "turns >= 4", []),
        (multi_turn(of="session_turns"), "session_turns >= 2", [0, 2, 3]),
        (multi_turn(4, of="session_turns"), "session_turns >= 4", [0]),
        (exactly_turns(2), "turns == 2", [1]),
        (exactly_turns(3, of="session_turns"), "session_turns == 3", [3]),
        (single_turn(), "turns == 1", [0, 4]),
        (single_turn(of="session_turns"), "session_turns == 1", [4]),
        (first_turn(), "turns == 1", [0, 4]),
    ],
)
def test_turns_are_counted_up_to_the_edge(wanted, name, rows):
    """At least is at least, exactly is exactly, of the conversation or of the session."""
    assert wanted.name == name
    assert kept(LASTING, wanted) == rows
    assert unknown(LASTING, wanted) == ([1] if wanted.needs == ("session_turns",) else [2])


@pytest.mark.parametrize("at_least", [1, 0, -2])
def test_less_than_two_turns_are_not_many(at_least):
    """The error quotes the number."""
    with pytest.raises(OptionError, match=f"multi-turn: {at_least} is not .* at least 2"):
        multi_turn(at_least)


@pytest.mark.parametrize("turns", [0, -1])
def test_a_conversation_has_a_turn(turns):
    """The error quotes the number."""
    with pytest.raises(OptionError, match=f"turns: {turns} is not .* at least 1"):
        exactly_turns(turns)


JUDGED = numbered(
    log(*tied("a", "b", 4), ("a", "a", "tie"), *tied("a", "b", 4)).with_columns(
        prompt=pl.Series(["p", "p", "q", "r", "r", "r", "s", None, "q"]),
        turns=pl.Series([1, 2, 1, 2, 3, 1, None, 1, 1]),
    )
)


def test_the_last_turn_is_the_last_that_was_judged_of_its_prompt():
    """A prompt judged once has one; rejected votes judge nothing; what is not known is unknown."""
    assert kept(JUDGED, last_turn()) == [1, 2, 3, 8]
    assert unknown(JUDGED, last_turn()) == [6, 7]


def test_the_last_turn_is_the_last_among_the_battles_left():
    """After a filter on turns, the first one may be the last."""
    assert kept(JUDGED, first_turn(), last_turn()) == [0, 2, 5, 8]


def test_the_last_turn_of_prompts_that_nobody_counted_is_unknown():
    """A log whose turns are all unknown keeps nothing, and says so."""
    frame = having(prompt=["p", "q"], turns=pl.Series([None, None], dtype=pl.Int64))

    assert kept(frame, last_turn()) == []
    assert unknown(frame, last_turn()) == [0, 1]


# ── language ───────────────────────────────────────────────────────────────────────────────

SPOKEN = having(
    language=["English", "en", "EN", "german", "de", "zh-Hant", "ChineseT", "zh", "Chinese", None]
)
"""Older logs write names, newer ones codes."""


@pytest.mark.parametrize(
    ("names", "name", "rows"),
    [
        (["English"], "language is English", [0, 1, 2]),
        (["en"], "language is English", [0, 1, 2]),
        (["eNgLiSh"], "language is English", [0, 1, 2]),
        ([" EN "], "language is English", [0, 1, 2]),
        (["zh-Hant"], "language is ChineseT", [5, 6]),
        (["chineset"], "language is ChineseT", [5, 6]),
        (["zh"], "language is Chinese", [7, 8]),
        (["de", "English"], "language in German, English", [0, 1, 2, 3, 4]),
        (["fr"], "language is French", []),
        (["Klingon"], "language is Klingon", []),
    ],
)
def test_a_language_goes_by_its_name_or_its_code_in_any_case(names, name, rows):
    """Whichever of them is asked for, and whichever the log writes."""
    wanted = language(*names)

    assert wanted.name == name
    assert kept(SPOKEN, wanted) == rows
    assert unknown(SPOKEN, wanted) == [9]


def test_a_language_without_a_code_is_matched_as_it_is_written():
    """In any case, too."""
    frame = having(language=["Klingon", "klingon", "Klingonese", "en"])

    assert kept(frame, language("KLINGON")) == [0, 1]


def test_every_code_and_its_name_are_one_language():
    """And no other: no two codes share a name, and no name is another's code."""
    codes, names = list(LANGUAGES), list(LANGUAGES.values())
    frame = having(language=[*codes, *names])

    assert len({one.casefold() for one in (*codes, *names)}) == 2 * len(codes)
    for i, (code, name) in enumerate(LANGUAGES.items()):
        assert kept(frame, language(code.upper())) == [i, len(codes) + i]
        assert language(name.lower()).name == language(code).name == f"language is {name}"


BLANK = [" "]


@pytest.mark.parametrize("names", [[], [""], ["en", ""], BLANK])
def test_no_language_is_refused(names):
    """The error says what one looks like."""
    with pytest.raises(OptionError, match="language: name at least one"):
        language(*names)


def test_a_language_is_known_unless_the_log_says_it_is_not():
    """By any of the words for that, or by nothing."""
    frame = having(language=["English", "unknown", "UNKNOWN", "und", "un", "", None, "Klingon"])

    assert kept(frame, known_language()) == [0, 7]
    assert kept(frame, ~known_language()) == [1, 2, 3, 4, 5, 6]


# ── models ─────────────────────────────────────────────────────────────────────────────────

NAMED = numbered(
    log(
        ("gpt-4", "claude-1", "tie"),
        ("claude-2", "gpt-4", "tie"),
        ("claude-1", "claude-2", "tie"),
        ("gpt-4-turbo", "palm [2]", "tie"),
        ("palm [2]", "Claude-3", "tie"),
    )
)


@pytest.mark.parametrize(
    ("patterns", "without", "among"),
    [
        (["claude-1"], [1, 3, 4], []),
        (["claude-*"], [3, 4], [2]),
        (["gpt-4"], [2, 3, 4], []),
        (["gpt-4*", "palm*"], [2], [3]),
        (["gpt-4", "claude-?"], [3, 4], [0, 1, 2]),
        (["palm [2]"], [0, 1, 2], []),
        (["[cC]laude-[13]"], [1, 3], []),
        (["*"], [], [0, 1, 2, 3, 4]),
    ],
)
def test_models_go_by_name_or_by_pattern(patterns, without, among):
    """Either side counts for leaving out, both for staying in; a name is also its own pattern."""
    assert kept(NAMED, exclude_models(*patterns)) == without
    assert kept(NAMED, only_models(*patterns)) == among
    assert exclude_models(*patterns).name == f"without {', '.join(patterns)}"
    assert only_models(*patterns).name == f"among {', '.join(patterns)}"


CHOOSERS = {"exclude-models": exclude_models, "only-models": only_models}


@pytest.mark.parametrize(("option", "choose"), CHOOSERS.items())
def test_a_model_that_is_not_there_is_an_error_that_guesses(option, choose):
    """Names that are close are offered; where none is, nothing is."""
    near = f"{option}: no model 'claud-1' in these votes; did you mean claude-1"
    with pytest.raises(OptionError, match=near):
        kept(NAMED, choose("gpt-4", "claud-1"))
    with pytest.raises(OptionError, match=f"{option}: no model 'xyz' in these votes$"):
        kept(NAMED, choose("xyz"))
    with pytest.raises(OptionError, match=f"{option}: name at least one model"):
        kept(NAMED, choose())


@pytest.mark.parametrize("choose", CHOOSERS.values(), ids=CHOOSERS)
def test_models_are_those_of_the_battles_left(choose):
    """One whose battles an earlier filter dropped is not there any more."""
    with pytest.raises(OptionError, match="no model 'claude-2'"):
        kept(NAMED, exclude_models("claude-2"), choose("claude-2"))


def slowly_often(rows, at_least):
    """Leave out whoever has too few battles, and look again, until nobody is left out."""
    while True:
        met = [model for _, *sides in rows for model in sides]
        often = {model for model in met if met.count(model) >= at_least}
        left = [row for row in rows if often >= set(row[1:])]
        if left == rows:
            return [number for number, *_ in rows]
        rows = left


@pytest.mark.parametrize("seed", range(6))
def test_models_have_enough_battles_among_themselves(seed):
    """At any threshold, what a slow loop leaves that starts again whenever it drops a model."""
    frame = numbered(battles(9, 70, seed=seed))
    rows = [(i, *sides) for i, sides in enumerate(frame.select("model_a", "model_b").rows())]
    at_least = 1

    while expected := slowly_often(rows, at_least):
        assert kept(frame, min_battles(at_least)) == expected
        at_least += 1

    assert at_least > 5
    with pytest.raises(NoEstimateError, match=f"min-battles: no models have {at_least} battles"):
        kept(frame, min_battles(at_least))


def test_leaving_models_out_goes_on_as_long_as_somebody_falls_short():
    """A chain unravels from its end; a triangle holds."""
    chain = [(f"c{i}", f"c{i + 1}", "tie") for i in range(6)]
    triangle = [("x", "y", "tie"), ("y", "z", "tie"), ("z", "x", "tie"), ("x", "c0", "tie")]
    frame = numbered(log(*chain, *triangle))

    assert kept(frame, min_battles(2)) == [6, 7, 8]
    assert kept(frame, min_battles(1)) == list(range(10))
    assert select(read_battles(frame), min_battles(2)).funnel.rows() == [
        ("models with >= 2 battles", 10, 7, 0, 3)
    ]


def test_battles_of_a_counted_log_are_its_votes():
    """Four rows of three votes are twelve battles, and not four."""
    frame = numbered(log(*won("a", "b", 2), *won("b", "a", 2))).with_columns(n=pl.lit(3))

    assert kept(frame, min_battles(12), columns={"votes": "n"}) == [0, 1, 2, 3]
    with pytest.raises(NoEstimateError, match="min-battles: no models have 13 battles"):
        kept(frame, min_battles(13), columns={"votes": "n"})


def test_ten_battles_are_ten_whatever_each_of_them_weighs():
    """Equal weights change nothing about who has how many battles."""
    frame = numbered(log(*won("a", "b", 10))).with_columns(w=pl.lit(0.1))

    assert kept(frame, min_battles(10), columns={"weight": "w"}) == list(range(10))


def test_no_battles_are_not_enough():
    """The error quotes the number."""
    with pytest.raises(OptionError, match="min-battles: 0 is not a number of battles of at least"):
        min_battles(0)


# ── time ───────────────────────────────────────────────────────────────────────────────────

MIDNIGHT = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)
HALF_PAST = MIDNIGHT.replace(hour=12, minute=30, second=5)
PLUS_TWO = dt.timezone(dt.timedelta(hours=2))
TICK = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("moment", "meant", "shown"),
    [
        ("2024-07-01", MIDNIGHT, "2024-07-01"),
        ("20240701", MIDNIGHT, "2024-07-01"),
        ("2024-07-01T00:00", MIDNIGHT, "2024-07-01"),
        ("2024-07-01 00:00:00Z", MIDNIGHT, "2024-07-01"),
        ("2024-07-01T02:00:00+02:00", MIDNIGHT, "2024-07-01"),
        ("2024-07-01T00:00:00+02:00", MIDNIGHT - dt.timedelta(hours=2), "2024-06-30 22:00:00"),
        ("2024-07-01T12:30:05", HALF_PAST, "2024-07-01 12:30:05"),
        (dt.datetime(2024, 7, 1), MIDNIGHT, "2024-07-01"),
        (MIDNIGHT, MIDNIGHT, "2024-07-01"),
        (dt.datetime(2024, 7, 1, 2, tzinfo=PLUS_TWO), MIDNIGHT, "2024-07-01"),
        (MIDNIGHT + TICK, MIDNIGHT + TICK, "2024-07-01 00:00:00"),
    ],
)
def test_since_begins_with_a_moment_and_until_ends_before_it(moment, meant, shown):
    """A date is its midnight; a time without an offset is UTC, whatever the machine's zone."""
    frame = having(tstamp=[meant - TICK, meant, meant + TICK, None])

    assert (since(moment).name, until(moment).name) == (f"since {shown}", f"until {shown}")
    assert kept(frame, since(moment)) == [1, 2]
    assert kept(frame, until(moment)) == [0]
    assert unknown(frame, since(moment)) == unknown(frame, until(moment)) == [3]


def test_a_month_lies_between_two_dates():
    """The first is in it, the second is not, in whatever zone the log writes its times."""
    days = [dt.datetime(2024, 6, 29, 23, tzinfo=PLUS_TWO) + dt.timedelta(days=i) for i in range(34)]

    june, july, august = (f"2024-{month:02}-01" for month in (6, 7, 8))

    frame = having(tstamp=days)
    assert kept(frame, since(june), until(july)) == [0, 1]
    assert kept(frame, since(july), until(august)) == list(range(2, 33))


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "2024-07-01T25:00", "1720000000x"])
@pytest.mark.parametrize("bound", [since, until])
def test_text_that_is_no_time_is_refused(bound, text):
    """The error quotes it, and shows what a time looks like."""
    message = f"^{bound.__name__}: '{text}' is no date or ISO 8601 time, e.g. 2024-07-01$"
    with pytest.raises(OptionError, match=message):
        bound(text)


def test_a_date_is_a_moment_too():
    """Python's own date is what its text is."""
    assert since(dt.date(2024, 7, 1)).name == since("2024-07-01").name


def test_a_time_before_all_time_is_refused():
    """A year that UTC does not have is no time, and no traceback."""
    with pytest.raises(OptionError, match="since: '0001-01-01T00:00"):
        since("0001-01-01T00:00+05:00")


# ── prompts ────────────────────────────────────────────────────────────────────────────────

WORDS = {
    "": 0,
    "  \n\t ": 0,
    "one": 1,
    "Hello, world!": 4,
    "x=42;y": 5,
    "I don't know 3.14 ...": 11,
    "naïve cafe\u0301": 2,
    "日本語 です。": 3,
    "हिन्दी": 1,
}
"""Text → its words, numbers and marks; a combining mark belongs to its letter."""


@pytest.mark.parametrize(("text", "number"), WORDS.items())
@pytest.mark.parametrize("column", ["user_text", "prompt"])
def test_words_numbers_and_marks_are_counted_where_there_are_no_tokens(column, text, number):
    """The count is within the bounds that both equal it, and within no others."""
    frame = having(**{column: [text, None]})

    found = [n for n in range(13) if kept(frame, prompt_tokens(n, n)) == [0]]

    assert found == [number]
    assert unknown(frame, prompt_tokens(number)) == [1]


def test_published_token_counts_go_before_text_and_text_before_the_prompt():
    """Row by row: each is counted by the best that it has."""
    frame = having(
        user_tokens=[9, None, None, None, 0],
        user_text=["a b", "a b c", None, None, "a b c d"],
        prompt=["a", "a", "a b c d", None, "a"],
    )

    counted = {n: kept(frame, prompt_tokens(n, n)) for n in range(10)}

    assert {n: rows for n, rows in counted.items() if rows} == {9: [0], 3: [1], 4: [2], 0: [4]}
    assert unknown(frame, prompt_tokens()) == [3]


def test_a_log_with_token_counts_stands_beside_one_with_text():
    """The columns of one need not be the other's."""
    counted = numbered(log(*tied("a", "b", 2))).with_columns(user_tokens=pl.Series([2, 5]))
    written = having(prompt=["a b c", "a"]).with_columns(battle_id=pl.Series(["2", "3"]))

    assert kept(read_battles([counted, written]), prompt_tokens(3)) == [1, 2]


@pytest.mark.parametrize(
    ("bounds", "name", "rows"),
    [
        ((), "prompt tokens >= 0", [0, 1, 2, 3]),
        ((2,), "prompt tokens >= 2", [1, 2, 3]),
        ((0, 2), "prompt tokens <= 2", [0, 1]),
        ((2, 3), "prompt tokens >= 2 and <= 3", [1, 2]),
        ((3, 3), "prompt tokens >= 3 and <= 3", [2]),
    ],
)
def test_a_range_of_tokens_includes_its_ends(bounds, name, rows):
    """And the name shows the ends that there are."""
    assert prompt_tokens(*bounds).name == name
    assert kept(having(user_tokens=[1, 2, 3, 4]), prompt_tokens(*bounds)) == rows


@pytest.mark.parametrize("bounds", [(-1,), (0, -1), (3, 2)])
def test_a_range_that_is_none_is_refused(bounds):
    """The error shows its ends."""
    with pytest.raises(OptionError, match=f"prompt tokens: from {bounds[0]} to .* is no range"):
        prompt_tokens(*bounds)


def test_without_any_text_the_columns_that_would_do_are_named():
    """The error lists what was wanted, and what there is."""
    wanted = "no column 'user_tokens' or 'user_text' or 'prompt', which the filter"
    with pytest.raises(ColumnError, match=wanted):
        kept(LASTING, prompt_tokens(5))


# ── flags, criteria, anonymity ─────────────────────────────────────────────────────────────


def test_a_flag_is_met_where_it_is_true():
    """It is called as its column is."""
    frame = having(is_code=[True, False, None, True])

    assert flagged("is_code").name == "is_code"
    assert kept(frame, flagged("is_code")) == [0, 3]
    assert kept(frame, ~flagged("is_code")) == [1]
    assert unknown(frame, flagged("is_code")) == [2]


@pytest.mark.parametrize(
    ("wanted", "column"),
    [
        (flagged("is_math"), "is_math"),
        (hard(), "hard_criteria"),
        (anonymous(), "anony"),
        (language("en"), "language"),
        (since("2024-07-01"), "tstamp"),
        (last_turn(), "prompt"),
    ],
)
def test_a_column_that_is_not_there_is_named(wanted, column):
    """With the filter that needs it."""
    needs = f"no column '{column}', which the filter '{wanted.name}' needs; these votes have"
    with pytest.raises(ColumnError, match=needs):
        kept(LASTING, wanted)


@pytest.mark.parametrize("column", ["turns", "winner"])
def test_a_column_that_is_neither_true_nor_false_is_no_flag(column):
    """The error names the column, and does not say that the log cannot be read."""
    with pytest.raises(ColumnError, match=f"column '{column}' holds .* neither true nor false"):
        select(read_battles(LASTING), flagged(column))


@pytest.mark.parametrize(("at_least", "rows"), [(1, [1, 2, 3]), (6, [2, 3]), (7, [3])])
def test_a_hard_prompt_meets_enough_criteria(at_least, rows):
    """Six of the seven by LMSYS' rule."""
    frame = having(hard_criteria=[0, 5, 6, 7, None])

    assert kept(frame, hard(at_least)) == rows
    assert kept(frame, hard()) == [2, 3]
    assert unknown(frame, hard(at_least)) == [4]


@pytest.mark.parametrize("at_least", [0, 8])
def test_there_are_seven_criteria(at_least):
    """The error quotes any other number."""
    with pytest.raises(OptionError, match=f"hard: {at_least} is not .* from 1 to 7"):
        hard(at_least)


def test_anonymous_battles_can_be_asked_for_where_all_are_read():
    """The filter then drops what reading would have set aside, in the funnel's sight."""
    frame = having(anony=[True, False, None, True])

    everything = read_battles(frame, anonymous_only=False)

    assert kept(everything) == [0, 1, 2, 3]
    assert kept(everything, anonymous()) == kept(frame) == [0, 3]
    assert select(everything, anonymous()).funnel.rows() == [("anony", 4, 2, 1, 2)]
    assert select(read_battles(frame), anonymous()).funnel.rows() == [("anony", 2, 0, 0, 2)]


# ── winners ────────────────────────────────────────────────────────────────────────────────


def test_ties_go_by_what_a_vote_means_however_it_is_spelled():
    """In every published spelling, and in words of the log's own."""
    outcomes = {"left": "model_a", "draw": "tie", "neither": "both_bad"}
    meant = [*SPELLINGS.items(), *outcomes.items()]
    frame = numbered(log(*(("a", "b", label) for label, _ in meant)))

    decided, not_bad = (
        kept(frame, wanted, outcomes=outcomes) for wanted in (no_ties(), no_both_bad())
    )

    winners = [winner for _, winner in meant]
    assert decided == [i for i, winner in enumerate(winners) if winner in ("model_a", "model_b")]
    assert not_bad == [i for i, winner in enumerate(winners) if winner != "both_bad"]
    assert (no_ties().name, no_both_bad().name) == ("no ties", "no both-bad")


def test_without_ties_only_decided_votes_are_counted():
    """Both-bad is no tie on the board, and still nobody's win."""
    given = read_battles(battles(4, 300, seed=2))

    counts, decided, not_bad = (
        tally_votes(select(given, *filters).kept).counts.outcomes.sum(axis=0)
        for filters in ((), (no_ties(),), (no_both_bad(),))
    )

    assert (counts > 0).all()
    assert decided.tolist() == [*counts[:2], 0, 0]
    assert not_bad.tolist() == [*counts[:3], 0]


# ── at random ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("share", [0.1, 0.5, 0.93])
def test_a_random_share_is_about_that_share_of_everything(share):
    """Within four standard errors, over all votes, each side, each winner and each half."""
    frame = numbered(pl.concat([battles(4, 500, seed=1)] * 40))
    groups = {
        "left": pl.col("model_a"),
        "right": pl.col("model_b"),
        "winner": pl.col("winner"),
        "half": pl.col("battle_id").cast(pl.Int64) < frame.height // 2,
        "all": pl.lit(1),
    }

    part = frame[kept(frame, random_share(share, seed=3))]

    for group in groups.values():
        there, left = (one.group_by(key=group).len().sort("key") for one in (frame, part))
        n, chosen = there["len"].to_numpy(), left["len"].to_numpy()
        assert (abs(chosen - n * share) < 4 * np.sqrt(n * share * (1 - share))).all()


def test_neighbours_are_kept_independently():
    """Two battles in a row are both kept as often as two that lie far apart."""
    n = 20_000
    frame = numbered(log(*tied("a", "b", n)))
    flags = np.isin(np.arange(n), kept(frame, random_share(0.5, seed=1)))

    for lag in (1, 2, 500):
        together = (flags[lag:] & flags[:-lag]).mean()
        # Products of neighbours share a factor: their sum varies by 5/16 each, not 3/16.
        assert abs(together - 0.25) < 4 * np.sqrt(5 / 16 / n)


def test_how_many_are_kept_is_random_too():
    """Each battle is chosen by itself, so numbers vary over seeds as a binomial does."""
    frame = numbered(battles(4, 400, seed=1))

    n = np.array([len(kept(frame, random_share(0.5, seed))) for seed in range(40)])

    low, high = stats.chi2(39).ppf([1e-4, 1 - 1e-4]) / 39
    assert low < n.var(ddof=1) / 100 < high


def test_the_seed_decides_the_random_share():
    """The same battles again, of however many logs; with another seed, others; or all."""
    frame = numbered(battles(4, 400, seed=1))
    cut = read_battles([frame[:150], frame[150:]])
    chosen = random_share(0.5, seed=7)

    rows = kept(frame, chosen)

    assert rows == kept(frame, chosen) == kept(cut, chosen)
    assert rows != kept(frame, random_share(0.5, seed=8))
    assert kept(frame, random_share(1.0)) == list(range(400))
    assert kept(frame, ~chosen) == sorted(set(range(400)) - set(rows))
    assert chosen.name == "random 0.5 (seed 7)"


def test_a_battle_is_chosen_by_its_place_whatever_else_is_filtered():
    """So two filters in either order keep the same battles."""
    frame = numbered(battles(4, 400, seed=1)).with_columns(turns=pl.Series([1, 2] * 200))
    chosen, second = random_share(0.5), multi_turn()

    assert kept(frame, chosen, second) == kept(frame, second, chosen)
    assert set(kept(frame, second, chosen)) == set(kept(frame, chosen)) & set(range(1, 400, 2))


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(share):
    """The error quotes it."""
    with pytest.raises(OptionError, match=f"random share: {share} is not a number above 0"):
        random_share(share)


def test_there_is_no_random_share_of_a_counted_log():
    """A row of a thousand votes would be kept or dropped whole, which is no random part of them."""
    counts = pl.DataFrame({"model_a": ["a"], "model_b": ["b"], "wins_a": [1000], "wins_b": [1000]})
    given = read_battles(counts.with_columns(ties=pl.Series([0])))

    with pytest.raises(
        ColumnError, match=r"column 'votes': .* 'random 0.5 \(seed 0\)' needs a row"
    ):
        select(given, random_share(0.5))


def test_conditions_are_joined_like_any_filters():
    """What a condition means does not depend on where it came from."""
    frame = having(turns=[1, 2, 3, None], language=["en", "de", "en", "en"])

    assert kept(frame, multi_turn() & language("en")) == [2]
    assert kept(frame, ~multi_turn() | where("German", pl.col("language") == "de")) == [0, 1]
    assert (multi_turn() & ~prompt_tokens(2, 5)).name == (
        "turns >= 2 and (not (prompt tokens >= 2 and <= 5))"
    )
