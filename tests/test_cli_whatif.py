"""`arena whatif`: what is asked reaches the functions, and what they find reaches the reader."""

import json

import numpy as np
import polars as pl
import pytest
from worlds import battles

from arena.errors import OptionError
from arena.injection import inject
from arena.lead import break_even
from arena.pipeline import rate
from arena.whatif_options import SHARES, numbers

GEMMA, LLAMA = "gemma-2-27b-it", "llama-3-70b-instruct"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log that says who had seen its prompts: m003 a third of its own, and it gains on them."""
    rng = np.random.default_rng(2)
    frame = battles(6, 3_000, seed=4, spread=0.5)
    n = frame.height
    prompt = rng.integers(0, 900, n)
    seen = prompt % 3 == 0
    a, b = (frame[side].to_numpy() == "m003" for side in ("model_a", "model_b"))
    lucky = seen & (rng.random(n) < 0.5)
    winner = np.where(lucky & a, "model_a", np.where(lucky & b, "model_b", frame["winner"]))
    path = tmp_path_factory.mktemp("whatif") / "votes.parquet"
    frame.with_columns(
        winner=winner,
        prompt=pl.Series([f"prompt {i}" for i in prompt]),
        judge=pl.Series([f"judge {i}" for i in rng.integers(0, 60, n)]),
        seen=seen,
        seen_a=seen & a,
        seen_b=seen & b,
    ).write_parquet(path)
    return path


def rows(result):
    """The rows of a JSON answer, and its manifest."""
    assert result.code == 0, result.err
    document = json.loads(result.out)
    manifest = document.pop("manifest", None)
    (table,) = document.values()
    return table, manifest


def test_inject(arena):
    """The table of suppositions is the library's, for the log and the options named."""
    found, manifest = rows(
        arena(
            *("whatif", "inject", "--model", LLAMA, "--share", "10%,1", "--uplift", "0:50:25"),
            *("--anchor", "mixtral-8x7b-instruct-v0.1=1114", "--format", "json", "-q"),
        )
    )

    told = inject(rate(), LLAMA, [0.1, 1.0], [0.0, 25.0, 50.0]).frame
    assert [row["uplift"] for row in found] == [0.0, 25.0, 50.0] * 2
    assert [row["rank"] for row in found] == told["rank"].to_list()
    assert found[-1]["shift"] == pytest.approx(50.0, abs=0.1)
    assert manifest["what_if"] == {"model": LLAMA, "top": 10}
    assert manifest["scale"]["anchor"] == {"mixtral-8x7b-instruct-v0.1": 1114.0}


def test_break_even(arena):
    """The seed question is answered as the library answers it."""
    found, _ = rows(
        arena("whatif", "break-even", "--model", GEMMA, "--rival", LLAMA, "--format", "json", "-q")
    )

    told = break_even(rate(), GEMMA, LLAMA, [0.05, 0.1, 0.3, 1.0]).frame
    assert [row["uplift"] for row in found] == pytest.approx(told["uplift"].to_list())
    assert found[-1]["uplift"] == pytest.approx(10.878, abs=1e-3)


def test_break_even_says_where_no_gain_is_enough(arena):
    """An infinite uplift is shown as none, and is null in JSON."""
    asked = ("whatif", "break-even", "--model", GEMMA, "--rival", LLAMA, "--share", "1%", "-q")

    table, document = arena(*asked), arena(*asked, "--format", "json")

    assert "none" in table.out
    assert rows(document)[0][0]["uplift"] is None


def test_power(arena):
    """The votes needed are shown as whole numbers, and no share of one is tried by itself."""
    result = arena("whatif", "power", "--model", GEMMA, "--uplift", "50", "-q")

    assert result.code == 0
    assert "2,605" in result.out
    assert "100%" not in result.out


def test_files(arena, tmp_path):
    """Results go to CSV, Parquet, JSON and Markdown, the last two with all that made them."""
    files = [tmp_path / f"out.{suffix}" for suffix in ("csv", "parquet", "json", "md")]
    outputs = [part for file in files for part in ("-o", file)]

    result = arena("whatif", "inject", "--model", LLAMA, "-q", *outputs)

    assert result.code == 0
    assert pl.read_csv(files[0]).height == pl.read_parquet(files[1]).height == 12
    assert json.loads(files[2].read_text())["manifest"]["what_if"]["model"] == LLAMA
    assert files[3].read_text().count("\n|") == 14


def test_estimate(arena, log):
    """A log with columns of its own needs no match; the planted gain is found."""
    found, _ = rows(arena("whatif", "estimate", log, "--format", "json", "-q"))
    board = arena("whatif", "estimate", log, "--board", "-q")

    assert found[0]["uplift"] > 50
    assert found[0]["uplift_lower"] > 0
    assert "without the gain" in board.out


def test_remove(arena, log):
    """Without the seen battles the model that gained falls, by more than chance."""
    found, _ = rows(
        arena(
            *("whatif", "remove", log, "--scope", "model", "--draws", "99", "--rounds", "99"),
            *("--format", "json", "-q"),
        )
    )

    (gained,) = [row for row in found if row["model"] == "m003"]
    assert gained["change"] < -20
    assert gained["p_value"] == pytest.approx(0.01)


def test_dose(arena, log):
    """The more seen prompts are in, the higher the model that gained."""
    found, _ = rows(
        arena(
            *("whatif", "dose", log, "--model", "m003", "--share", "0,50%,1", "--orders", "20"),
            *("--format", "json", "-q"),
        )
    )

    ratings = [row["rating"] for row in sorted(found, key=lambda row: row["share"])]
    assert ratings[0] < ratings[1] < ratings[2]


