"""Invented prompts in bulk, for what is measured about matching them.

    python benchmarks/generate_prompts.py texts.parquet --texts 1_000_000

Words are drawn independently of each other, by Zipf's law: the most frequent of English first, then
40,000 made of syllables. There are five pools of texts: English; one whose words have accents;
Cyrillic; Chinese and Japanese characters without spaces; and Python code, which uses few names
over and over. Six texts in ten begin with one of thirty openers, as boilerplate does.

What real text has beyond that, phrases and grammar, is missing, so that two texts agree by chance
less often here than in real logs.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]

POOLS = {"English": 0.58, "accents": 0.10, "Cyrillic": 0.07, "CJK": 0.12, "code": 0.13}
"""Which texts there are, and how many of all."""
N_WORDS = 40_000
MEDIAN_WORDS, SPREAD = 20.0, 1.0
"""Of the log-normal distribution of lengths, openers aside."""
MOST_WORDS = 1_500
WITH_OPENER = 0.6
PIECE = 100_000
"""Texts that are written at once."""

FREQUENT_ENGLISH = (
    "the of and to in a is that for it as was with be by on not he i this are or his from at which "
    "but have an had they you were there one all we can her has their been if more when will would "
    "who so no she other its may these what them than some him time into only do such my new about "
    "out also two any up first could our then most see me should after said your very between made "
    "many over like those did now even because must well don't people how too good each just where "
    "it's through being much years know work make way use long write give please explain example "
    "code function list question answer following want need help using create python data"
)
OPENERS = (
    "Write a short story about",
    "What is the difference between",
    "Can you explain to me",
    "Translate the following text into English:",
    "Summarise this article for me:",
    "Please write an email to my manager about",
    "Fix the bug in this code and explain what was wrong:",
    "Give me a list of ten ideas for",
    "I want you to act as a travel guide. I will write you my location:",
    "Write a Python function that does the following, with type hints and a docstring:",
    "You are a helpful assistant. Answer the question below as well as you can:",
    "Rewrite the following paragraph so that it sounds more formal and has no mistakes:",
    "Act as an expert in marketing and write a post for social media that sells this product:",
    "Let's think step by step. Solve the problem below and put the final answer in a box:",
    "Read the text below carefully and then answer the question at its end in one sentence only:",
    "Create a table with three columns, name, price and reason, that compares the following items:",
    "I am a student in my second year and I have an exam next week, so please explain simply:",
    "You are an experienced software engineer who reviews code for security. Look at the following "
    "code and list all problems that you find:",
    "Continue the story in the same style as before, with at least two new characters and a "
    "surprising end, beginning with these words:",
    "Ignore all spelling mistakes in what I write. Reply in English, use short sentences, do not "
    "repeat my question, and never apologise. My question is:",
    "Write a song in the style of a famous band, with three verses and a chorus that rhymes, about "
    "what somebody may feel on a long journey with",
    "From now on you will play the part of a wise old wizard who lives in a tower by the sea and "
    "answers every question with a riddle. I ask you:",
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request. Instruction:",
    "I would like you to act as an interviewer for the position of a data analyst. Ask me one "
    "question at a time, wait for my answer, and comment on it. My background is",
)
CJK_OPENERS = (
    "请用中文回答下面的问题：",
    "请帮我写一篇关于以下主题的文章，要求语言生动：",
    "你是一个经验丰富的老师，请用简单的话向学生解释下面的内容：",
    "次の文章を英語に翻訳してください。",
    "以下の質問に日本語でできるだけ詳しく答えてください。",
    "あなたはプロの編集者です。次の文章を読みやすく書き直してください。",
)
LINES = (
    *("def {}({}, {}):", "    {} = {}.{}()", "    for {} in {}:  # {}", "    if {} is not {}[{}]:"),
    *("        {}.append({} + {})", "    {} = [{} for x in {}]", "    return {}({}, {})"),
    *(
        "        raise ValueError({}, {}, {})",
        "    with open({}) as {}: {}",
        "    {}: int = {} // {}",
    ),
    *("    {} = len({}) - {}", "    print({}, {}, {})", "    {} = {} if {} else None"),
    *("    assert {} == {}({})", "    while {} < {}({}):", "    {} = dict({}={})"),
    *("    {}.{} = {}", "    try: {} = {}({})", "    import {}, {}, {}", "    {} += {} * {}"),
)
"""Lines of code, each with room for three names."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words of a pool, the most frequent first.

    Attributes:
        words: as they are.
        forms: the same, then with a comma, then with a full stop, then capitalised.
        space: what stands between two.
    """

    words: tuple[str, ...]
    forms: pa.Array
    space: str


def write_prompts(n: int, seed: int) -> pl.DataFrame:
    """So many texts: `pool` and `text`, in random order."""
    return pl.concat(pieces(n, seed))


def pieces(n: int, seed: int) -> Iterator[pl.DataFrame]:
    """The same piece by piece, so that there may be more texts than memory holds."""
    for begin in range(0, n, PIECE):
        yield _write(min(PIECE, n - begin), np.random.default_rng([seed, begin]))


@cache
def vocabulary(pool: str) -> Vocabulary:
    """The words of a pool; they are the same whatever the seed."""
    rng = np.random.default_rng([*POOLS].index(pool))
    if pool == "CJK":
        words = _cjk_words(rng)
        return Vocabulary(words, _forms(words, "、", "。"), "")
    letters = {"accents": "bcçdfglmnñprsßtvz aeioáéíóöüàè", "Cyrillic": "бвгджзклмнпрст аеиоуыёй"}
    first, second = letters.get(pool, "bcdfghjklmnprstvwz aeiouy").split()
    invented = _invented(rng, first, second)
    frequent = FREQUENT_ENGLISH.split()
    if pool == "English":
        invented = (*frequent, *invented)
    if pool == "code":
        names = [*frequent[-40:], *invented[: N_WORDS // 2]]
        snake = [f"{one}_{two}" for one, two in zip(names, rng.permutation(names), strict=True)]
        invented = ("i", "x", "self", "n", "data", *names[:200], *snake)
    words = tuple(dict.fromkeys(invented))[:N_WORDS]
    return Vocabulary(words, _forms(words, ",", "."), " ")


def zipf(size: int, n: int, rng: np.random.Generator) -> Integers:
    """Ranks [n] from 0, of so many words; that of rank r has a share of about 1 / (r + 2)."""
    ranks = 2.0 * ((size + 2.0) / 2.0) ** rng.random(n) - 2.0
    return np.minimum(ranks.astype(np.int64), size - 1)


def _invented(rng: np.random.Generator, first: str, second: str) -> tuple[str, ...]:
    """Words of one to four syllables, the shorter ones first."""
    syllables = np.array([a + b for a in first for b in second])
    n_syllables = np.sort(rng.integers(1, 5, 2 * N_WORDS))
    endings = rng.choice(["", "", *first[:8]], 2 * N_WORDS)
    drawn = rng.choice(syllables, (2 * N_WORDS, 4))
    rows = zip(drawn.tolist(), n_syllables.tolist(), endings.tolist(), strict=True)
    return tuple("".join(row[:k]) + ending for row, k, ending in rows)


def _cjk_words(rng: np.random.Generator) -> tuple[str, ...]:
    """Words of one to three of 3,000 ideographs; every fourth one is kana."""
    ideographs = np.array([chr(0x4E00 + 5 * k) for k in range(3_000)])
    kana = np.array([chr(code) for code in range(0x3042, 0x3094)])
    words = []
    for k, size in enumerate(rng.choice([1, 2, 2, 2, 3], N_WORDS).tolist()):
        letters = kana if k % 4 == 0 else ideographs
        words.append("".join(letters[zipf(letters.size, size, rng)].tolist()))
    return tuple(dict.fromkeys(words))


def _forms(words: tuple[str, ...], comma: str, stop: str) -> pa.Array:
    commas, stops = [word + comma for word in words], [word + stop for word in words]
    return pa.array([*words, *commas, *stops, *(word.capitalize() for word in words)])


def _write(n: int, rng: np.random.Generator) -> pl.DataFrame:
    counts = rng.multinomial(n, list(POOLS.values()))
    parts = [_of_pool(pool, k, rng) for pool, k in zip(POOLS, counts.tolist(), strict=True)]
    return pl.concat(parts)[rng.permutation(n)]


def _of_pool(pool: str, n: int, rng: np.random.Generator) -> pl.DataFrame:
    drawn = rng.lognormal(np.log(MEDIAN_WORDS), SPREAD, n)
    sizes = np.clip(drawn, 1, MOST_WORDS).astype(np.int64)
    texts = _code(sizes, rng) if pool == "code" else _prose(pool, sizes, rng)
    openers = pl.Series(CJK_OPENERS if pool == "CJK" else OPENERS)
    gap = {"CJK": "", "code": "\n\n"}.get(pool, " ")
    # The least frequent opener, too, is in hundreds of a hundred thousand prompts.
    weight = 1.0 / np.arange(5, 5 + len(openers))
    which = rng.choice(len(openers), n, p=weight / weight.sum())
    opened = openers.gather(which) + gap + texts
    return pl.DataFrame({"pool": pl.repeat(pool, n, eager=True), "text": texts}).with_columns(
        text=pl.when(pl.Series(rng.random(n) < WITH_OPENER)).then(opened).otherwise("text")
    )


def _prose(pool: str, sizes: Integers, rng: np.random.Generator) -> pl.Series:
    """Texts of so many words each, with commas and full stops."""
    known = vocabulary(pool)
    size, n = len(known.words), int(sizes.sum())
    form = rng.choice(4, n, p=[0.89, 0.06, 0.05, 0.0])
    begins = np.cumsum(sizes) - sizes
    form[1:] = np.where((form[:-1] == 2) & (form[1:] == 0), 3, form[1:])
    form[begins] = 3
    return _joined(known.forms, zipf(size, n, rng) + size * form, sizes, known.space)


def _code(sizes: Integers, rng: np.random.Generator) -> pl.Series:
    """Functions of a line for about every five words."""
    known = vocabulary("code")
    size, lines = len(known.words), 1 + sizes // 5
    n = int(lines.sum())
    texts = [part for line in LINES for part in line.split("{}")]
    texts[3::4] = [text + "\n" for text in texts[3::4]]
    shape = rng.integers(1, len(LINES), n)
    shape[np.cumsum(lines) - lines] = 0
    names = zipf(size, 3 * n, rng).reshape(n, 3)
    own = zipf(size, 4 * sizes.size, rng).reshape(-1, 4)
    own_names = own[np.repeat(np.arange(sizes.size), lines)[:, None], rng.integers(0, 4, (n, 3))]
    parts = np.empty((n, 7), np.int64)
    parts[:, 0::2] = size + 4 * shape[:, None] + np.arange(4)
    parts[:, 1::2] = np.where(rng.random((n, 3)) < 0.6, own_names, names)
    written = _joined(pa.array([*known.words, *texts]), parts.ravel(), 7 * lines, "")
    return written.str.strip_chars_end("\n")


def _joined(words: pa.Array, ids: Integers, sizes: Integers, space: str) -> pl.Series:
    """Texts of so many words each, with something between two words."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    lists = pa.ListArray.from_arrays(offsets, words.take(pa.array(ids)))
    return pl.Series(pc.binary_join(lists, space))


def main() -> None:
    """Write a file of texts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, help="Parquet, or .jsonl")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_file(options.output, options.texts, options.seed)


def write_file(path: Path, n: int, seed: int) -> int:
    """Write so many texts, piece by piece; return how many bytes of text they are."""
    n_bytes = 0
    frames = (piece.select("text") for piece in pieces(n, seed))
    if path.suffix == ".jsonl":
        with path.open("wb") as stream:
            for frame in frames:
                frame.write_ndjson(stream)
                n_bytes += int(frame["text"].str.len_bytes().sum())
        return n_bytes
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([("text", pa.large_string())])
    with ParquetWriter(path, schema, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema))
            n_bytes += int(frame["text"].str.len_bytes().sum())
    return n_bytes


if __name__ == "__main__":
    main()
