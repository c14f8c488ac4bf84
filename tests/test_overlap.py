"""Prompts are found in texts as by plain Python, wherever and in whatever order these are matched."""

from dataclasses import fields, replace
from functools import reduce
from itertools import pairwise, permutations
from time import sleep

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_overlap import plain_overlap

from arena import ngram_table, prompt_index, text
from arena.errors import ColumnError, OptionError
from arena.matches import NO_TEXT, classify, merge_matches, no_matches, overlap_table
from arena.overlap import _Scan, match_texts
from arena.overlap_rules import RULES, OverlapRule, overlap_rule
from arena.prompt_index import index_prompts

EVIDENCE = ["prompt", "tokens", "share", "union_share", "jaccard", "exact", "text_row", "exact_row"]

few_words = st.lists(st.sampled_from("abcdef"), max_size=14).map(" ".join)
odd_texts = st.sampled_from(["", None, "a-b", "A b", "a+b", "?!", "??", "東京へ行く", "東京 へ"])
columns = st.lists(st.one_of(few_words, few_words, few_words, odd_texts), max_size=16)
rules = st.builds(
    OverlapRule,
    n=st.integers(1, 4),
    of=st.sampled_from(["ngrams", "tokens"]),
    cap=st.sampled_from([1, 2, 256]),
    common=st.booleans(),
)


def strings(rows):
    """A column of text, also where it has no rows or no text."""
    return pl.Series(rows, dtype=pl.String)


def overlap(prompts, texts, rule=None, **options):
    """The table of prompts held against texts."""
    index = index_prompts(strings(prompts), rule, threads=1)
    return overlap_table(index, match_texts(index, strings(texts), **{"threads": 1, **options}))


def same(one, other):
    """Whether two dataclasses of arrays hold the same."""
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=f.name == "jaccard")
        for f in fields(one)
    )


# ── against plain Python ───────────────────────────────────────────────────────────────────


@settings(max_examples=150, deadline=None)
@given(prompts=columns, texts=columns, rule=rules)
def test_overlap_is_that_of_plain_python(prompts, texts, rule):
    """Shares, Jaccard, exact matches and which text it was, on texts that overlap by chance."""
    found = overlap(prompts, texts, rule)

    assert found.select(EVIDENCE).to_dicts() == plain_overlap(prompts, texts, rule)


