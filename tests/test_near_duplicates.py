"""Near-duplicates within one column are grouped as by plain Python."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_overlap import plain_groups

from arena import ngram_table
from arena.errors import OptionError
from arena.near_duplicates import near_duplicate_groups
from arena.overlap_rules import OverlapRule

words = st.lists(st.sampled_from("abcde"), max_size=12).map(" ".join)
columns = st.lists(st.one_of(words, words, st.sampled_from(["", None, "a-b", "A b"])), max_size=14)


def groups(texts, *options, **named):
    """The groups of some texts."""
    return near_duplicate_groups(pl.Series(texts, dtype=pl.String), *options, **named).tolist()


@settings(max_examples=150, deadline=None)
@given(
    texts=columns,
    jaccard=st.sampled_from([0.5, 0.75, 0.8, 1.0]),
    n=st.integers(1, 4),
    cap=st.sampled_from([1, 3, 256]),
)
def test_groups_are_those_of_plain_python(texts, jaccard, n, cap):
    """Which texts belong together, on texts that are alike by chance."""
    wanted = plain_groups(texts, jaccard, OverlapRule(n, cap=cap))

    assert groups(texts, jaccard, n, cap, threads=1) == wanted


def test_a_chain_is_one_group():
    """Each text is like the one before; the first and the last are not alike, but together."""
    words = [f"w{i}" for i in range(40)]
    texts = [" ".join(words[i : i + 20]) for i in range(0, 20, 2)]

    assert groups(texts) == [0] * 10
    assert groups([texts[0], texts[-1]]) == [0, 1]


def test_containment_makes_no_group():
    """A long text that holds a short one is not the same prompt."""
    short = "how do I sort a list in python"

    assert groups([short, f"{short} without using any library and as quickly as possible"]) == [
        0,
        1,
    ]


def test_a_longer_neighbour_hides_no_duplicate():
    """A text that holds all of another does not keep it from those that are nearly equal to it."""
    words = " ".join(f"w{i}" for i in range(12))
    texts = [f"{words} {words} {words}", words, f"{words} now"]

    assert groups(texts) == [0, 1, 1]


def test_many_of_a_kind():
    """A hundred variants of one text, with far more pairs than texts, in one group."""
    texts = [f"tell me one very long story about a dog and a cat number {i}" for i in range(100)]

    assert groups([*texts, "something else that has nothing to do with it"]) == [0] * 100 + [100]


def test_shared_openers_make_no_group():
    """N-grams above the cap make no pairs."""
    texts = [f"tell me one very long story about a dog and a cat number {i}" for i in range(100)]

    assert groups(texts, cap=99) == list(range(100))


def test_short_texts_are_alike_only_if_they_are_equal():
    """Case and white space do not matter, punctuation does; nothing is like nothing."""
    assert groups(["2+2", "2-2", " 2+2", "Hi", "hi", "hi!", None, None, ""]) == [
        *(0, 1, 0, 3, 3, 5),
        *(6, 7, 8),
    ]


def test_threads_and_blocks_do_not_matter(monkeypatch):
    """The groups are the same with one thread or three, and however the work is cut."""
    rng = np.random.default_rng(3)
    drawn = [rng.integers(0, 60, 12) for _ in range(300)]
    near = [np.where(rng.random(12) < 0.1, 99, drawn[i % 100]) for i in range(200)]
    texts = [" ".join(f"w{w}" for w in row) for row in [*drawn, *near]]
    wanted = groups(texts, n=3, threads=1)

    monkeypatch.setattr(ngram_table, "BLOCK_TOKENS", 100)
    monkeypatch.setattr(ngram_table, "PART_NGRAMS", 50)

    assert groups(texts, n=3, threads=3) == wanted
    assert 100 < len(set(wanted)) < 400


def test_options_are_checked():
    """A Jaccard of nothing is refused."""
    with pytest.raises(OptionError, match="jaccard: 0 is not above 0 and at most 1"):
        groups(["a"], 0)
