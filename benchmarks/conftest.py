"""How the benchmarks are run: sizes, and the vote log that they share."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

SCRIPTS = (
    *("generate_votes", "generate_prompts", "measure", "reference", "vote_logs", "peers", "ours"),
    *("results_page", "plan"),
)
"""What the benchmarks share; each imports only those before it."""

# By its path: with this folder on sys.path, a script in it could pass for a library.
for _name in SCRIPTS:
    _spec = spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
    sys.modules[_name] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_name])

from generate_votes import generate_votes  # noqa: E402  # it has just been put there

TIMED_VOTES, UNTIMED_VOTES = 10_000_000, 200_000
TIMED_BATTLES, UNTIMED_BATTLES = 1_670_000, 50_000
"""As many as the shipped counts have, for what goes through them one by one."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Whoever names this folder wants it run, though a plain `pytest` skips benchmarks."""
    config.option.benchmark_skip = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One benchmark at a time: two at once would time each other."""
    return 0


@pytest.fixture(scope="session")
def timed(pytestconfig):
    """Whether times are taken, and so may be held against a limit."""
    return not pytestconfig.getoption("benchmark_disable")


def size(timed, n_timed, n_untimed):
    """ARENA_BENCHMARK_VOTES, or else a default."""
    return int(os.environ.get("ARENA_BENCHMARK_VOTES", n_timed if timed else n_untimed))


@pytest.fixture(scope="session")
def n_votes(timed):
    """How many votes: ARENA_BENCHMARK_VOTES, or ten million, or fewer where nothing is timed."""
    return size(timed, TIMED_VOTES, UNTIMED_VOTES)


@pytest.fixture(scope="session")
def n_battles(timed):
    """How many battles: ARENA_BENCHMARK_VOTES, or 1.67 million, or fewer where nothing is timed."""
    return size(timed, TIMED_BATTLES, UNTIMED_BATTLES)


@pytest.fixture(scope="session")
def vote_log(n_votes, tmp_path_factory):
    """A Parquet file of so many votes."""
    return generate_votes(tmp_path_factory.mktemp("votes") / "votes.parquet", n_votes)