@settings(max_examples=25, deadline=None)
@given(prompts=columns, texts=columns, rule=rules, seed=st.integers(0, 99))
def test_order_of_parts_does_not_matter(prompts, texts, rule, seed):
    """Parts of a corpus matched one by one and merged in any order are the corpus."""
    index = index_prompts(strings(prompts), rule, threads=1)
    whole = match_texts(index, strings(texts), threads=1)
    cuts = sorted({0, len(texts) // 3, len(texts) // 2, len(texts)})
    parts = [
        match_texts(index, strings(texts[low:high]), first_row=low, threads=1)
        for low, high in pairwise(cuts)
    ]
    np.random.default_rng(seed).shuffle(parts)

    assert same(whole, reduce(merge_matches, parts, no_matches(index)))


# ── by hand ────────────────────────────────────────────────────────────────────────────────


def test_half_of_the_ngrams_in_one_text():
    """Of the six 5-grams of ten words, three are in a text with seven of them: just contained."""
    prompt = "one two three four five six seven eight nine ten"

    [seven], [six] = (
        overlap([prompt], [f"x {' '.join(prompt.split()[:k])} y"]).to_dicts() for k in (7, 6)
    )

    assert (seven["share"], seven["class"]) == (0.5, "seen")
    assert (six["share"], six["class"]) == (2 / 6, "unseen")


def test_a_prompt_of_n_tokens_has_one_ngram():
    """It is found whole or not at all; one with a token less has none, and is short."""
    texts = ["x one two three four five y"]

    found = overlap(["one two three four five", "one two three four"], texts)

    assert found["share"].to_list() == [1.0, None]
    assert found["class"].to_list() == ["seen", "short"]


def test_what_is_repeated_counts_once():
    """A text that says the same n-gram ten times has it once, and so has a prompt."""
    rule = OverlapRule(2)

    found = overlap(["a b a b a b c d"], ["a b a b a b a b a b"], rule)

    # The prompt's 2-grams: a b, b a, b c, c d.
    assert found["share"].to_list() == [0.5]


def test_share_is_of_the_prompt_not_of_the_text():
    """A prompt within a long text is contained; a long prompt that quotes a short text is not."""
    short, long = "how do I sort a list", " ".join(f"w{i}" for i in range(90))

    inside = overlap([short], [f"{long} {short} {long}"]).row(0, named=True)
    around = overlap([f"{long} {short}"], [short]).row(0, named=True)

    assert (inside["share"], inside["class"]) == (1.0, "seen")
    assert inside["jaccard"] == 6 / 186
    assert around["share"] == 2 / 92
    assert around["class"] == "unseen"


def test_words_in_another_order_are_near_duplicates():
    """Parts that change places keep all words: few n-grams are left, but Jaccard is 1."""
    parts = ["tell me all about cats", "and their very long lives", "in a poem without rhymes"]

    found = overlap([" ".join(parts)], [" ".join(reversed(parts))]).row(0, named=True)

    assert (found["share"], found["jaccard"], found["class"]) == (3 / 11, 1.0, "seen")


def test_jaccard_counts_how_often():
    """It is that of multisets: a word twice on one side and once on the other is shared once."""
    found = overlap(["a a b c"], ["a b c c a b"], OverlapRule(2))

    # Shared: a a b c; in either: a a b b c c.
    assert found["jaccard"].to_list() == [4 / 6]


def test_boilerplate_is_not_found_but_missed():
    """N-grams in more prompts than the cap do not count as found, and stay in the denominator."""
    opener = "please answer the following question as well as you can"
    prompts = [f"{opener} {i} {i + 1} {i + 2} {i + 3} {i + 4}" for i in range(0, 600, 5)]
    text = f"{opener} whatever it may be"

    capped = overlap(prompts, [text], OverlapRule(cap=119))
    kept = overlap(prompts, [text], OverlapRule(cap=120))

    assert capped["share"].unique().to_list() == [0.0]
    assert capped["union_share"].unique().to_list() == [0.0]
    assert kept["share"].unique().to_list() == [6 / 11]
    assert set(capped["class"]) == {"unseen"}
    assert set(kept["class"]) == {"seen"}


def test_the_cap_is_of_distinct_prompts():
    """The same prompt in a thousand votes, in capitals or not, is one prompt."""
    prompts = ["tell me a joke about cats", "Tell me a JOKE about cats!"] * 500

    found = overlap(prompts, [prompts[0]], OverlapRule(cap=1))

    assert found["share"].to_list() == [1.0]


def test_what_all_texts_have_together_is_another_number():
    """Two halves in two texts: the share is of one of them, the union share of both."""
    words = " ".join("abcdefghij")

    found = overlap([words], [words[:11], words[8:]]).row(0, named=True)

    assert (found["share"], found["union_share"]) == (2 / 6, 4 / 6)
    assert found["class"] == "unseen"


def test_of_equal_texts_the_first_is_named():
    """The lowest file, and the lowest row in it, whatever was matched first."""
    index = index_prompts(strings(["a b c d e f"]), threads=1)
    texts = strings(["x", "a b c d e", "a b c d e"])
    parts = [
        match_texts(index, texts, file=1, threads=1),
        match_texts(index, strings(["a b c d e"]), file=0, first_row=7, threads=1),
        match_texts(index, strings(["a b c d e f", "A b c d e f"]), file=2, threads=1),
    ]

    for order in permutations(parts):
        found = overlap_table(index, reduce(merge_matches, order)).row(0, named=True)
        assert (found["text_file"], found["text_row"], found["share"]) == (2, 0, 1.0)
        assert (found["exact_file"], found["exact_row"]) == (2, 0)
        two = overlap_table(index, reduce(merge_matches, [p for p in order if p is not parts[2]]))
        assert two.select("text_file", "text_row", "share").row(0) == (0, 7, 0.5)
        assert two["exact_file"].to_list() == [None]


@pytest.mark.parametrize(
    ("prompt", "text", "exact"),
    [
        ("2+2", "2+2", True),
        ("2+2", "2-2", False),
        ("C++", "c++", True),
        ("C++", "C#", False),
        ("hi", " Hi\n", True),
        ("hi", "hi!", False),
        ("hi", "hi there", False),
        ("???", "???", True),
        ("", "", False),
        ("\u200b", "", False),
        ("２＋２", "2+2", True),
    ],
)
def test_short_prompts_are_equal_to_the_letter_or_not_at_all(prompt, text, exact):
    """Punctuation counts where there is little else; whatever is found, a short prompt is short."""
    found = overlap([prompt, "a b c d e"], [text, "e f"])

    rows = found.filter(pl.col("tokens") < 5)
    assert rows["exact"].to_list() == ([exact] if prompt.strip("\u200b") else [])
    assert rows["share"].to_list() == rows["union_share"].to_list() == [None] * len(rows)
    assert rows["jaccard"].to_list() == rows["text_row"].to_list() == [None] * len(rows)
    assert set(rows["class"]) <= {"short"}


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Wie heißt die längste Straße der Welt?", "WIE HEISST DIE LÄNGSTE STRASSE DER WELT"),
        (
            "Wie heißt die längste Straße der Welt?",
            "Wie heißt die la\u0308ngste\u00a0Straße der Welt",
        ),
        ("Ｗｒｉｔｅ　ａ　ｐｏｅｍ about the sea", "write a poem about\u200b the sea!"),
        ("東京の天気を教えて", "東京 の 天気 を教えて。"),
        ("ｶﾞﾗｽの作り方", "ガラスの作り方"),
        ("한국어로 시를 한 편 써 줘", "한국어로 시를 한 편 써 줘"),
        ("อากาศวันนี้เป็นอย่างไร", "อากาศ วันนี้ เป็นอย่างไร?"),
        ("def f(x):\n    return x+1 or x", "def f( x ): return x + 1 or x"),
    ],
)
def test_spelling_is_no_hiding_place(prompt, text):
    """Case, composition, width, invisible characters and spacing leave a prompt what it is."""
    found = overlap([prompt], ["another text of some words", f"{text}"])

    assert found.select("class", "exact", "share", "exact_row").rows() == [("seen", True, 1.0, 1)]


