"""Prompts that come again: what is capped, what is kept of them, and in which order."""

import datetime as dt
from collections import Counter, defaultdict

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import battles

from arena.battles import read_battles
from arena.duplicates import (
    cap_repeats,
    dedup_sampled,
    one_vote_per_judge_and_prompt,
    without_exact_duplicates,
)
from arena.errors import ColumnError, OptionError
from arena.filters import select, where

START = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


def asked(texts, **columns):
    """A log in which these texts were asked, one row each, numbered in `battle_id`."""
    n = len(texts)
    return pl.DataFrame(
        {
            "battle_id": [str(i) for i in range(n)],
            "model_a": ["x"] * n,
            "model_b": ["y"] * n,
            "winner": ["tie"] * n,
            "user_text": pl.Series(texts, dtype=pl.String),
            **columns,
        }
    )


def kept(frame, *filters):
    """The numbers of the rows that filters keep."""
    rows = select(read_battles(frame), *filters).kept.frame.select("battle_id").collect()
    return sorted(int(number) for number in rows["battle_id"])


def dropped(frame, *filters):
    """The numbers of the rows that filters drop."""
    return sorted(set(range(len(frame))) - set(kept(frame, *filters)))


# ── the cap on frequent prompts ────────────────────────────────────────────────────────────

TAGGED_BY_FASTCHAT = {
    (0.5, 42): [
        *(16, 20, 21, 22, 25, 26, 28, 29, 31, 33, 34, 35, 40, 41, 42, 47, 48, 49, 51, 52, 54, 56),
        *(63, 67, 69, 70, 73, 74, 75, 81, 82, 88, 92, 93, 98, 102, 103, 104, 107, 111, 113, 114),
        *(117, 124, 130, 131, 136, 138, 139, 143, 144, 148, 149, 151, 154, 155, 156, 157, 158),
    ],
    (0.8, 42): [47, 49, 51, 54, 69, 74, 98, 102, 113, 117, 131, 136, 139, 143, 154, 158],
    (0.9, 42): [47, 51, 131, 136],
    (0.999, 42): [],
    (0.8, 7): [21, 25, 28, 33, 49, 54, 57, 61, 98, 102, 103, 107, 129, 131, 133, 136],
}
"""Quantile and seed → rows tagged as not sampled, of the log of `quadratic_residues`."""


def quadratic_residues():
    """160 battles on 13 prompts, which come 7 to 24 times; some have a second turn."""
    numbers = [i * i % 41 % 13 for i in range(160)]
    return [f"question {k}" + ("\nand then?" if k % 4 == 0 else "") for k in numbers]


@pytest.mark.parametrize(("q", "seed"), TAGGED_BY_FASTCHAT)
def test_the_cap_drops_the_rows_that_fastchat_tags(q, seed):
    """Row for row.

    The table was made with pandas 3.1, doing what FastChat's deduplication.py does: a frame of
    the texts, each with a line break after it; their `value_counts()`; of these the
    `quantile(q)`; for each text that is more frequent, `sample(n=int(cutoff),
    random_state=seed)` of its rows in `groupby`; the rows that are then not sampled.
    """
    frame = asked(quadratic_residues())

    assert dropped(frame, cap_repeats(q, seed)) == TAGGED_BY_FASTCHAT[q, seed]


def test_the_cap_is_lmsys_later_one_unless_told_otherwise():
    """The cutoff is at 99.9 % of a thousand prompts, and the seed is 42."""
    frame = asked([*(str(k) for k in range(1_000)), *["hello"] * 40])

    assert kept(frame, cap_repeats()) == kept(frame, cap_repeats(0.999, 42))
    assert kept(frame, cap_repeats()) != kept(frame, cap_repeats(0.999, 0))
    assert len(dropped(frame, cap_repeats())) == 39


def capped_slowly(texts, q, seed):
    """The numbers of the rows kept, by the definition."""
    rows = defaultdict(list)
    for i, text in enumerate(texts):
        if text is not None:
            rows[f"{text}\n"[:10_000]].append(i)
    found = {i for i, text in enumerate(texts) if text is None}
    counts = sorted(len(numbers) for numbers in rows.values())
    if not counts:
        return sorted(found)
    place = q * (len(counts) - 1)
    low, share = int(place), place - int(place)
    high = min(low + 1, len(counts) - 1)
    cutoff = counts[low] + share * (counts[high] - counts[low])
    for numbers in rows.values():
        if len(numbers) > cutoff:
            drawn = np.random.RandomState(seed).choice(len(numbers), int(cutoff), replace=False)
            numbers = [numbers[k] for k in drawn]
        found.update(numbers)
    return sorted(found)


