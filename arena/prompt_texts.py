"""Invented prompts in ten languages: all distinct, quickly made, and copied from nowhere.

`prompt_words/` holds a grammar per language: a table of symbols, each with its wordings,
separated by ``|``, in which other symbols stand in braces. Every symbol is written out once,
as one column, for all the places that ask for it, which is why a million prompts take seconds.

Between two symbols there are few words on purpose. What two prompts share should be chance,
and not the wording around it, or every prompt would look like a near copy of many others.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

LANGUAGES = (
    *("English", "Chinese", "Russian", "German", "Spanish"),
    *("Japanese", "French", "Korean", "Portuguese", "Italian"),
)
"""The languages that prompts can be written in, as LMSYS names them."""

KINDS = ("general", "code", "math", "creative")
"""What a prompt can be about, in the order of their codes."""

NUMBERS = {
    "digit": "2|3|4|5|6|7|8|9",
    "number": "|".join(map(str, range(11, 100))),
    "large": "|".join(map(str, range(103, 1000, 7))),
}

HURRIED = 0.15
"""Share of prompts that are typed without capitals and full stops."""

ROUNDS = 30
"""How often a prompt that is there already is written anew before it is given a number."""


@dataclass(frozen=True, slots=True, eq=False)
class PromptPlan:
    """What n prompts are to be.

    Attributes:
        languages: the names that `language` refers to.
        language: int [n], indices into `languages`.
        kind: int [n], indices into `KINDS`.
        ruled: bool [n], whether a rule to follow stands at the end.
        greeting: int [n], which of the language's `greetings` the prompt is, or -1.
    """

    languages: tuple[str, ...]
    language: Integers
    kind: Integers
    ruled: Flags
    greeting: Integers

    def rows(self, which: Integers) -> "PromptPlan":
        """The plan of some of the prompts."""
        return PromptPlan(
            self.languages,
            self.language[which],
            self.kind[which],
            self.ruled[which],
            self.greeting[which],
        )


def write_prompts(plan: PromptPlan, rng: np.random.Generator) -> pl.Series:
    """Prompts as planned, no two of them equal, even if case, spaces and punctuation are ignored."""
    texts = _write(plan, rng)
    # Hashes are quicker to compare; should two ever collide, a prompt is written once more.
    keys = prompt_keys(texts).hash()
    for already in range(2 * ROUNDS):
        again = np.flatnonzero(~keys.is_first_distinct().to_numpy())
        if not again.size:
            break
        fresh = _write(plan.rows(again), rng)
        if already >= ROUNDS:
            number = pl.Series(rng.integers(10**9, size=again.size)).cast(pl.String)
            fresh = fresh + " (" + number + ")"
        texts, keys = texts.scatter(again, fresh), keys.scatter(again, prompt_keys(fresh).hash())
    return texts


def write_follow_ups(
    languages: tuple[str, ...], language: Integers, rng: np.random.Generator
) -> pl.Series:
    """What users say after an answer: for each code [n] in `language`, a text of one line."""
    rows = [np.flatnonzero(language == code) for code in range(len(languages))]
    texts = [
        expand(grammar_of(name), {"follow": here.size}, rng)["follow"]
        for name, here in zip(languages, rows, strict=True)
    ]
    return _in_order(rows, texts)


def prompt_keys(texts: pl.Series) -> pl.Series:
    """What no two prompts share: their letters and digits, in lower case.

    >>> prompt_keys(pl.Series(["Hi, there!", "2 + 2 = 4?"])).to_list()
    ['hithere', '224']
    """
    return texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "")


def _write(plan: PromptPlan, rng: np.random.Generator) -> pl.Series:
    """Prompts as planned; some may be equal."""
    rows, texts = [], []
    for code, name in enumerate(plan.languages):
        of_kind = [
            np.flatnonzero((plan.language == code) & (plan.kind == k)) for k in range(len(KINDS))
        ]
        at = np.concatenate(of_kind)
        if not at.size:
            continue
        ruled = np.flatnonzero(plan.ruled[at])
        sizes = {kind: which.size for kind, which in zip(KINDS, of_kind, strict=True)}
        written = expand(grammar_of(name), {**sizes, "rule": ruled.size}, rng)
        space = "" if name in ("Chinese", "Japanese") else " "
        endings = _empty(at.size).scatter(ruled, space + written["rule"])
        rows.append(at)
        texts.append(pl.concat([written[kind] for kind in KINDS]) + endings)
    return _greeted(plan, _hurried(plan, _in_order(rows, texts), rng))


def _hurried(plan: PromptPlan, texts: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Some prompts without capitals and full stops; code is left as it is."""
    some = (rng.random(len(texts)) < HURRIED) & (plan.kind != KINDS.index("code"))
    rows = np.flatnonzero(some)
    return texts.scatter(rows, texts.gather(rows).str.to_lowercase().str.strip_chars_end(" .?。？"))


def _greeted(plan: PromptPlan, texts: pl.Series) -> pl.Series:
    rows = np.flatnonzero(plan.greeting >= 0)
    pairs = zip(plan.language[rows].tolist(), plan.greeting[rows].tolist(), strict=True)
    words = [greetings(plan.languages[code])[which] for code, which in pairs]
    return texts.scatter(rows, pl.Series(words, dtype=pl.String))


