"""How the benchmarks are run: sizes, and the vote log that they share."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

# By its path: with this folder on sys.path, a script in it could pass for a library.
_spec = spec_from_file_location("generate_votes", Path(__file__).with_name("generate_votes.py"))
generate_votes = module_from_spec(_spec)
sys.modules["generate_votes"] = generate_votes
_spec.loader.exec_module(generate_votes)

TIMED_VOTES, UNTIMED_VOTES = 10_000_000, 200_000


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Whoever names this folder wants it run, though a plain `pytest` skips benchmarks."""
    config.option.benchmark_skip = False


@pytest.fixture(scope="session")
def timed(pytestconfig):
    """Whether times are taken, and so may be held against a limit."""
    return not pytestconfig.getoption("benchmark_disable")


@pytest.fixture(scope="session")
def n_votes(timed):
    """How many votes: ARENA_BENCHMARK_VOTES, or ten million, or fewer where nothing is timed."""
    default = TIMED_VOTES if timed else UNTIMED_VOTES
    return int(os.environ.get("ARENA_BENCHMARK_VOTES", default))


@pytest.fixture(scope="session")
def vote_log(n_votes, tmp_path_factory):
    """A Parquet file of so many votes."""
    return generate_votes.generate_votes(
        tmp_path_factory.mktemp("votes") / "votes.parquet", n_votes
    )