@pytest.mark.parametrize("of", ["vote", "judge", "prompt"])
def test_influence(arena, log, of):
    """Votes, judges and prompts can be what is removed."""
    result = arena("whatif", "influence", log, "--of", of, "--draws", "20", "-q")

    assert result.code == 0
    assert "first place goes to another" in result.out


def test_influence_of_a_pair(arena, log):
    """Two models named are the ones whose order is to change."""
    ranks = rate(log).frame["model"]
    upper, lower = ranks[3], ranks[2]

    result = arena(
        *("whatif", "influence", log, "--model", upper, "--rival", lower, "--draws", "20"),
        *("--at-random", "-q"),
    )

    assert result.code == 0
    assert upper in result.out


def test_best_of_n(arena):
    """Fifty equals at 3,000 votes gain about 11.5 points; a board gives about the same."""
    formula, _ = rows(arena("whatif", "best-of-n", "--variants", "50", "--format", "json", "-q"))
    simulated, _ = rows(
        arena(
            *("whatif", "best-of-n", "--variants", "50", "--like", LLAMA, "--opponents", "near"),
            *("--rounds", "200", "--format", "json", "-q"),
        )
    )

    assert formula[0]["gain"] == pytest.approx(11.5, abs=0.05)
    assert simulated[0]["gain"] == pytest.approx(11.5, abs=1.5)


def test_retire(arena):
    """A model that is no longer sampled while prompts turn against it keeps too much."""
    found, _ = rows(
        arena(
            *("whatif", "retire", "--model", LLAMA, "--shift", f"{LLAMA}=-40", "--rounds", "50"),
            *("--new-share", "50%", "--format", "json", "-q"),
        )
    )

    assert found[0]["bias"] > 10


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("inject", "--model", "gemma"), "arena: model: no model 'gemma' in these votes; did you"),
        (("inject", "--model", LLAMA, "--share", "150%"), "share: 1.5 is not a number between"),
        (("inject", "--model", LLAMA, "--share", "some"), "--share: 'some' is no number"),
        (("inject", "--model", LLAMA, "-o", "x.txt"), "x.txt: the suffix must be one of"),
        (("inject",), "Missing option '--model'"),
        (("break-even", "--model", GEMMA, "--rival", "dolly-v2-12b"), "never met"),
        (("power", "--model", GEMMA, "--power", "2"), "power: 2 is not between 0 and 1"),
        (("power", "--model", GEMMA, "--share", SHARES), "share: with 1 there is nothing to hold"),
        (("remove", "--against", "rest"), "--against: 'rest' is for arena compare"),
        (("estimate", "--scope", "battle"), "No such option"),
        (("remove", "--match", "nowhere.parquet"), "nowhere.parquet"),
        (("influence", "--model", GEMMA), "--model and --rival: go together"),
        (("best-of-n", "--variants", "2.5"), "--variants: 2.5 is no whole number"),
        (("retire", "--model", GEMMA, "--shift", "x"), "--shift: 'x' is not of the form"),
    ],
)
def test_wrong_requests(arena, asked, said):
    """A wrong request is one line that names it, and exit code 2."""
    result = arena("whatif", *asked, "-q")

    assert result.code == 2
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert result.out == ""


@pytest.mark.parametrize("command", ["remove", "estimate", "dose"])
def test_what_is_needed_is_said(arena, tmp_path, command):
    """Without a match and without columns, the command says how to get one."""
    path = tmp_path / "votes.csv"
    battles(4, 100).with_columns(prompt=pl.lit("hello there")).write_csv(path)

    result = arena("whatif", command, path, "-q")

    assert result.code == 2
    assert "name a match with --match FILE" in result.err


def test_a_match_of_another_log(arena, tmp_path, log):
    """A match that lacks the log's prompts is refused."""
    other, corpus, match = (
        tmp_path / name for name in ("other.csv", "corpus.csv", "match.parquet")
    )
    frame = battles(4, 50).with_columns(prompt=pl.lit("a prompt that no other log has in it"))
    frame.write_csv(other)
    frame.select("prompt").head(1).write_csv(corpus)
    model = frame["model_a"][0]
    arena("match", other, "--corpus", corpus, "--trained", model, "-o", match, "-q")
    bare = tmp_path / "bare.parquet"
    pl.read_parquet(log).drop("seen", "seen_a", "seen_b").write_parquet(bare)

    results = [
        arena("whatif", command, bare, "--match", match, "-q")
        for command in ("remove", "estimate", "dose")
    ]

    assert {result.code for result in results} == {2}
    assert all("match: lacks 870 prompts of these votes" in result.err for result in results)


def test_help_is_quick_to_read(arena):
    """The group's help lists its commands, and which of them need battles."""
    result = arena("whatif", "--help")

    listed = [
        line.split()[0] for line in result.out.split("Commands:")[1].splitlines() if line.strip()
    ]
    assert {"inject", "break-even", "power", "best-of-n", "remove", "estimate"} <= set(listed)
    assert "need battles and a match" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5%", [0.05]),
        ("0.1, 20%", [0.1, 0.2]),
        ("0:100%:50%", [0.0, 0.5, 1.0]),
        ("1,3:5:1", [1.0, 3.0, 4.0, 5.0]),
        ("-50:50:50", [-50.0, 0.0, 50.0]),
    ],
)
def test_numbers(text, expected):
    """Lists, percentages and ranges are read as they are written."""
    assert numbers("--share", text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "x", "1:2", "2:1:1", "0:1:0", "0:1:-1", "1,,2", "0:1e9:1"])
def test_numbers_that_cannot_be(text):
    """What is no list of numbers is quoted."""
    with pytest.raises(OptionError, match="--share"):
        numbers("--share", text)
