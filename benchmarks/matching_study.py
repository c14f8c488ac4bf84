"""What matching finds of prompts that were planted in training data, changed in known ways.

    python benchmarks/matching_study.py

Votes and training texts are drawn by `generate_prompts.py`; then some votes are made from one
training text each, in the ways of `KINDS`. All other votes have nothing to do with any text, though
many begin with the same boilerplate. So it is known what should be found, and what should not.

Every rule of `arena.overlap_rules` is tried. Rules that need the same index are decided on one
match; so is the grid of thresholds, which is looked at on another seed than the table, lest the
thresholds be praised on what they were chosen by.

Of a kind those votes count that a rule can judge: prompts too short for an n-gram are left out,
and how many these are is said. Votes that equal some text by chance, such as an opener and one
frequent word, are no negatives, and are left out when votes are drawn. What a positive was made
from is known, so for what the default rule misses it can be told why.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from time import perf_counter
from unicodedata import normalize

import numpy as np
import polars as pl
from generate_prompts import CJK_OPENERS, OPENERS, vocabulary, write_prompts

from arena.matches import overlap_class, overlap_table
from arena.overlap import match_texts
from arena.overlap_rules import INDEX_FIELDS, RULES, OverlapRule
from arena.prompt_index import index_prompts
from arena.text import fingerprint_texts, tokenise

WORD = re.compile(r"[぀-ヿ一-鿿]|[^\W_぀-ヿ一-鿿]+")
"""A word, or a character where words are not separated."""
PUNCTUATION = re.compile(r"[^\w\s]")
MARKS = ".,;:!?…"
RARE_OPENERS, RARE_WORDS = 40, 20
"""Boilerplate that is in fewer prompts than the cap of the rules."""

SHARES = (0.4, 0.5, 0.6)
JACCARDS = (0.7, 0.75, 0.8, 0.85, None)
"""The grid around the thresholds of the default rule."""
SUPPORTS = (0.0, 0.05, 0.1, 0.15, 0.2)
"""Shares of n-grams to be asked for where Jaccard is the reason; no rule of the package does."""
CAPS = (16, 32, 64, 128, 256, 512)
LENGTHS = (5, 8, 10, 13, 18, 26, 61)
"""From so many tokens on; the last bin has no end."""


# ── how votes are made from training texts ─────────────────────────────────────────────────

Change = Callable[[str, str, Random], str]
"""From a text, its pool, and a source of chance."""


def same(text: str, pool: str, draw: Random) -> str:
    """An exact copy."""
    return text


def retyped(text: str, pool: str, draw: Random) -> str:
    """Another case, other white space, other punctuation: one to three of these."""
    changes = (
        lambda text: draw.choice((str.upper, str.lower, str.title, str.swapcase))(text),
        lambda text: text.replace(" ", draw.choice(("  ", "\n", " \t"))) + draw.choice(("", "\n ")),
        lambda text: PUNCTUATION.sub(lambda _: draw.choice(MARKS), text) + draw.choice(MARKS),
        lambda text: text + draw.choice(("!", "??", " :)", "...")),
    )
    for change in draw.sample(changes, draw.randint(1, 3)):
        text = change(text)
    return text


def without_punctuation(text: str, pool: str, draw: Random) -> str:
    """Nothing but letters, digits and white space: `don't` becomes `dont`, and `a.b` `ab`."""
    return PUNCTUATION.sub("", text)


def respelled(text: str, pool: str, draw: Random) -> str:
    """The same characters in other code points, or with some that are not seen."""

    def wide(text: str) -> str:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)

    def sprinkled(text: str) -> str:
        return "".join(c + "\u200b" * (draw.random() < 0.1) for c in text)

    ways = [
        lambda text: normalize("NFD", text),
        wide,
        lambda text: text.replace(" ", "\u00a0"),
        sprinkled,
    ]
    for way in draw.sample(ways, len(ways)):
        changed = way(text)
        if changed != text:
            return changed
    return "\ufeff" + text


def edited(share: float) -> Change:
    """So many of the words changed for others, one at least."""

    def change(text: str, pool: str, draw: Random) -> str:
        words = list(WORD.finditer(text))
        n = min(max(1, round(share * len(words))), len(words))
        for word in sorted(draw.sample(words, n), key=re.Match.start, reverse=True):
            text = text[: word.start()] + other_word(word[0], pool, draw) + text[word.end() :]
        return text

    return change


def swapped(text: str, pool: str, draw: Random) -> str:
    """The second half first."""
    middle = place(text, 0.5)
    return text[middle:] + vocabulary(pool).space + text[:middle]


def begun(text: str, pool: str, draw: Random) -> str:
    """The first 60 % of the words, and another ending."""
    return text[: place(text, 0.6)] + fresh(round(0.4 * n_words(text)), pool, draw)


def inside(text: str, pool: str, draw: Random) -> str:
    """The middle 60 % of the words."""
    return text[place(text, 0.2) : place(text, 0.8)]


def wrapped(text: str, pool: str, draw: Random) -> str:
    """The whole text, with 20 to 150 % as many words again before and after it."""
    n = max(1, round(draw.uniform(0.2, 1.5) * n_words(text)))
    before, space = draw.randint(0, n), vocabulary(pool).space
    return fresh(before, pool, draw) + space + text + space + fresh(n - before, pool, draw)


def boilerplate(text: str, pool: str, draw: Random) -> str:
    """One of the longest openers, and 3 to 11 new words."""
    openers = CJK_OPENERS[-3:] if pool == "CJK" else OPENERS[-10:]
    return draw.choice(openers) + " " + fresh(draw.randint(3, 11), pool, draw)


def rare_boilerplate(text: str, pool: str, draw: Random) -> str:
    """An opener that not many prompts have, and 3 to 11 new words."""
    return rare_opener(draw.randrange(RARE_OPENERS)) + " " + fresh(draw.randint(3, 11), pool, draw)


def place(text: str, share: float) -> int:
    """Where the word begins before which this share of the words are."""
    words = list(WORD.finditer(text))
    at = round(share * len(words))
    return words[at].start() if at < len(words) else len(text)


def n_words(text: str) -> int:
    """How many words there are, or characters where they are not separated."""
    return len(WORD.findall(text))


def fresh(n: int, pool: str, draw: Random) -> str:
    """So many words in a row."""
    return vocabulary(pool).space.join(any_word(pool, draw) for _ in range(n))


def any_word(pool: str, draw: Random) -> str:
    """A word as frequent as it is in texts; of CJK one character."""
    words = vocabulary(pool).words
    rank = int(2.0 * (len(words) / 2.0 + 1.0) ** draw.random() - 2.0)
    word = words[min(rank, len(words) - 1)]
    return draw.choice(word) if pool == "CJK" else word


def other_word(word: str, pool: str, draw: Random) -> str:
    """A word that is not this one; of a name with several words in it the first."""
    while (other := WORD.findall(any_word(pool, draw))[0]).lower() == word.lower():
        pass
    return other


@cache
def rare_opener(k: int) -> str:
    """The words of one of the openers that not many prompts have."""
    return fresh(RARE_WORDS, "English", Random(k))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of votes.

    Attributes:
        name: what the tables call it.
        share: of all votes.
        change: how one is made from a training text; None for one that is drawn like any other.
        seen: whether it should be found.
        times: how many are made of one text.
    """

    name: str
    share: float
    change: Change
    seen: bool = True
    times: int = 1