@given(
    texts=st.lists(st.sampled_from([None, "", "a", "b", "c", "a\n", "a\nb", "é"]), max_size=60),
    q=st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.875, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_the_cap_is_its_definition(texts, q, seed):
    """Against a loop over prompts; quantiles are such that no rounding enters them."""
    assert kept(asked(texts), cap_repeats(q, seed)) == capped_slowly(texts, q, seed)


LONG = "é" * 9_999


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (f"{LONG}a", False),
        (f"{LONG}\nand then?", True),
        (f"{LONG[1:]}\n", False),
        (f"{LONG[1:]}aé", False),
    ],
    ids=["10,000th", "behind the line break", "line break early", "9,999th"],
)
def test_prompts_are_one_if_their_first_10000_characters_are(other, same):
    """Characters and not bytes, and the line break after the last turn is one of them."""
    frame = asked([LONG] * 3 + [other] * 3 + ["else", "more"])

    # Of one prompt met six times and two met once, the 50 % quantile is one; of four, two.
    assert len(kept(frame, cap_repeats(0.5))) == (3 if same else 6)


def test_texts_alike_in_their_first_10000_characters_are_one():
    """What follows does not matter."""
    frame = asked([LONG + "a" + tail for tail in ("", "b", "c", "\nd")] + ["else"])

    assert len(kept(frame, cap_repeats(0.0))) == 2


def test_the_first_turn_serves_where_there_is_no_text_of_all():
    """A log with prompts only, and one file of several with prompts only."""
    texts = quadratic_residues()
    prompts = asked(texts).rename({"user_text": "prompt"})
    mixed = [asked(texts)[:70], prompts[70:]]

    expected = TAGGED_BY_FASTCHAT[0.8, 42]

    assert dropped(prompts, cap_repeats(0.8)) == expected
    assert sorted(set(range(160)) - set(kept(mixed, cap_repeats(0.8)))) == expected


def test_the_cap_counts_the_battles_that_are_left():
    """Rows that do not count, or were filtered out before, neither count nor are drawn."""
    texts = quadratic_residues()
    noise = pl.concat([asked(["question 1"] * 90), asked(texts[:60])])
    noise = noise.with_columns(winner=pl.Series([None] * 90 + ["model_a"] * 60))
    frame = pl.concat([noise, asked(texts)]).with_columns(
        battle_id=pl.Series([str(i) for i in range(-150, 160)])
    )

    left = kept(frame, where("a tie", pl.col("winner") == "tie"), cap_repeats(0.8))

    assert left == sorted(set(range(160)) - set(TAGGED_BY_FASTCHAT[0.8, 42]))


def test_the_cap_sees_through_the_ends_of_files(tmp_path):
    """A log cut into a Parquet file and a CSV file is one log."""
    frame = asked(quadratic_residues())
    frame[:50].write_parquet(tmp_path / "a.parquet")
    frame[50:].write_csv(tmp_path / "b.csv")

    rows = kept([str(tmp_path / "a.parquet"), str(tmp_path / "b.csv")], cap_repeats(0.8))

    assert sorted(set(range(160)) - set(rows)) == TAGGED_BY_FASTCHAT[0.8, 42]


def test_the_opposite_of_the_cap_is_what_it_drops():
    """Nothing is unknown to it."""
    frame = asked([*quadratic_residues(), None])

    assert kept(frame, ~cap_repeats(0.8)) == TAGGED_BY_FASTCHAT[0.8, 42]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"q": -0.1}, "-0.1"),
        ({"q": 1.5}, "1.5"),
        ({"q": float("nan")}, "nan"),
        ({"seed": -1}, "-1"),
        ({"seed": 2**32}, "4294967296"),
    ],
)
def test_a_cap_that_cannot_be_is_refused(options, said):
    """Before any battle is read, with the value."""
    with pytest.raises(OptionError, match=f"cap-repeats: .*{said}"):
        cap_repeats(**options)


def test_the_published_tag_is_taken_at_its_word():
    """The column as it stands, or as LMSYS nests it; where it is empty nothing is known."""
    flags = [True, False, None, True]
    flat = asked(["a"] * 4, dedup_sampled=flags)
    nested = asked(["a"] * 4, dedup_tag=[{"high_freq": True, "sampled": flag} for flag in flags])

    assert kept(flat, dedup_sampled()) == kept(nested, dedup_sampled()) == [0, 3]
    funnel = select(read_battles(flat), dedup_sampled()).funnel
    assert funnel.row(0)[1:] == (4, 2, 1, 2)


# ── exact repeats ──────────────────────────────────────────────────────────────────────────

