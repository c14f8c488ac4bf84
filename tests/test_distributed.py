import numpy as np
import polars as pl
import pytest

from arena.battles import read_battles
from arena.corpora import open_corpus
from arena.distributed import on_dask
from arena.errors import OptionError, ReadError
from arena.matching import match_prompts

distributed = pytest.importorskip("distributed")


def sentence(i, n=9):
    """A prompt that shares no five words in a row with another."""
    return " ".join(f"word{k}" for k in np.random.default_rng(i).integers(0, 1_000, n))


@pytest.fixture(scope="module")
def votes():
    """Votes on forty prompts, some of them short."""
    prompts = [sentence(i) for i in range(36)] + ["hi", "2+2", "2-2", ""]
    return read_battles(
        pl.DataFrame({"model_a": "x", "model_b": "y", "winner": "tie", "prompt": prompts})
    )


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """A corpus in five files, with prompts copied, changed, and repeated over files."""
    folder = tmp_path_factory.mktemp("shards")
    for k in range(5):
        texts = [sentence(i) for i in range(k, 24, 4)] + [
            sentence(i) + " more words" for i in range(9)
        ]
        pl.DataFrame({"text": [*texts, "Hi", "2 + 2", None]}).write_parquet(folder / f"{k}.parquet")
    return folder


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes on this machine."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as running:
        yield running.scheduler_address


def test_a_cluster_gives_the_result_of_one_process(votes, shards, cluster):
    """The same table, row for row, wherever the files were worked on and however many there are."""
    corpus = open_corpus(f"{shards}/*.parquet", "shards")

    alone = match_prompts(votes, [corpus])
    spread = match_prompts(votes, [corpus], go_through=on_dask(cluster))

    assert alone.frame["class"].n_unique() == 3
    assert spread.frame.equals(alone.frame)
    assert spread.manifest == alone.manifest


def test_a_bad_file_is_named_by_the_cluster_as_well(votes, shards, cluster, tmp_path):
    """It stops the work, unless such files may be left out."""
    for file in shards.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "2.parquet").write_bytes(b"PAR1 and no more")
    corpus = open_corpus(f"{tmp_path}/*.parquet", "shards")

    with pytest.raises(ReadError, match=r"2\.parquet.*leave such files out with --skip-bad-files"):
        match_prompts(votes, [corpus], go_through=on_dask(cluster))
    told = match_prompts(votes, [corpus], skip_bad_files=True, go_through=on_dask(cluster))

    (said,) = told.manifest["corpora"]
    assert len(said["skipped"]) == 1
    assert "2.parquet" in said["skipped"][0]


def test_a_scheduler_that_does_not_answer_is_named(votes, shards, monkeypatch):
    """A mistake in the address is the user's."""
    monkeypatch.setattr("arena.distributed.ANSWER_SECONDS", 0.5)
    corpus = open_corpus(f"{shards}/0.parquet")

    with pytest.raises(OptionError, match=r"no scheduler answers at 'tcp://127.0.0.1:9'"):
        match_prompts(votes, [corpus], go_through=on_dask("tcp://127.0.0.1:9"))
