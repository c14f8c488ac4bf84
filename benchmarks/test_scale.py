"""Further: votes in shards and on Dask, memory as votes grow, and fits of very many competitors."""

import json
import re
from pathlib import Path
from time import perf_counter

import numpy as np
import ours
import polars as pl
import pytest
from measure import Measured, Task, race
from plan import RIGHT, check, reference_of
from reference import rate_pairs
from vote_logs import many_counts, save_counts, sharded_votes

from arena import count_pairs

N_SHARDS = 4
MOST_TIMES_MEMORY, MOST_MB = 1.5, 2_000.0
MOST_TIMES_AT_ONCE = 2.0


@pytest.fixture(scope="module")
def shards(n_votes, tmp_path_factory):
    """So many votes in four files."""
    made = sharded_votes(tmp_path_factory.mktemp("scale") / "shards", n_votes, N_SHARDS)
    assert made.n_drawn == N_SHARDS
    return made.paths


def test_shards_merge_to_the_same_counts(benchmark, shards, n_votes, timed):
    """Counted one by one and added up, they are what all give at once, to the last vote."""
    at_once, seconds = ours.count_at_once(shards), []

    def whole_first():
        start = perf_counter()
        whole = at_once()
        seconds.append((perf_counter() - start, whole))

    answer = benchmark.pedantic(
        ours.count_shards(shards),
        setup=whole_first,
        rounds=5 if timed else 1,
        warmup_rounds=1 if timed else 0,
    )

    assert answer["counts"]() == seconds[-1][1]["counts"]()
    names, ratings, _ = reference_of(shards)
    assert not check(Measured(Task("", "", ""), answer=answer), names, ratings, RIGHT).why_not
    assert count_pairs(list(shards)).n_battles == n_votes
    if timed:
        alone = np.median([taken for taken, _ in seconds[1:]])
        times = float(np.median(benchmark.stats.stats.data) / alone)
        benchmark.extra_info |= {"votes": n_votes, "times_at_once": round(times, 2)}
        print(json.dumps(benchmark.extra_info))
        assert times <= MOST_TIMES_AT_ONCE


def test_dask_by_the_recipe(benchmark, shards, monkeypatch, capsys):
    """The recipe of README.md prints the board of these shards that one process gives."""
    pytest.importorskip("distributed")
    page = Path(__file__).with_name("README.md").read_text("utf-8")
    (recipe,) = (
        code for code in re.findall(r"```python\n(.*?)```", page, re.S) if "tally_on_dask" in code
    )
    monkeypatch.chdir(Path(shards[0]).parents[1])
    told = {"__name__": "__main__"}

    benchmark.pedantic(exec, [recipe, told], rounds=1)

    assert len(recipe.strip().splitlines()) <= 8
    assert told["tally"].counts.sha256() == count_pairs(list(shards)).sha256()
    assert "could be" in capsys.readouterr().out


def test_memory_is_flat(benchmark, shards):
    """A process that rates four files has a peak little above one that rates the first."""
    few, all_of_them = (
        Task(f"{n} files", "ours", "board", {"paths": list(shards[:n])}) for n in (1, N_SHARDS)
    )

    one, four = benchmark.pedantic(race, [[few, all_of_them], 1], rounds=1)

    assert not one.why_not + four.why_not
    benchmark.extra_info |= {"one_mb": round(one.peak_mb), "four_mb": round(four.peak_mb)}
    print(json.dumps(benchmark.extra_info))
    assert four.peak_mb < MOST_TIMES_MEMORY * one.peak_mb
    assert four.peak_mb < MOST_MB


@pytest.mark.parametrize("n_models", [300, 3_000])
def test_ratings_among_many(benchmark, timed, n_models, tmp_path):
    """Dense or sparse, each rating is that of the reference to 1e-6 points."""
    games = 3_000_000 if timed else 60 * n_models
    counts = many_counts(n_models, games)
    fit = ours.fit_counts(str(save_counts(tmp_path / "counts.npz", counts)))

    answer = benchmark.pedantic(fit, rounds=3 if timed else 1)

    used = counts.restrict(np.flatnonzero(np.isin(counts.models, answer["models"])))
    assert used.n_models > 0.9 * n_models
    half = used.outcomes[:, 2:].sum(axis=1) / 2
    points = used.outcomes[:, :2].T + half
    exact = rate_pairs(*used.pairs.T, *points, used.n_models)
    found = Measured(Task("", "", ""), answer=answer)
    assert not check(found, used.models, exact, RIGHT).why_not


def test_what_is_measured_is_written(tmp_path):
    """A log drawn for the measurements is the same each time, and has the columns of a log."""
    first, again = (sharded_votes(tmp_path / name, 2_000, 2) for name in ("a", "b"))

    for one, other in zip(first.paths, again.paths, strict=True):
        assert pl.read_parquet(one).equals(pl.read_parquet(other))
        assert pl.read_parquet(one).columns == ours.COLUMNS
