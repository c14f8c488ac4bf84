"""Invented prompts: all distinct, in the right script, of the right lengths, from sound grammars."""

import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from arena import prompt_texts
from arena.prompt_texts import (
    KINDS,
    LANGUAGES,
    PromptPlan,
    expand,
    grammar_of,
    greetings,
    prompt_keys,
    read_grammar,
    write_follow_ups,
    write_prompts,
)

STARTS = {*KINDS, "rule", "follow"}
"""Symbols that prompts are asked for by; all others are used by these."""

SCRIPT = {
    "Chinese": r"\p{Han}",
    "Japanese": r"[\p{Hiragana}\p{Katakana}]",
    "Korean": r"\p{Hangul}",
    "Russian": r"\p{Cyrillic}",
}
"""A character that every text in the language has; all others are written in Latin."""


def plan(n, languages=LANGUAGES, seed=0, **columns):
    """Prompts of all kinds and languages, in turn, some of them with a rule."""
    chosen = {
        "language": np.arange(n) % len(languages),
        "kind": np.arange(n) // len(languages) % len(KINDS),
        "ruled": np.random.default_rng(seed).random(n) < 0.25,
        "greeting": np.full(n, -1),
    }
    return PromptPlan(tuple(languages), **(chosen | columns))


def write(n, seed=0, **options):
    """So many prompts."""
    return write_prompts(plan(n, **options), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def english():
    """Six thousand prompts in English."""
    return write(6_000, languages=["English"])


@pytest.fixture(scope="module")
def mixed():
    """Eight thousand prompts, eight hundred in each language."""
    return write(8_000)


# ── what is written ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("texts", ["english", "mixed"])
def test_no_two_prompts_are_equal(texts, request):
    """Nor would they be if case, spaces and punctuation were ignored."""
    prompts = request.getfixturevalue(texts)

    letters = [re.sub(r"[\W_]+", "", text.lower()) for text in prompts]

    assert len(set(letters)) == len(prompts) > 5_000
    assert min(map(len, letters)) > 0


def test_a_prompt_is_in_its_language(mixed):
    """By the script of its letters; code and names may be Latin anywhere."""
    for code, language in enumerate(LANGUAGES):
        texts = mixed.gather_every(len(LANGUAGES), code)
        own = texts.str.contains(SCRIPT.get(language, r"\p{Latin}"))
        foreign = [script for name, script in SCRIPT.items() if name != language]
        if language == "Japanese":
            foreign.remove(SCRIPT["Chinese"])

        assert own.mean() > 0.99
        assert not texts.str.contains("|".join(foreign)).any()


def test_prompts_are_as_long_as_people_write(english):
    """Half of them have 15 to 30 words, some are a few words and some a page."""
    words = english.str.split(" ").list.len()

    assert 15 <= words.median() <= 30
    assert words.min() <= 3
    assert (words <= 5).mean() >= 0.01
    assert words.quantile(0.99) >= 80


def test_code_is_asked_with_code(english):
    """Nearly half of the prompts about code quote some, and no others do."""
    kind = np.arange(6_000) % len(KINDS)
    quoted = english.str.contains("```").to_numpy()

    by_kind = {name: quoted[kind == code].mean() for code, name in enumerate(KINDS)}

    assert 0.3 < by_kind.pop("code") < 0.6
    assert set(by_kind.values()) == {0.0}


def test_a_rule_to_follow_stands_at_the_end():
    """With the same random numbers, a prompt with a rule goes on where one without ends."""
    grammar = grammar_of("German")
    n = 400
    ruled = plan(n, ["German"], ruled=np.ones(n, dtype=bool))

    texts = write_prompts(ruled, np.random.default_rng(1))

    rules = set(expand(grammar, {"rule": 20_000}, np.random.default_rng(2))["rule"])
    tails = {re.sub(r"\d+", "1", rule.rstrip(".").lower())[-12:] for rule in rules}
    found = [re.sub(r"\d+", "1", text.rstrip(".").lower())[-12:] in tails for text in texts]
    assert np.mean(found) > 0.95


def test_greetings_stand_where_they_are_planned():
    """As they are, whatever else is written."""
    greeting = np.array([0, -1, 1, -1])

    texts = write(4, languages=["Spanish"], greeting=greeting)

    assert texts.gather([0, 2]).to_list() == ["hola", "buenas"]
    assert not {texts[1], texts[3]} & set(greetings("Spanish"))


def test_the_same_seed_gives_the_same_prompts():
    """And another gives others."""
    one, again, other = (write(400, seed, languages=["French", "Korean"]) for seed in (1, 1, 2))

    assert one.equals(again)
    assert len(set(one) & set(other)) < 50


def test_follow_ups_are_one_line_in_the_language_asked():
    """A line break would look like another turn."""
    language = np.repeat(np.arange(len(LANGUAGES)), 200)

    lines = write_follow_ups(LANGUAGES, language, np.random.default_rng(3))

    assert not lines.str.contains("\n").any()
    assert lines.str.len_chars().min() > 0
    for name, script in SCRIPT.items():
        here = lines.filter(pl.Series(language == LANGUAGES.index(name)))
        assert here.str.contains(script).mean() > 0.9


def test_prompts_look_like_each_other_only_by_chance(mixed):
    """Under 3 % have half of their five-word runs in one other text, of thousands."""
    tokens = r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+"
    words = [re.findall(tokens, text.lower()) for text in mixed.to_list()]
    runs = [{tuple(one[i : i + 5]) for i in range(len(one) - 4)} for one in words]
    asked, trained = runs[:4_000], runs[4_000:8_000]
    where = defaultdict(list)
    for row, several in enumerate(asked):
        for run in several:
            where[run].append(row)

    near = set()
    for several in trained:
        shared = Counter(row for run in several for row in where.get(run, ()))
        near |= {row for row, n in shared.items() if 2 * n >= len(asked[row])}

    assert len(near) / len(asked) < 0.03


# ── grammars ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_grammar_is_complete(language):
    """It can write every kind of text, all it says is used, and no wording stands there twice."""
    grammar = grammar_of(language)

    used = {slot for several in grammar.wordings.values() for one in several for slot in one[1::2]}

    assert set(grammar.wordings) >= STARTS
    assert set(grammar.wordings) - used == STARTS
    for symbol in grammar.words:
        assert len(set(grammar.wordings[symbol])) == len(grammar.wordings[symbol]), symbol


def test_greetings_differ_across_languages():
    """Or two prompts of the pool would be equal."""
    everywhere = [word for language in LANGUAGES for word in greetings(language)]

    assert prompt_keys(pl.Series(everywhere)).is_unique().all()


def test_every_wording_is_as_likely_as_the_others():
    """Counts of three wordings, and of what they hold, are within four standard errors."""
    grammar = read_grammar({"start": "x {two} | y {two} | z", "two": "a | b"})
    n = 60_000

    texts = expand(grammar, {"start": n}, np.random.default_rng(0))["start"]

    counts = Counter(texts.to_list())
    chance = {"z": 1 / 3, "x a": 1 / 6, "x b": 1 / 6, "y a": 1 / 6, "y b": 1 / 6}
    assert set(counts) == set(chance)
    for text, p in chance.items():
        assert abs(counts[text] - n * p) < 4 * np.sqrt(n * p * (1 - p))


def test_places_are_filled_independently():
    """The second place does not follow the first, nor one text the one before it."""
    grammar = read_grammar({"start": "{letter}{letter}", "letter": "a | b"})
    n = 40_000

    texts = expand(grammar, {"start": n}, np.random.default_rng(1))["start"].to_list()

    same = sum(first == second for first, second in texts)
    after = sum(one[0] == other[0] for one, other in pairwise(texts))
    for count in (same, after):
        assert abs(count - n / 2) < 4 * np.sqrt(n / 4)


def test_braces_and_bars_are_read_as_said():
    """A doubled brace is a brace, around a symbol, too; spaces around a wording do not count."""
    grammar = read_grammar({"start": " f({x}) {{ {x} }} ", "x": "1"})

    assert expand(grammar, {"start": 1}, np.random.default_rng(0))["start"].to_list() == [
        "f(1) { 1 }"
    ]


def test_a_grammar_that_runs_dry_numbers_its_prompts(monkeypatch):
    """More prompts than can be told apart are still distinct."""
    small = dict.fromkeys([*KINDS, "follow"], "{word}") | {"rule": "now", "word": "yes | no"}
    monkeypatch.setattr(prompt_texts, "grammar_of", lambda _: read_grammar(small))

    texts = write(50, languages=["English"])

    assert prompt_keys(texts).is_unique().all()
    assert texts.str.contains(r"^(yes|no|Yes|No)").all()
    assert texts.str.contains(r"\(\d+\)$").sum() >= 40