KINDS = (
    Kind("exact", 0.03, same),
    Kind("Unicode", 0.03, respelled),
    Kind("case, space, punctuation", 0.03, retyped),
    Kind("punctuation taken out", 0.02, without_punctuation),
    Kind("one word changed", 0.03, edited(0.0)),
    Kind("popular, one word changed", 0.012, edited(0.0), times=60),
    Kind("10 % changed", 0.06, edited(0.10)),
    Kind("25 % changed", 0.03, edited(0.25)),
    Kind("halves swapped", 0.03, swapped),
    Kind("inside", 0.03, inside),
    Kind("prefix", 0.03, begun),
    Kind("wrapped", 0.03, wrapped),
    Kind("boilerplate", 0.05, boilerplate, seen=False),
    Kind("rare boilerplate", 0.02, rare_boilerplate, seen=False),
)
UNRELATED = {
    **dict.fromkeys(("English", "accents", "Cyrillic"), "unrelated"),
    "CJK": "unrelated CJK",
    "code": "unrelated code",
}
POSITIVES = tuple(kind.name for kind in KINDS if kind.seen)
NEGATIVES = (*(kind.name for kind in KINDS if not kind.seen), *dict.fromkeys(UNRELATED.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Votes whose truth is known.

    Attributes:
        votes: `kind`, `pool`, `text`, and `source`, the row of the training text that it was
            made from, null for none.
        texts: the training texts.
    """

    votes: pl.DataFrame
    texts: pl.Series


def plant(n_votes: int, n_texts: int, seed: int) -> Planted:
    """Draw votes and training texts; a seed gives the same ones everywhere."""
    training = write_prompts(n_texts, 2 * seed)
    votes = write_prompts(n_votes, 2 * seed + 1).with_columns(
        kind=pl.col("pool").replace_strict(UNRELATED), source=pl.lit(None, pl.Int64)
    )
    draw, parts, begin = Random(seed), [], 0
    sources = np.random.default_rng(seed).permutation(n_texts)
    texts = training["text"]
    # Of short boilerplate there are texts as well as votes.
    rare = [rare_boilerplate("", "English", draw) for _ in range(n_texts // 1_000)]
    texts = texts.scatter(sources[: len(rare)], rare)
    sources = sources[len(rare) :]
    for kind in KINDS:
        n = round(kind.share * n_votes)
        rows = np.repeat(sources[begin : begin + n], kind.times)[:n]
        parts.append(_planted(kind, rows, training["pool"].gather(rows), texts.gather(rows), draw))
        begin += n
    parts.append(votes.slice(begin).select("kind", "pool", "text", "source"))
    return Planted(without_chance_copies(pl.concat(parts), texts), texts)


def without_chance_copies(votes: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """The votes without negatives whose words are all those of a text."""
    there = np.unique(fingerprint_texts(texts, "words"))
    copies = pl.Series(np.isin(fingerprint_texts(votes["text"], "words"), there))
    return votes.filter(pl.col("source").is_not_null() | ~copies)


def _planted(
    kind: Kind, rows: np.ndarray, pools: pl.Series, texts: pl.Series, draw: Random
) -> pl.DataFrame:
    pairs = zip(texts.to_list(), pools.to_list(), strict=True)
    made = [kind.change(text, pool, draw) for text, pool in pairs]
    return pl.DataFrame(
        {
            "kind": pl.repeat(kind.name, len(made), eager=True),
            "pool": pools,
            "text": pl.Series(made, dtype=pl.String),
            "source": pl.Series(rows if kind.seen else [None] * len(made), dtype=pl.Int64),
        }
    )


# ── what rules find ────────────────────────────────────────────────────────────────────────


def match_votes(planted: Planted, rule: OverlapRule) -> pl.DataFrame:
    """The votes with the columns of `overlap_table`."""
    index = index_prompts(planted.votes["text"], rule)
    table = overlap_table(index, match_texts(index, planted.texts))
    rows = planted.votes.with_columns(prompt=pl.Series(index.of_row))
    return rows.join(table, on="prompt", how="left", maintain_order="left")


def match_rules(planted: Planted, rules: Mapping[str, OverlapRule]) -> dict[str, pl.DataFrame]:
    """The votes by rule, with their class; rules of one index are matched once."""
    matched: dict[tuple[object, ...], pl.DataFrame] = {}
    for rule in rules.values():
        fields = tuple(getattr(rule, name) for name in INDEX_FIELDS)
        if fields not in matched:
            matched[fields] = match_votes(planted, rule)
    return {
        name: matched[tuple(getattr(rule, field) for field in INDEX_FIELDS)].with_columns(
            overlap_class(rule).alias("class")
        )
        for name, rule in rules.items()
    }


def seen_share(votes: pl.DataFrame, by: str = "kind") -> dict[str, float]:
    """The share of votes that are seen, of those that can be judged."""
    judged = votes.filter(pl.col("class") != "short")
    shares = judged.group_by(by).agg(share=(pl.col("class") == "seen").mean())
    return dict(shares.select(by, "share").iter_rows())


def exact_share(votes: pl.DataFrame) -> dict[str, float]:
    """The same by whole equality only, of the same votes."""
    judged = votes.filter(pl.col("class") != "short")
    return dict(judged.group_by("kind").agg(pl.col("exact").mean()).iter_rows())


def reclassed(votes: pl.DataFrame, rule: OverlapRule) -> pl.DataFrame:
    """The votes with their classes by other thresholds."""
    return votes.with_columns(overlap_class(rule).alias("class"))


def supported(votes: pl.DataFrame, jaccard: float, least: float) -> pl.DataFrame:
    """The votes with their classes by other values of Jaccard and of the share it needs."""
    return reclassed(votes, replace(RULES["default"], jaccard=jaccard, jaccard_share=least))


def edits_found(votes: pl.DataFrame) -> float:
    """The share that is seen of votes with 10 % of the words changed, from 8 tokens on."""
    return seen_share(votes.filter(pl.col("tokens") >= 8))["10 % changed"]


# ── what is missed, and why ────────────────────────────────────────────────────────────────

REASONS = (
    "no n-gram left in common",
    "those left are boilerplate",
    "another text has more",
    "both shares too small",
)


def reason(row: Mapping[str, object], source: Sequence[int], prompt: Sequence[int]) -> str:
    """Why the default rule does not see a vote that was made from a text."""
    rule = RULES["default"]
    share = len(grams(source, rule.n) & grams(prompt, rule.n)) / len(grams(prompt, rule.n))
    if share == 0.0:
        return REASONS[0]
    if row["text_row"] is None:
        return REASONS[1]
    alike = token_jaccard(source, prompt) >= (rule.jaccard or 1.0) and share >= rule.jaccard_share
    enough = share >= rule.threshold or alike
    if not enough:
        return REASONS[3]
    return REASONS[2] if row["text_row"] != row["source"] else REASONS[1]


def grams(tokens: Sequence[int], n: int) -> set[tuple[int, ...]]:
    """The n-grams of a text."""
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def token_jaccard(one: Sequence[int], other: Sequence[int]) -> float:
    """Jaccard of two multisets of tokens."""
    first, second = Counter(one), Counter(other)
    return (first & second).total() / (first | second).total()


def misses(votes: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """The positives that are judged and not seen: `kind`, `pool`, `tokens`, `reason`."""
    missed = votes.filter(pl.col("source").is_not_null(), pl.col("class") == "unseen")
    prompts, sources = token_lists(missed["text"]), token_lists(texts.gather(missed["source"]))
    rows = zip(missed.iter_rows(named=True), sources, prompts, strict=True)
    reasons = pl.Series([reason(*row) for row in rows], dtype=pl.String)
    return missed.select("kind", "pool", "tokens", "text").with_columns(reason=reasons)


def token_lists(texts: pl.Series) -> list[list[int]]:
    """The hashes of each text's tokens."""
    tokens = tokenise(texts)
    return [part.tolist() for part in np.split(tokens.hashes, tokens.offsets[1:-1])][: len(texts)]


# ── the page ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Target:
    """What the default rule is to reach."""

    name: str
    asked: str
    reached: float
    met: bool


def targets(votes: pl.DataFrame) -> list[Target]:
    """Targets held against the figures of the default rule."""
    share = seen_share(votes)
    prose = seen_share(votes.filter(pl.col("pool") != "code"))["punctuation taken out"]
    found = [
        ("exact", "100 %", share["exact"], 1.0),
        ("Unicode", "100 %", share["Unicode"], 1.0),
        ("case, space, punctuation", "99.5 % or more", share["case, space, punctuation"], 0.995),
        ("punctuation taken out, code aside", "99.5 % or more", prose, 0.995),
        ("10 % changed, 8 or more tokens", "90 % or more", edits_found(votes), 0.9),
    ]
    wrong = [(name, "0.5 % or less", share[name], 0.005) for name in ("boilerplate", "unrelated")]
    return [
        *(Target(*row[:3], met=row[2] >= row[3]) for row in found),
        *(Target(*row[:3], met=row[2] <= row[3]) for row in wrong),
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, figures to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def percent(share: float | None) -> str:
    """A share in per cent; what is small but not nothing does not look like nothing."""
    if share is None:
        return "–"
    return f"{100 * share:.{2 if 0 < share < 0.01 or 0.99 < share < 1 else 1}f}"


def rules_table(by_rule: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """Kinds by rules: what is seen, of what can be judged."""
    seen = {"exact only": exact_share(by_rule["default"])}
    seen |= {name: seen_share(votes) for name, votes in by_rule.items()}
    n = dict(by_rule["default"].group_by("kind").len().iter_rows())
    rows = [
        [f"{'' if kind in POSITIVES else '*not:* '}{kind}", f"{n[kind]:,}"]
        + [percent(of.get(kind)) for of in seen.values()]
        for kind in (*POSITIVES, *NEGATIVES)
    ]
    counts = [(votes["class"] == "short").mean() for votes in by_rule.values()]
    rows.append(["too short to judge, of all", "", percent(counts[0]), *map(percent, counts)])
    yield from table(["kind", "votes", *seen], rows)


def lengths_table(by_rule: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """Votes with 10 % of the words changed, by their tokens."""
    names = [f"{low}–{high - 1}" for low, high in pairwise(LENGTHS)]
    labels = [f"under {LENGTHS[0]}", *names, f"{LENGTHS[-1]} or more"]
    rows: dict[str, list[str]] = {label: [label] for label in labels}
    for number, votes in enumerate(by_rule.values()):
        edits = votes.filter(pl.col("kind") == "10 % changed", pl.col("class") != "short")
        which = np.searchsorted(LENGTHS, edits["words"].to_numpy(), side="right")
        edits = edits.with_columns(length=pl.Series([labels[k] for k in which], dtype=pl.String))
        shares = seen_share(edits, "length")
        if number == 0:
            n = dict(edits["length"].value_counts().iter_rows())
        for label in labels:
            rows[label].append(percent(shares.get(label)))
    lines = [[label, f"{n[label]:,}", *row[1:]] for label, row in rows.items() if label in n]
    yield from table(["tokens", "votes", *by_rule], lines)


def pools_table(votes: pl.DataFrame) -> Iterator[str]:
    """The default rule by pool."""
    pools = votes["pool"].unique().sort().to_list()
    shares = {pool: seen_share(votes.filter(pool=pool)) for pool in pools}
    kinds = [kind for kind in (*POSITIVES, *NEGATIVES) if not kind.startswith("unrelated")]
    rows = [[kind, *(percent(shares[pool].get(kind)) for pool in pools)] for kind in kinds]
    unrelated = [percent(shares[pool][UNRELATED[pool]]) for pool in pools]
    yield from table(["kind", *pools], [*rows, ["unrelated", *unrelated]])


def grid_table(votes: pl.DataFrame) -> Iterator[str]:
    """Thresholds around those of the default rule."""
    rows = []
    for share in SHARES:
        for jaccard in JACCARDS:
            rule = replace(RULES["default"], threshold=share, jaccard=jaccard)
            classed = reclassed(votes, rule)
            seen = seen_share(classed)
            kinds = ("one word changed", "25 % changed", "halves swapped", "prefix", "wrapped")
            rows.append(
                [
                    f"{share} / {jaccard or '–'}{' (default)' if rule == RULES['default'] else ''}",
                    percent(edits_found(classed)),
                    *(percent(seen.get(kind)) for kind in (*kinds, *NEGATIVES)),
                ]
            )
    head = ("10 % changed", "one word", "25 %", "swapped", "prefix", "wrapped")
    yield from table(["share / Jaccard", *head, *(f"*not:* {kind}" for kind in NEGATIVES)], rows)


def support_table(votes: pl.DataFrame) -> Iterator[str]:
    """The default share, and Jaccard where so many of the n-grams are found as well."""
    rows = []
    for jaccard in (0.7, 0.75, 0.8):
        for least in SUPPORTS:
            classed = supported(votes, jaccard, least)
            seen = seen_share(classed)
            rows.append([f"{jaccard} / {least}", *_trade_off(classed, seen)])
    yield from table(["Jaccard / least share", *TRADE_OFF], rows)


def caps_table(planted: Planted) -> Iterator[str]:
    """The default rule with other caps; each needs another index."""
    rows = []
    for cap in CAPS:
        rule = replace(RULES["default"], cap=cap)
        votes = reclassed(match_votes(planted, rule), rule)
        rows.append([f"{cap}", *_trade_off(votes, seen_share(votes))])
    yield from table(["cap", *TRADE_OFF], rows)


TRADE_OFF = (
    *("10 % changed", "one word", "popular", "swapped", "inside", "prefix", "wrapped"),
    *(f"*not:* {kind}" for kind in NEGATIVES),
)


def _trade_off(votes: pl.DataFrame, seen: Mapping[str, float]) -> list[str]:
    kinds = ("one word changed", "popular, one word changed", "halves swapped", "inside")
    kinds += ("prefix", "wrapped", *NEGATIVES)
    return [percent(edits_found(votes)), *(percent(seen.get(kind)) for kind in kinds)]


def short_table(votes: pl.DataFrame) -> Iterator[str]:
    """Votes that are too short for an n-gram, of which only equality is known."""
    short = votes.filter(pl.col("class") == "short").group_by("kind")
    known = {kind: row for kind, *row in short.agg(pl.len(), pl.col("exact").mean()).iter_rows()}
    kinds = [kind for kind in (*POSITIVES, *NEGATIVES) if kind in known]
    rows = [[kind, f"{known[kind][0]:,}", percent(known[kind][1])] for kind in kinds]
    yield from table(["kind", "short votes", "equal a text, %"], rows)


def misses_table(votes: pl.DataFrame, texts: pl.Series) -> Iterator[str]:
    """Why votes were missed, in per cent of those of the kind that can be judged."""
    missed = misses(votes, texts)
    judged = dict(votes.filter(pl.col("class") != "short").group_by("kind").len().iter_rows())
    counts = Counter(missed.select("kind", "reason").iter_rows())
    rows = [
        [kind, f"{judged[kind]:,}", *(percent(counts[kind, why] / judged[kind]) for why in REASONS)]
        for kind in POSITIVES
        if any(counts[kind, why] for why in REASONS)
    ]
    yield from table(["kind", "judged", *REASONS], rows)


def render(check: Planted, shown: Planted, options: argparse.Namespace) -> str:
    """The study as a page of Markdown."""
    chosen = match_votes(check, RULES["default"])
    by_rule = match_rules(shown, RULES)
    default = by_rule["default"]
    by_rule = {name: votes.with_columns(words=default["tokens"]) for name, votes in by_rule.items()}
    lines = [*_head(options), *_targets(default)]
    lines += ["## What each rule sees, %", "", *_how_to_read(), *rules_table(by_rule)]
    lines += ["## 10 % of the words changed, by length, % seen", "", *lengths_table(by_rule)]
    lines += ["## The default rule by pool, % seen", "", *pools_table(default)]
    lines += ["## What the default rule misses, and why, %", "", *_reasons()]
    lines += [*misses_table(default, shown.texts), *_what_they_are()]
    lines += ["## Too short for the default rule", "", *short_table(default)]
    seed = options.check_seed
    lines += [f"## Other thresholds of the default rule, seed {seed}, % seen", ""]
    lines += ["10 % changed: from 8 tokens on, here and below.", "", *grid_table(chosen)]
    lines += [f"## Other shares from which on Jaccard counts, seed {seed}, % seen", ""]
    lines += [*_support(), *support_table(chosen)]
    lines += [f"## Other caps, seed {seed}, % seen", "", *_caps(), *caps_table(check)]
    return "\n".join(lines)


def _head(options: argparse.Namespace) -> Iterator[str]:
    yield f"""# What matching finds

`{command(options)}` · {options.votes:,} votes against {options.texts:,} texts · table on seed {options.seed}, thresholds checked on seed {options.check_seed}

The data are invented: words drawn independently by Zipf's law, thirty openers on six prompts in ten; see [generate_prompts.py](generate_prompts.py).
How votes are made from training texts is said in [matching_study.py](matching_study.py); edits put random words for random words, and are no paraphrase.
All figures are the same on every machine.

## Targets of the default rule
"""


def _targets(votes: pl.DataFrame) -> Iterator[str]:
    rows = [
        [one.name, one.asked, f"{percent(one.reached)} %", "met" if one.met else "**not met**"]
        for one in targets(votes)
    ]
    yield from table(["what", "target", "reached", ""], rows)


def _how_to_read() -> Iterator[str]:
    yield """Of those votes that the rule can judge; the last row says how many it cannot.
Kinds marked *not* have nothing to do with any text, and should not be seen.
`popular`: of one text sixty votes are made, each with another word changed, as users do with a question that goes round.
`rare boilerplate` begins with one of 40 openers of 20 words that are in fewer prompts than the cap of 256, so that they are not known for what they are.
`unrelated code` and `unrelated CJK` are drawn by themselves like all others, but code repeats itself, and so do single characters.
"""


def _reasons() -> Iterator[str]:
    yield """Of judged votes of a kind, held against the text that they were made from.
Boilerplate: n-grams in more than 256 distinct prompts, which find nothing, but stay in the denominator.
Both shares: too few n-grams, and too few tokens in common.
"""


def _what_they_are() -> Iterator[str]:
    yield """- Of 8 tokens one is a tenth or more, of 15 to 17 two: Jaccard is then 7/9, and 13/17 to 15/19, which is why it has to be sought below 0.8.
- Of fewer than 10 tokens, one changed word or a cut in the middle can leave no 5-gram whole.
- Boilerplate: a vote that is an opener and little else has few n-grams that can find anything. `inside`, `prefix` and `wrapped` are missed by it, and `prefix` by having 60 % of its words in common, which is less than half of its n-grams as soon as some of these are an opener's.
- Punctuation taken out of code runs its names together, `a.b(c)` into `abc`; there is no such loss in prose.
"""


def _support() -> Iterator[str]:
    yield """The share of 0.5 is a reason as before. Two texts with the same long boilerplate have most of their words in common, and are compared as soon as a single n-gram outside it is in both; that one n-gram is little of all.
"""


def _caps() -> Iterator[str]:
    yield """Sixty spellings of one question and fifty prompts with one opener are alike in all that is counted: a cap that knows one for boilerplate loses the other.
"""


def command(options: argparse.Namespace) -> str:
    """What was typed, with all that it stands for."""
    return (
        f"python benchmarks/matching_study.py --votes {options.votes} --texts {options.texts} "
        f"--seed {options.seed} --check-seed {options.check_seed}"
    )


def main() -> None:
    """Plant, match, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    if options.seed == options.check_seed:
        parser.error("--seed and --check-seed are the same; thresholds need data of their own")
    start = perf_counter()
    seeds = options.check_seed, options.seed
    page = render(*(plant(options.votes, options.texts, seed) for seed in seeds), options)
    options.output.write_text(page, encoding="utf-8")
    print(page)
    print(f"{perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