def test_missing_prompts_are_nobodys():
    """A row without a prompt belongs to none; the others are numbered as they come."""
    index = index_prompts(strings([None, "b b", "", "a", "B  b", " \n"]))

    assert index.of_row.tolist() == [-1, 0, -1, 1, 0, -1]
    assert index.rows.tolist() == [1, 3]


@pytest.mark.parametrize(("prompts", "texts"), [([], []), ([], ["a b"]), (["a b c d e"], [])])
def test_nothing_to_match(prompts, texts):
    """Without prompts there are no rows; without texts nothing is seen."""
    found = overlap(prompts, texts)

    assert found["class"].to_list() == ["unseen"] * len(prompts)
    assert found["text_row"].to_list() == [None] * len(prompts)


# ── the same whatever the machine does ─────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def corpus():
    """Prompts and texts with words in common, some of them boilerplate."""
    rng = np.random.default_rng(5)

    def some(n, longest):
        words = rng.zipf(1.6, (n, longest)) % 300
        return [" ".join(f"w{w}" for w in row[: rng.integers(longest)]) for row in words]

    opener = "you are a helpful assistant and answer briefly "
    prompts = [opener * (i % 3 == 0) + text for i, text in enumerate(some(900, 30))]
    return strings(prompts), strings([opener + text for text in some(400, 60)] + prompts[::40])


