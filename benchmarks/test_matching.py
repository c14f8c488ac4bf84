"""Matching against the least that it could take: reading the text, and cutting it into tokens.

Rounds alternate between the two, so that both see the same machine. Rates are megabytes of text a
second. What a loop in one thread takes is taken as processor time, which a busy machine stretches
less than the clock does.
"""

import argparse
import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from unicodedata import category, normalize

import polars as pl
import pytest

from arena.matches import overlap_table
from arena.overlap import match_texts
from arena.overlap_rules import OverlapRule
from arena.prompt_index import index_prompts
from arena.text import tokenise

ROUNDS = 5
MOST_TIMES_READING = 6.0
LEAST_OF_TOKENISING = 0.25
MOST_MB = 2000.0
COPIES = 100
"""Of so many prompts one is a copy of a text."""

CHARACTER = re.compile(r"[぀-ヿ一-鿿]|[^\W_぀-ヿ一-鿿]+")


def script(name):
    """A file beside this one, by its path: this folder is not on sys.path."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


generate_prompts, test_rate = script("generate_prompts"), script("test_rate")
matching_study = script("matching_study")


@pytest.fixture(scope="module")
def texts_file(timed, tmp_path_factory):
    """A million texts, or twenty thousand where nothing is timed, as Parquet."""
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    generate_prompts.write_file(path, 1_000_000 if timed else 20_000, seed=0)
    return path


@pytest.fixture(scope="module")
def texts(texts_file):
    """The same in memory, and read once, as the file is from then on in the page cache."""
    return pl.read_parquet(texts_file)["text"]


@pytest.fixture(scope="module")
def n_bytes(texts):
    """How many bytes the texts have."""
    return int(texts.str.len_bytes().sum())


def clocked(work):
    """The seconds of the clock that a function takes, and those of processors."""
    clock, processor = perf_counter(), process_time()
    work()
    return perf_counter() - clock, process_time() - processor


def words_of(text):
    """The words of a text as Python's own tables have them."""
    folded = normalize("NFKD", normalize("NFKD", text).casefold())
    return CHARACTER.findall("".join(c for c in folded if category(c) not in ("Mn", "Cf")))


def test_tokenising_against_reading(benchmark, texts_file, texts, n_bytes, timed):
    """From a column in memory to hashed tokens, in one thread, against reading the column.

    Reading is polars' `read_parquet` of the text column, zstd, from the page cache, on all
    processors. Both by the clock; laying out the column as one run of bytes is part of tokenising.
    """
    reading = []

    def read():
        reading.append(clocked(lambda: pl.read_parquet(texts_file, columns=["text"]))[0])

    tokens = benchmark.pedantic(
        tokenise, [texts], setup=read, rounds=ROUNDS if timed else 1, warmup_rounds=1
    )

    some = texts.head(2_000).to_list()
    assert tokens.counts[:2_000].tolist() == [len(words_of(text)) for text in some]
    assert tokens.hashes.size == tokens.offsets[-1] > 10 * len(texts)
    if timed:
        taken, floor = median(benchmark.stats.stats.data), median(reading[-ROUNDS:])
        report(benchmark, tokenising=n_bytes / taken / 1e6, reading=n_bytes / floor / 1e6)
        assert taken <= MOST_TIMES_READING * floor


def test_matching_against_tokenising(benchmark, texts, n_bytes, timed):
    """Texts past an index of 100,000 prompts, one in a hundred a copy of a text, in one thread.

    The texts are in memory and the index is there, so the time is that of tokenising, looking
    n-grams up, counting, and comparing what is best: at most twice that of tokenising alone.
    Both are processor time of one thread. Most prompts share their openers with the texts.
    """
    n = 100_000 if timed else 5_000
    prompts = generate_prompts.write_prompts(n, seed=1)["text"]
    copied = range(0, n, COPIES)
    prompts = prompts.scatter(copied, texts.gather([3 * row for row in range(len(copied))]))
    # A cap in proportion, so that openers are boilerplate among few prompts as well.
    index = index_prompts(prompts, OverlapRule(cap=n // 400))
    alone, matching = [], []

    def match():
        seconds = process_time()
        found = match_texts(index, texts, threads=1)
        matching.append(process_time() - seconds)
        return found

    found = benchmark.pedantic(
        match,
        setup=lambda: alone.append(clocked(lambda: tokenise(texts))[1]),
        rounds=ROUNDS if timed else 1,
        warmup_rounds=1,
    )

    seen = overlap_table(index, found)
    of_copies = seen[index.of_row[::COPIES].tolist()]
    assert of_copies["exact"].all()
    assert (found.n_texts, found.n_bytes) == (len(texts), n_bytes)
    others = seen.filter(~pl.col("exact"), pl.col("class") != "short")
    assert (others["class"] == "seen").mean() < 0.05
    if timed:
        # Neighbours on the same memory only ever add to processor time.
        both, one = min(matching), min(alone)
        report(benchmark, matching=n_bytes / both / 1e6, tokenising=n_bytes / one / 1e6)
        assert one / both >= LEAST_OF_TOKENISING


def test_memory_of_a_million_prompts(benchmark, texts_file, tmp_path, timed):
    """`arena match` of a million distinct prompts, from the process's start to its end.

    Peak memory is that of the whole process: the log, the index, a million texts that stream
    past, and the match with its excerpts, which is written.
    """
    n = 1_000_000 if timed else 20_000
    log, found = tmp_path / "votes.parquet", tmp_path / "match.parquet"
    prompts = generate_prompts.write_prompts(n, seed=1)["text"]
    pl.DataFrame({"prompt": prompts}).with_columns(
        model_a=pl.lit("x"), model_b=pl.lit("y"), winner=pl.lit("model_a")
    ).write_parquet(log)
    arguments = ["match", str(log), "--corpus", str(texts_file), "--quiet", "-o", str(found)]

    run = benchmark.pedantic(test_rate.watch, [test_rate.ARENA, *arguments], rounds=1)

    matched = pl.read_parquet(found)
    assert matched.height == prompts.n_unique()
    assert matched["class"].is_in(["seen", "unseen", "short"]).all()
    text = matched.filter(pl.col("exact"))
    assert text.height > 0
    assert text["excerpt"].is_not_null().all()
    report(benchmark, prompts=n, seconds=run.seconds, peak_mb=run.peak_mb)
    assert run.peak_mb < MOST_MB


def test_the_study(benchmark, timed):
    """A small matching study: what is a copy is seen, and the page can be written."""
    sizes = argparse.Namespace(votes=3_000, texts=15_000, seed=1, check_seed=0)
    check, shown = (matching_study.plant(sizes.votes, sizes.texts, seed) for seed in (0, 1))

    page = benchmark.pedantic(matching_study.render, [check, shown, sizes], rounds=1)

    met = {line.split("|")[1].strip(): " met" in line for line in page.split("\n") if "met" in line}
    assert met["exact"]
    assert met["Unicode"]
    assert met["case, space, punctuation"]


def report(benchmark, **figures):
    """Print figures, and keep them with the benchmark."""
    benchmark.extra_info |= {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(benchmark.extra_info))
