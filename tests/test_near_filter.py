"""The filter that keeps one battle of all whose prompts say nearly the same."""

import random

import polars as pl
import pytest

from arena.battles import read_battles
from arena.duplicates import without_exact_duplicates, without_near_duplicates
from arena.errors import ColumnError, OptionError
from arena.filters import select, where
from arena.near_duplicates import near_duplicate_groups

SEA = "Write a short poem about the sea"


def asked(texts, column="user_text", **more):
    """Battles on these texts, each called by its row."""
    n = len(texts)
    sides = {"model_a": ["x"] * n, "model_b": ["y"] * n, "winner": ["tie"] * n}
    named = {"battle_id": list(map(str, range(n))), column: pl.Series(texts, dtype=pl.String)}
    return pl.DataFrame({**sides, **named, **more})


def kept(frame, *filters):
    """The rows that filters keep."""
    rows = select(read_battles(frame), *filters).kept.frame.select("battle_id").collect()
    return sorted(map(int, rows["battle_id"]))


def test_the_first_of_each_group_is_kept():
    """Other case, other marks and a word more are the same prompt; short ones to the letter."""
    texts = ["2+2", f"{SEA} please", SEA, "2-2", SEA.upper(), "2+2", "What is a sea?", "HI", "hi"]

    assert kept(asked(texts), without_near_duplicates()) == [0, 1, 3, 6, 7]


def test_a_chain_is_one_group():
    """The ends of it need not be near duplicates of one another."""
    chain = [f"{SEA}{' and so on' * k}" for k in range(6)]
    groups = near_duplicate_groups(pl.Series([chain[0], chain[5]]), 0.7)

    assert groups.tolist() == [0, 1]
    assert kept(asked(chain), without_near_duplicates(0.7)) == [0]


def test_battles_without_text_are_kept():
    """Null, empty and blank texts are no prompt that could come again."""
    texts = [None, SEA, "", None, SEA, "", "  ", "  "]

    assert kept(asked(texts), without_near_duplicates()) == [0, 1, 2, 3, 5, 6, 7]


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_those_of_the_groups_of_the_whole_column(seed):
    """Row by row, on texts of few words, some of them missing."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices("abc", k=rng.randint(1, 12))) for _ in range(150)]
    texts = [None if rng.random() < 0.1 else text for text in texts]
    groups = near_duplicate_groups(pl.Series(texts))
    expected, met = [], set()
    for row, group in enumerate(groups.tolist()):
        if texts[row] is None or group not in met:
            expected.append(row)
        met.add(group)

    assert kept(asked(texts), without_near_duplicates()) == expected
    assert len(expected) < len(kept(asked(texts), without_exact_duplicates()))


def test_the_jaccard_decides():
    """Seven words of nine are near at 7/9, and not at a little more."""
    frame = asked([SEA, f"{SEA} and land"])

    assert kept(frame, without_near_duplicates(7 / 9)) == [0]
    assert kept(frame, without_near_duplicates(0.78)) == [0, 1]


def test_all_turns_count_where_they_are_known():
    """Conversations that begin alike are two; where only first turns are known, they are one."""
    turns = [SEA, f"{SEA}\nNow translate it into French, and then make it rhyme once more"]

    assert kept(asked(turns, prompt=[SEA, SEA]), without_near_duplicates()) == [0, 1]
    assert kept(asked([None, None], prompt=[SEA, SEA]), without_near_duplicates()) == [0]
    assert kept(asked([SEA, SEA], "prompt"), without_near_duplicates()) == [0]


def test_it_sees_what_filters_before_it_left_and_votes_that_count():
    """The first battle of a group is the first of those that are there to be kept."""
    frame = asked([SEA] * 4, language=["de", "en", "en", "en"])
    frame = frame.with_columns(model_b=pl.Series(["y", "x", "y", "y"]))
    english = where("English", pl.col("language") == "en")

    assert kept(frame, without_near_duplicates()) == [0]
    assert kept(frame, english, without_near_duplicates()) == [2]
    assert kept(frame, without_near_duplicates(), english) == []


def test_the_funnel_tells_what_is_dropped():
    """A battle without text is kept for sure, and the Jaccard is in the name."""
    frame = asked([SEA, None, f"{SEA} please", SEA, "hi"])
    selection = select(read_battles(frame), without_near_duplicates(0.75))

    name = "first battle of each prompt, near duplicates together (Jaccard 0.75)"
    assert selection.funnel.rows() == [(name, 5, 2, 0, 3)]


def test_logs_are_taken_together(tmp_path):
    """Of two files the first comes first."""
    for name, text in {"a": SEA, "b": f"{SEA} please"}.items():
        asked([text]).with_columns(battle_id=pl.lit(name)).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    battles = read_battles([tmp_path / "b.parquet", tmp_path / "a.parquet"])

    found = select(battles, without_near_duplicates()).kept.frame.collect()

    assert found["battle_id"].to_list() == ["b"]


def test_mistakes_are_named():
    """A Jaccard that cannot be, and votes without text."""
    with pytest.raises(OptionError, match=r"jaccard: 1\.5 is not above 0 and at most 1"):
        without_near_duplicates(1.5)
    with pytest.raises(ColumnError, match=r"no column 'user_text' or 'prompt', which the filter"):
        select(read_battles(asked(["x"]).drop("user_text")), without_near_duplicates())
