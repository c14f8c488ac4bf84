"""Matching and counting on a Dask cluster: the same function per file, on other machines.

pip install "arena-ratings[distributed]"
arena match votes.parquet --corpus 's3://bucket/shards/*.parquet' --dask tcp://scheduler:8786
arena rate 'shards/*.parquet' --dask local
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import polars as pl

from arena.battles import read_battles
from arena.corpora import Corpus
from arena.corpus_pass import GoThrough, match_file, refuse_none_read, refuse_or_skip
from arena.errors import ColumnError, OptionError, ReadError
from arena.matches import Matches, merge_matches, no_matches
from arena.prompt_index import PromptIndex
from arena.sources import Source, expand_path
from arena.tally import Tally, tally_votes

LOCAL = "local"
ANSWER_SECONDS = 10


def on_dask(address: str) -> GoThrough:
    """Go through a corpus's files on a Dask cluster.

    The index is sent to the workers once; what comes back per file is a small table, and these
    are merged. The result is that of one process, whatever the order of the files. The workers
    need arena, and must see the files under the paths given.

    Args:
        address: of the cluster's scheduler, e.g. ``tcp://scheduler:8786``; or ``local`` for one
            worker process per processor here.

    Raises:
        OptionError: if Dask is not installed, or no scheduler answers.
    """
    _require_dask()

    def go_through(
        index: PromptIndex, corpus: Corpus, skip_bad_files: bool
    ) -> tuple[Matches, list[str]]:
        with _client(address) as client:
            there = client.scatter(index, broadcast=True)
            numbers = range(len(corpus.files))
            futures = client.map(
                match_file,
                [there] * len(numbers),
                [corpus] * len(numbers),
                numbers,
                corpus.files,
                pure=False,
            )
            found, skipped = [no_matches(index)], []
            for future in futures:
                try:
                    found.append(future.result())
                except (ReadError, ColumnError) as error:
                    skipped.append(refuse_or_skip(error, corpus, skip_bad_files))
        refuse_none_read(corpus, skipped)
        return reduce(merge_matches, found), skipped

    return go_through


def tally_on_dask(
    votes: str | list[str],
    address: str = LOCAL,
    *,
    columns: Mapping[str, str] | None = None,
    outcomes: Mapping[str, str] | None = None,
    anonymous_only: bool = True,
) -> Tally:
    """Count vote logs on a Dask cluster, each file where it is sent.

    What comes back per file is its counts and the account of its rows; counts are added up. The
    result is that of `tally_votes` on all files, in whatever order they are counted. The workers
    need arena, and must see the files under the paths given.

    Args:
        votes: a path, a glob pattern, or a list of these.
        address: as for `on_dask`.
        columns: as for `read_battles`.
        outcomes: as for `read_battles`.
        anonymous_only: as for `read_battles`.

    Raises:
        OptionError: if Dask is not installed, or no scheduler answers.
        UserError: whatever counting a file raises, naming the file.
    """
    _require_dask()
    paths = [
        file
        for path in ([votes] if isinstance(votes, str) else votes)
        for file in expand_path(path)
    ]
    if not paths:
        raise ReadError("no vote files given")
    reading = {"columns": columns, "outcomes": outcomes, "anonymous_only": anonymous_only}
    with _client(address) as client:
        tallies = client.gather(client.map(_tally_file, paths, **reading, pure=False))
    return Tally(
        reduce(add, [one.counts for one in tallies]),
        tuple(reading for one in tallies for reading in one.readings),
        tallies[0].funnel,
    )


def _tally_file(path: str, **reading: Any) -> Tally:
    """The tally of one file, without the query that reads it, which need not travel."""
    tally = tally_votes(read_battles(path, **reading))
    readings = [
        replace(one, source=Source(one.source.name, one.source.kind, pl.LazyFrame()))
        for one in tally.readings
    ]
    return replace(tally, readings=tuple(readings))


# ── the cluster ────────────────────────────────────────────────────────────────────────────


def _require_dask() -> None:
    try:
        import distributed  # noqa: F401  # asked for before the work begins
    except ImportError as error:
        message = '--dask: needs Dask; pip install "arena-ratings[distributed]"'
        raise OptionError(message) from error


def _client(address: str) -> AbstractContextManager[Any]:
    """A connection to a cluster, which is closed in the end; a local one ends with it."""
    from distributed import Client

    try:
        if address == LOCAL:
            client = Client(threads_per_worker=1, dashboard_address=None)
        else:
            client = Client(address, timeout=ANSWER_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise OptionError(f"--dask: no scheduler answers at '{address}' ({error})") from error
    connected: AbstractContextManager[Any] = client
    return connected
