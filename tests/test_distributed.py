import numpy as np
import polars as pl
import pytest

from arena.battles import read_battles
from arena.conditions import exclude_models
from arena.corpora import open_corpus
from arena.distributed import on_dask, tally_on_dask
from arena.errors import LabelError, OptionError, ReadError
from arena.matching import match_prompts
from arena.pipeline import rate
from arena.tally import tally_votes
from arena.uncertainty import Interval

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


# ── counting ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Five logs of unlike models, with ties, and with rows that do not count."""
    folder, rng = tmp_path_factory.mktemp("logs"), np.random.default_rng(0)
    for k in range(5):
        names = np.array([f"model-{i}" for i in range(k, k + 6)])
        left, right = names[rng.integers(0, 6, (2, 400))]
        kinds = ["model_a", "model_b", "tie", "tie (bothbad)", None]
        winner = pl.Series(rng.choice(5, 400)).replace_strict(dict(enumerate(kinds)))
        pl.DataFrame({"model_a": left, "model_b": right, "winner": winner}).write_parquet(
            folder / f"{k}.parquet"
        )
    return folder


def account(tally):
    """What became of the rows of each source."""
    return [
        (one.source.name, one.format, one.rows, one.accepted, one.set_aside, one.rejected)
        for one in tally.readings
    ]


def test_counts_of_a_cluster_are_those_of_one_process(logs, cluster):
    """Models, pairs, votes, and the account of every row, whichever file was counted first."""
    alone = tally_votes(read_battles(f"{logs}/*.parquet"))
    spread = tally_on_dask(f"{logs}/*.parquet", cluster)
    backwards = tally_on_dask([f"{logs}/{k}.parquet" for k in (4, 2, 3, 0, 1)], cluster)

    for tally in (spread, backwards):
        assert tally.counts.models == alone.counts.models
        np.testing.assert_array_equal(tally.counts.pairs, alone.counts.pairs)
        np.testing.assert_array_equal(tally.counts.outcomes, alone.counts.outcomes)
        assert tally.funnel.equals(alone.funnel)
        assert sorted(account(tally), key=str) == sorted(account(alone), key=str)
    assert account(spread) == account(alone)
    assert alone.n_rejected > 0
    hashes = [[one.source.sha256() for one in tally.readings] for tally in (spread, alone)]
    assert hashes[0] == hashes[1]


def test_weights_of_one_log_are_kept_beside_one_without(tmp_path, cluster):
    """Where one file has weights, a vote of the others weighs one, as in one process."""
    plain = pl.DataFrame(
        {"model_a": ["x", "y"], "model_b": ["y", "x"], "winner": ["tie", "model_a"]}
    )
    plain.write_parquet(tmp_path / "0.parquet")
    plain.with_columns(weight=pl.Series([0.5, 2.0])).write_parquet(tmp_path / "1.parquet")

    alone = tally_votes(read_battles(f"{tmp_path}/*.parquet")).counts
    spread = tally_on_dask(f"{tmp_path}/*.parquet", cluster).counts

    np.testing.assert_array_equal(spread.outcomes, alone.outcomes)
    np.testing.assert_array_equal(spread.squares, alone.squares)


def test_how_a_log_is_read_goes_along(logs, tmp_path, cluster):
    """Columns and outcomes of one's own are those of every file."""
    files = sorted(logs.iterdir())
    for file in files:
        pl.read_parquet(file).rename({"model_a": "left", "model_b": "right"}).with_columns(
            winner=pl.col("winner").replace({"tie": "draw"})
        ).write_parquet(tmp_path / file.name)
    columns, outcomes = {"model_a": "left", "model_b": "right"}, {"draw": "tie"}

    told = tally_on_dask(f"{tmp_path}/*.parquet", cluster, columns=columns, outcomes=outcomes)

    assert told.counts.sha256() == tally_votes(read_battles(f"{logs}/*.parquet")).counts.sha256()


def test_what_is_wrong_with_a_file_is_said_as_in_one_process(logs, tmp_path, cluster):
    """A vote that is no vote, a file that is none, none at all: the error names it."""
    good = str(logs / "0.parquet")
    odd = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["banana"]})
    odd.write_parquet(tmp_path / "odd.parquet")

    with pytest.raises(LabelError, match=r"odd\.parquet: unknown vote 'banana' \(1 vote\)"):
        tally_on_dask([good, str(tmp_path / "odd.parquet")], cluster)
    with pytest.raises(ReadError, match=r"gone\.parquet: no such file"):
        tally_on_dask([good, str(tmp_path / "gone.parquet")], cluster)
    with pytest.raises(ReadError, match="no vote files given"):
        tally_on_dask([], cluster)


def test_a_scheduler_that_does_not_answer_counts_nothing(logs, monkeypatch):
    """As for matching."""
    monkeypatch.setattr("arena.distributed.ANSWER_SECONDS", 0.5)

    with pytest.raises(OptionError, match=r"no scheduler answers at 'tcp://127.0.0.1:9'"):
        tally_on_dask(str(logs / "0.parquet"), "tcp://127.0.0.1:9")


# ── a board ────────────────────────────────────────────────────────────────────────────────


def test_a_board_counted_on_a_cluster_is_that_of_one_process(logs, cluster):
    """Ratings, intervals and the manifest, down to the hashes."""
    alone = rate(f"{logs}/*.parquet")
    spread = rate(f"{logs}/*.parquet", dask=cluster)

    assert spread.frame.equals(alone.frame)
    assert spread.manifest == alone.manifest


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"filters": [exclude_models("model-1")]}, "filters"),
        ({"control": ["side"]}, "control"),
        ({"interval": Interval("cluster", "judge")}, "ci by a column"),
    ],
)
def test_what_counts_do_not_tell_is_refused(logs, cluster, options, what):
    """Rather than left out in silence."""
    with pytest.raises(OptionError, match=f"dask: only counts come back, .* no {what}"):
        rate(f"{logs}/*.parquet", dask=cluster, **options)


def test_frames_do_not_travel(cluster):
    """Workers read files; a frame in memory is counted where it is."""
    with pytest.raises(OptionError, match="dask: workers read files"):
        rate(pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["tie"]}), dask=cluster)


def test_the_command_counts_on_a_cluster(logs, cluster, arena):
    """One command, and the table is the one without a cluster."""
    alone = arena("rate", f"{logs}/*.parquet", "--format", "csv")
    spread = arena("rate", f"{logs}/*.parquet", "--format", "csv", "--dask", cluster)

    assert spread == alone
    assert spread.code == 0
