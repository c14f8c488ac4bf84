"""The shipped vote log: what it holds, where it comes from, and the figures it must give."""

import hashlib
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

import arena
from arena.battles import read_battles
from arena.categories import rate_categories
from arena.cli import main
from arena.datasets import SYNTHETIC_SAMPLE, shipped

PATH = shipped()
VOTES = ["wins_a", "wins_b", "ties", "both_bad"]
ANCHOR = ("mixtral-8x7b-instruct-v0.1", 1114.0)
FIGURES = {
    "chatgpt-4o-latest": 1315.2,
    "gemini-1.5-pro-exp-0801": 1298.4,
    "gpt-4o-2024-05-13": 1285.8,
    "claude-3-5-sonnet-20240620": 1271.0,
    "gemma-2-27b-it": 1217.0,
    "llama-3-70b-instruct": 1206.1,
}
"""Ratings known from elsewhere for these votes."""


@pytest.fixture(scope="module")
def counts():
    """The shipped file, as it is."""
    return pl.read_parquet(PATH)


@pytest.fixture(scope="module")
def readme():
    """The page that comes with the file."""
    return (PATH.parent / "README.md").read_text("utf-8")


@pytest.fixture
def board(tmp_path):
    """The anchored board as the command writes it: model → rating."""
    path = tmp_path / "board.csv"
    with pytest.raises(SystemExit) as left:
        main(["rate", "--quiet", "--anchor", "{}={}".format(*ANCHOR), "-o", str(path)])
    assert not left.value.code
    return dict(pl.read_csv(path).select("model", "rating").iter_rows())


def solve(counts: pl.DataFrame) -> dict[str, float]:
    """Bradley-Terry ratings, anchored, by plain Newton steps on the likelihood's definition."""
    models = sorted({*counts["model_a"], *counts["model_b"]})
    place = {model: i for i, model in enumerate(models)}
    points = np.zeros((len(models), len(models)))  # points[i, j]: what i took from j
    for a, b, wins_a, wins_b, ties, both_bad in counts.iter_rows():
        points[place[a], place[b]] += wins_a + (ties + both_bad) / 2
        points[place[b], place[a]] += wins_b + (ties + both_bad) / 2
    battles = points + points.T
    strength = np.zeros(len(models))
    for _ in range(20):
        p = expit(strength[:, None] - strength[None, :])
        gradient = (points - battles * p).sum(axis=1)
        curvature = battles * p * (1 - p)
        hessian = np.diag(curvature.sum(axis=1)) - curvature
        strength += np.linalg.lstsq(hessian, gradient, rcond=None)[0]
    rating = 400 * strength / np.log(10)
    return dict(zip(models, rating - rating[place[ANCHOR[0]]] + ANCHOR[1], strict=True))


def test_log_holds_what_its_page_says(counts, readme):
    """129 models met in 3,460 pairs and were voted on 1,670,250 times."""
    models = {*counts["model_a"], *counts["model_b"]}
    votes = counts.select(pl.sum_horizontal(VOTES).sum()).item()

    assert (len(models), counts.height, votes) == (129, 3_460, 1_670_250)
    assert "129 models, 3,460 pairs, 1,670,250 votes" in readme


def test_every_pair_stands_once(counts):
    """No pair of models has two rows, in one order or in both, and no model meets itself."""
    pairs = counts.select(pl.concat_list("model_a", "model_b").list.sort()).to_series()

    assert pairs.n_unique() == counts.height
    assert counts.filter(pl.col("model_a") == pl.col("model_b")).is_empty()
    assert (counts.select(VOTES).min_horizontal() >= 0).all()


def test_files_are_those_their_page_describes(readme):
    """Each SHA-256 on the page is that of its file, and every data file has one."""
    told = dict(re.findall(r"^\| `(\S+)` \| `([0-9a-f]{64})` \|$", readme, re.MULTILINE))

    found = {name: hashlib.sha256((PATH.parent / name).read_bytes()).hexdigest() for name in told}

    assert told == found
    shipped_files = {
        one.name for kind in ("parquet", "json") for one in PATH.parent.glob(f"*.{kind}")
    }
    assert set(told) == shipped_files


def test_the_sample_is_what_its_page_says(readme):
    """50,000 votes of 24 models, 14 % of them multi-turn, all of them called synthetic."""
    sample = pl.read_parquet(shipped(SYNTHETIC_SAMPLE))
    corpus = pl.read_parquet(PATH.parent / "synthetic_corpus.parquet")
    models = {*sample["model_a"], *sample["model_b"]}

    assert (sample.height, len(models), corpus.height) == (50_000, 24, 20_205)
    assert "50,000 votes that nobody cast" in readme
    assert "20,205 training prompts" in readme
    assert sample["battle_id"].str.starts_with("synthetic-").all()
    assert (sample["turns"] > 1).mean() == pytest.approx(0.14, abs=0.005)


def test_the_sample_shows_the_planted_order():
    """In battles of several turns Claude 3 Opus rises from 8th to 3rd, Gemma 2 27B two places."""
    told = rate_categories(read_battles(shipped(SYNTHETIC_SAMPLE)), ["multiturn"]).frame
    ranks = {row[0]: row[1:] for row in told.select("model", "rank_full", "rank_multiturn").rows()}

    assert ranks["claude-3-opus-20240229"] == (8, 3)
    assert ranks["gemma-2-27b-it"] == (12, 10)
    assert ranks["claude-3-5-sonnet-20240620"][1] == 1
    assert ranks["gpt-4o-2024-05-13"][1] == 2


def test_every_column_is_explained(counts, readme):
    """The page's table of columns lists the file's columns, all of them and no others."""
    table = readme.partition("## Columns")[2].partition("\n## ")[0]

    explained = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))

    assert explained == counts.columns


def test_licence_lies_beside_the_data(readme):
    """The votes come under BSD-3-Clause, and its text comes with them."""
    licence = (PATH.parent / "LICENSE-leaderbot").read_text("utf-8")

    assert "Redistribution and use in source and binary forms" in licence
    assert "Neither the name" in licence
    assert "BSD-3-Clause" in readme


def test_data_is_found_beside_the_code():
    """The file is part of the installation, or of the checkout that is installed in place."""
    package = Path(arena.__file__).parent

    assert PATH.parent in (package / "data", package.parent / "data")


def test_command_gives_the_known_figures(board):
    """Anchored like the published board, six models stand where they are known to stand."""
    assert {model: board[model] for model in FIGURES} == pytest.approx(FIGURES, rel=0, abs=0.05)


def test_ratings_are_the_exact_solution(board, counts):
    """A solver that shares no code with arena gives all 129 ratings the same to 1e-6."""
    exact = solve(counts)

    assert board == pytest.approx(exact, rel=0, abs=1e-6)


def test_gap_of_the_guiding_question(board):
    """Gemma-2-27B stands 10.9 points above Llama-3-70B on these votes."""
    gap = board["gemma-2-27b-it"] - board["llama-3-70b-instruct"]

    assert gap == pytest.approx(10.9, abs=0.05)
