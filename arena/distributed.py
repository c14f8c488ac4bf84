"""Matching on a Dask cluster: the same function per file, on other machines.

pip install "arena-ratings[distributed]"
arena match votes.parquet --corpus 's3://bucket/shards/*.parquet' --dask tcp://scheduler:8786
"""

from functools import reduce

from arena.corpora import Corpus
from arena.errors import ColumnError, OptionError, ReadError
from arena.matches import Matches, merge_matches, no_matches
from arena.matching import GoThrough, match_file, refuse_none_read, refuse_or_skip
from arena.prompt_index import PromptIndex

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
    try:
        from distributed import Client
    except ImportError as error:
        message = '--dask: needs Dask; pip install "arena-ratings[distributed]"'
        raise OptionError(message) from error

    def go_through(
        index: PromptIndex, corpus: Corpus, skip_bad_files: bool
    ) -> tuple[Matches, list[str]]:
        try:
            if address == LOCAL:
                client = Client(threads_per_worker=1, dashboard_address=None)
            else:
                client = Client(address, timeout=ANSWER_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise OptionError(f"--dask: no scheduler answers at '{address}' ({error})") from error
        with client:
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