TEXT = st.sampled_from([None, "", "a", "A", "a\n", "b"])
MODEL = st.sampled_from(["x", "y", "z", "漢"])
BATTLE = st.tuples(TEXT, MODEL, MODEL).filter(lambda row: row[1] != row[2])


@given(rows=st.lists(BATTLE, min_size=1, max_size=40), per=st.sampled_from(["prompt", "pair"]))
@settings(max_examples=40, deadline=None)
def test_the_first_battle_of_each_prompt_is_kept(rows, per):
    """Against a set of what was met before; sides do not matter to a pair."""
    frame = asked([text for text, _, _ in rows]).with_columns(
        model_a=pl.Series([a for _, a, _ in rows]), model_b=pl.Series([b for _, _, b in rows])
    )

    met, expected = set(), []
    for i, (text, a, b) in enumerate(rows):
        key = (text, frozenset((a, b)) if per == "pair" else None)
        if text is None or key not in met:
            expected.append(i)
        met.add(key)
    assert kept(frame, without_exact_duplicates(per)) == expected


def test_exact_means_the_whole_text():
    """Unlike the cap: what differs after 10,000 characters differs."""
    frame = asked([LONG * 2, LONG * 2 + "a", LONG * 2])

    assert kept(frame, without_exact_duplicates()) == [0, 1]


def test_a_repeat_of_what_is_filtered_out_is_no_repeat():
    """The first of the battles that are left."""
    frame = asked(["a", "a", "a"], turns=[1, 2, 2])

    assert kept(frame, where("turns", pl.col("turns") == 2), without_exact_duplicates()) == [1]


def test_duplicates_per_something_else_are_refused():
    """The error quotes it, and says what there is."""
    with pytest.raises(OptionError, match=r"'judge' is not one of prompt, pair"):
        without_exact_duplicates("judge")


# ── one vote per judge and prompt ──────────────────────────────────────────────────────────

VOTE = st.tuples(
    st.sampled_from([None, "j", "k"]),
    st.sampled_from([None, "a", "b"]),
    st.one_of(st.none(), st.integers(0, 5)),
)


@given(rows=st.lists(VOTE, min_size=1, max_size=40), timed=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_first_vote_of_a_judge_on_a_prompt_is_kept(rows, timed):
    """Against a loop in time, votes without a time last, or else through the log."""
    texts, judges = [text for _, text, _ in rows], [judge for judge, _, _ in rows]
    frame = asked(texts, judge=pl.Series(judges, dtype=pl.String))
    times = [None if s is None else START + dt.timedelta(seconds=s) for _, _, s in rows]
    if timed:
        frame = frame.with_columns(tstamp=pl.Series(times, dtype=pl.Datetime("us", "UTC")))

    order = range(len(rows))
    if timed:
        order = sorted(order, key=lambda i: 9 if rows[i][2] is None else rows[i][2])
    met, expected = set(), []
    for i in order:
        judge, text, _ = rows[i]
        if judge is None or text is None or (judge, text) not in met:
            expected.append(i)
        met.add((judge, text))
    assert kept(frame, one_vote_per_judge_and_prompt()) == sorted(expected)


def test_a_judge_may_vote_on_a_prompt_again_on_other_models_but_not_here():
    """Whichever models it was on, one vote stays; of another judge, another."""
    frame = asked(["a"] * 3, judge=["j", "j", "k"]).with_columns(model_a=pl.Series(["x", "z", "x"]))

    assert kept(frame, one_vote_per_judge_and_prompt()) == [0, 2]


@pytest.mark.parametrize(
    ("made", "without"),
    [
        (cap_repeats(), "user_text' or 'prompt"),
        (without_exact_duplicates(), "user_text' or 'prompt"),
        (without_exact_duplicates("pair"), "user_text' or 'prompt"),
        (one_vote_per_judge_and_prompt(), "judge"),
        (dedup_sampled(), "dedup_sampled"),
    ],
    ids=lambda made: getattr(made, "name", ""),
)
def test_a_log_without_the_column_is_refused(made, without):
    """The error names the column, the filter, and the columns there are."""
    with pytest.raises(ColumnError, match=without) as error:
        select(read_battles(battles(3, 20)), made)

    assert made.name in str(error.value)
    assert str(error.value).endswith("model_a, model_b, winner")


def test_every_vote_is_accounted_for():
    """Battles kept and battles dropped are the log, in the funnel as in the frames."""
    counts = Counter(quadratic_residues())
    selection = select(read_battles(asked(quadratic_residues())), without_exact_duplicates())

    name, before, lost, unknown, after = selection.funnel.row(0)

    assert (name, before, unknown) == ("first battle of each prompt", 160, 0)
    assert after == len(counts)
    assert lost == 160 - len(counts) == selection.dropped.collect().height