def _in_order(rows: list[Integers], texts: list[pl.Series]) -> pl.Series:
    """Texts that belong to the given rows, which together are all rows."""
    at = np.concatenate([np.empty(0, dtype=np.int64), *rows])
    return pl.concat([_empty(0), *texts]).gather(np.argsort(at))


def _empty(n: int) -> pl.Series:
    return pl.repeat("", n, dtype=pl.String, eager=True)


# ── grammars ───────────────────────────────────────────────────────────────────────────────

Wording = tuple[str, ...]
"""Texts and symbols in turn, beginning and ending with a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """Symbols and what they are written as.

    Attributes:
        wordings: those of each symbol.
        words: of symbols that use no others, the same as a column.
        order: the symbols, each before those it uses.
    """

    wordings: Mapping[str, tuple[Wording, ...]]
    words: Mapping[str, pl.Series]
    order: tuple[str, ...]


def greetings(language: str) -> tuple[str, ...]:
    """What people of a language try first.

    >>> greetings("Spanish")[0]
    'hola'
    """
    return tuple(_words(language)["greetings"])


@cache
def grammar_of(language: str) -> Grammar:
    """The grammar of one of `LANGUAGES`."""
    symbols = NUMBERS | _words("code") | _words(language)
    return read_grammar({name: text for name, text in symbols.items() if name != "greetings"})


@cache
def _words(name: str) -> dict[str, str]:
    path = files("arena") / "prompt_words" / f"{name.lower()}.toml"
    return tomllib.loads(path.read_text("utf-8"))


def read_grammar(symbols: Mapping[str, str]) -> Grammar:
    """Take a grammar apart; a doubled brace stands for a brace.

    >>> grammar = read_grammar({"who": "the {animal} | {{nobody}}", "animal": "fox | owl"})
    >>> grammar.wordings["who"], grammar.order
    ((('the ', 'animal', ''), ('{nobody}',)), ('who', 'animal'))
    """
    wordings = {
        symbol: tuple(_parts(wording.strip()) for wording in text.split("|"))
        for symbol, text in symbols.items()
    }

    @cache
    def depth(symbol: str) -> int:
        used = {slot for wording in wordings[symbol] for slot in wording[1::2]}
        return 1 + max(map(depth, used), default=0)

    words = {
        symbol: pl.Series([wording[0] for wording in several])
        for symbol, several in wordings.items()
        if all(len(wording) == 1 for wording in several)
    }
    return Grammar(wordings, words, tuple(sorted(wordings, key=depth, reverse=True)))


def _parts(wording: str) -> Wording:
    parts = re.split(r"(?<!\{)\{([a-z_]+)\}(?!\})", wording, flags=re.IGNORECASE)
    return tuple(
        part if i % 2 else part.replace("{{", "{").replace("}}", "}")
        for i, part in enumerate(parts)
    )


def expand(
    grammar: Grammar, wanted: Mapping[str, int], rng: np.random.Generator
) -> dict[str, pl.Series]:
    """Write symbols out, each so many times; all wordings of a symbol are equally likely."""
    counts, needed = _plan(grammar, wanted, rng)
    written: dict[str, pl.Series] = {}
    used: Counter[str] = Counter()

    def take(symbol: str, n: int) -> pl.Series:
        used[symbol] += n
        return written[symbol].slice(used[symbol] - n, n)

    for symbol in reversed(grammar.order):
        if symbol in grammar.words:
            words = grammar.words[symbol]
            written[symbol] = words.gather(rng.integers(len(words), size=needed[symbol]))
            continue
        pieces = [
            _joined([take(part, n) if i % 2 else part for i, part in enumerate(wording)], n)
            for wording, n in zip(grammar.wordings[symbol], counts[symbol], strict=True)
            if n
        ]
        # Taken from the front by all users in turn, so the wordings must be mixed.
        texts = pl.concat([_empty(0), *pieces])
        written[symbol] = texts.gather(rng.permutation(len(texts)))
    return {symbol: take(symbol, n) for symbol, n in wanted.items()}


def _plan(
    grammar: Grammar, wanted: Mapping[str, int], rng: np.random.Generator
) -> tuple[dict[str, list[int]], Counter[str]]:
    """How often each wording is used, and each symbol needed."""
    needed = Counter(dict(wanted))
    counts: dict[str, list[int]] = {}
    for symbol in grammar.order:
        if symbol in grammar.words:
            continue
        wordings = grammar.wordings[symbol]
        equal = np.full(len(wordings), 1.0 / len(wordings))
        counts[symbol] = rng.multinomial(needed[symbol], equal).tolist()
        for wording, n in zip(wordings, counts[symbol], strict=True):
            for slot in wording[1::2]:
                needed[slot] += n
    return counts, needed


def _joined(parts: list[str | pl.Series], n: int) -> pl.Series:
    """Texts and columns of n texts, one after another."""
    if len(parts) == 1:
        return pl.repeat(parts[0], n, dtype=pl.String, eager=True)
    columns = [pl.lit(part) for part in parts if len(part)]
    return pl.select(pl.concat_str(columns)).to_series()