@pytest.mark.parametrize("rule", ["default", "tulu3"])
def test_threads_and_blocks_do_not_matter(corpus, monkeypatch, rule):
    """One thread or three, large blocks or small, one part of the table or many: all the same."""
    prompts, texts = corpus
    rule = replace(overlap_rule(rule), n=3)
    index = index_prompts(prompts, rule, threads=1)
    matches = match_texts(index, texts, threads=1)

    monkeypatch.setattr(prompt_index, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr(ngram_table, "BLOCK_TOKENS", 100)
    monkeypatch.setattr(ngram_table, "PART_NGRAMS", 50)
    monkeypatch.setattr(text, "PIECE_ROWS", 37)
    in_bits = index_prompts(prompts, rule, threads=3)
    found = [match_texts(in_bits, texts, threads=n) for n in (1, 3)]

    wanted = overlap_table(index, matches)
    assert wanted["class"].n_unique() == 3
    for each in found:
        assert overlap_table(in_bits, each).equals(wanted)
    assert same(*found)
    assert same(in_bits.table, index_prompts(prompts, rule, threads=1).table)


def test_a_corpus_in_columns_of_any_make(corpus):
    """Batches one after the other are the same as one column; rows are counted through."""
    prompts, texts = corpus
    index = index_prompts(prompts)
    whole = match_texts(index, texts)
    arrow = texts.to_arrow(compat_level=pl.CompatLevel.oldest())

    batches = [texts[:100], arrow.slice(100, 150), pa.chunked_array([arrow.slice(250)])]

    assert same(match_texts(index, iter(batches)), whole)
    assert same(match_texts(index, pa.chunked_array([arrow])), whole)


def test_a_stream_is_not_read_ahead(monkeypatch):
    """Of a long stream only a few blocks are held at a time, so memory does not grow with it."""
    index = index_prompts(strings(["a b c d e"]))
    take, done, ahead = _Scan.take, [], []

    def slowly(scan, block, first_id):
        sleep(0.001)
        take(scan, block, first_id)
        done.append(first_id)

    def batches():
        for i in range(100):
            ahead.append(i - len(done))
            yield strings(["a b c d e f"])

    monkeypatch.setattr(_Scan, "take", slowly)
    matches = match_texts(index, batches(), threads=2)

    assert matches.n_texts == 100
    assert max(ahead) <= 8


def test_long_prompts_of_one_ngram():
    """A prompt that says the same a thousand times, and a word that all prompts say."""
    prompts = ["ha " * 1_000, *(f"ha ha ha ha ha {i}" for i in range(700))]

    found = overlap(prompts, ["ha " * 30], OverlapRule(cap=800))

    assert found["share"][0] == 1.0
    assert found["share"][1:].unique().to_list() == [0.5]


# ── rules ──────────────────────────────────────────────────────────────────────────────────


def test_a_threshold_can_be_changed_without_matching_again():
    """The table holds what the other thresholds need."""
    index = index_prompts(strings(["a b c d e f g h i j"]))
    matches = match_texts(index, strings(["a b c d e f"]))
    table = overlap_table(index, matches)

    lower = replace(index.rule, threshold=0.3)
    alike = replace(index.rule, jaccard=0.6)

    assert table["class"].to_list() == ["unseen"]
    assert classify(table, index, lower)["class"].to_list() == ["seen"]
    assert overlap_table(index, matches, alike)["class"].to_list() == ["seen"]
    assert overlap_table(index, matches, lower).equals(classify(table, index, lower))


def test_a_rule_for_another_index_is_refused():
    """What was matched by 5-grams cannot be judged by 8-grams."""
    index = index_prompts(strings(["a b"]))

    with pytest.raises(OptionError, match=r"^rule: n is 8, but the index was built with 5; build"):
        overlap_table(index, no_matches(index), OverlapRule(8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n: 0 tokens; an n-gram has 1 to 64"),
        ({"unit": "bytes"}, "unit: 'bytes' is neither words nor characters"),
        ({"of": "texts"}, "of: 'texts' is neither ngrams nor tokens"),
        ({"cap": 0}, "cap: 0 prompts; an n-gram is in 1 or more"),
        ({"samples": 0}, "samples: 0; 1 or more n-grams, or None for all"),
        ({"threshold": 1.5}, "threshold: 1.5 is not a share between 0 and 1"),
        ({"threshold": 0.0}, "threshold: every prompt has a share of 0; take above=True"),
        ({"jaccard": 0.0}, "jaccard: 0.0 is not above 0 and at most 1"),
    ],
)
def test_rules_that_cannot_be(options, message):
    """Each value that makes no sense is named."""
    with pytest.raises(OptionError) as raised:
        OverlapRule(**options)

    assert str(raised.value) == message


def test_an_unknown_rule_is_refused():
    """The rules that there are are listed."""
    with pytest.raises(
        OptionError, match="rule: there is no 'gpt5'; there are default, gpt3, palm"
    ):
        overlap_rule("gpt5")


WORDS = " ".join(f"w{i}" for i in range(40))
"""A prompt of 40 words, 33 8-grams and 28 13-grams."""


def first_words(n, start=0):
    """Some of them."""
    return " ".join(WORDS.split()[start : start + n])


@pytest.mark.parametrize(
    ("rule", "seen", "unseen"),
    [
        ("gpt3", [first_words(13, 9)], [first_words(12, 9), first_words(12, 22)]),
        # 24 of 33 8-grams are 0.73, and 23 are 0.697.
        ("palm", [first_words(20), first_words(18, 20)], [first_words(20), first_words(17, 20)]),
        # 28 of 40 tokens.
        ("llama3", [first_words(20), first_words(8, 30)], [first_words(20), first_words(7, 30)]),
        ("tulu3", [first_words(21)], [first_words(20), first_words(20, 20)]),
    ],
)
def test_published_rules(rule, seen, unseen):
    """Each published rule at the edge of what it asks for."""
    rule = overlap_rule(rule)

    assert overlap([WORDS], seen, rule)["class"].to_list() == ["seen"]
    assert overlap([WORDS], unseen, rule)["class"].to_list() == ["unseen"]


def test_published_rules_find_boilerplate():
    """They have no cap: what is in every prompt counts as seen once one text has it."""
    prompts = [f"{first_words(30)} {i}" for i in range(300)]

    for name, rule in RULES.items():
        found = overlap(prompts, [first_words(30)], rule)
        seen = found["class"].unique().to_list()
        assert seen == (["unseen"] if name in ("default", "tulu3") else ["seen"])


def test_substrings_of_fifty_characters():
    """Three drawn substrings of 50 letters and digits; spaces and signs do not matter."""
    rule = overlap_rule("gpt4")
    prompt = "".join(chr(97 + i * i % 23) for i in range(500))
    spaced = " - ".join(prompt[i : i + 7].upper() for i in range(0, 500, 7))
    index = index_prompts(strings([prompt]), rule)

    assert 1 <= index.table.n_grams[0] <= 3
    assert overlap([prompt], [spaced], rule)["union_share"].to_list() == [1.0]
    assert overlap([prompt], [prompt[:49], prompt[451:]], rule)["class"].to_list() == ["unseen"]
    assert overlap([prompt[:50]], [f"x{prompt[:50]}x"], rule)["class"].to_list() == ["seen"]
    assert overlap([prompt[:49]], [f"x{prompt[:49]}x"], rule)["class"].to_list() == ["short"]


def test_substrings_are_drawn_anew_with_another_seed():
    """The same seed draws the same, and what is drawn depends on the prompt, not on its place."""
    prompt = " ".join(f"word{i}" for i in range(200))
    texts = strings([prompt[i : i + 90] for i in range(0, len(prompt) - 90, 40)])

    def drawn(seed, prompts):
        index = index_prompts(strings(prompts), replace(overlap_rule("gpt4"), seed=seed))
        number = index.of_row[prompts.index(prompt)]
        return overlap_table(index, match_texts(index, texts)).row(number)[3:9]

    entries = [
        set(index_prompts(strings([prompt]), replace(overlap_rule("gpt4"), seed=s)).table.entries)
        for s in (0, 0, 1)
    ]
    assert entries[0] == entries[1] != entries[2]
    assert drawn(0, [prompt]) == drawn(0, ["another prompt " * 9, prompt])


def test_what_is_no_text_is_refused():
    """A column of numbers has no prompts, and a file's number has its limits."""
    with pytest.raises(ColumnError, match="'prompt': holds int64, not text"):
        index_prompts(pl.Series("prompt", [1, 2]))
    with pytest.raises(OptionError, match="file: -1 is not the number of a file"):
        match_texts(index_prompts(strings(["a"])), strings([]), file=-1)


def test_no_text_is_above_all_numbers():
    """The lowest number of a text wins, and none at all loses."""
    index = index_prompts(strings(["a b c d e"]))

    assert no_matches(index).text.tolist() == [NO_TEXT]
    assert merge_matches(no_matches(index), match_texts(index, strings(["a b c d e"]))).text == [0]
