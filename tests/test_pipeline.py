import hashlib
import json

import polars as pl
import pytest
from logs import round_robin, votes, write

from arena import Interval, Scale, build_leaderboard
from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.errors import NoEstimateError, OptionError, RejectedRowsError
from arena.pipeline import rate
from arena.tally import tally_votes

ROWS = [*round_robin("x", "y", "z"), *votes("x y model_a", "z y tie", "champ z model_a")]


def ratings(board):
    return dict(board.frame.select("model", "rating").rows())


def test_without_votes_the_shipped_log_is_rated():
    """The board that anybody can make at once agrees with the published one."""
    board = rate(scale=Scale(anchor=("mixtral-8x7b-instruct-v0.1", 1114.0)))

    found = ratings(board)

    assert len(found) == 129
    assert found["chatgpt-4o-latest"] == pytest.approx(1315.2, abs=0.05)
    assert found["gemini-1.5-pro-exp-0801"] == pytest.approx(1298.4, abs=0.05)
    assert found["gemma-2-27b-it"] == pytest.approx(1217.0, abs=0.05)
    assert found["mixtral-8x7b-instruct-v0.1"] == pytest.approx(1114.0)


def test_the_whole_way_is_its_steps_one_after_the_other():
    """One call gives what reading, counting, fitting and ranking give."""
    log = pl.DataFrame(ROWS)
    scale, interval = Scale(init=1500.0), Interval("fisher", level=0.9)

    board = rate(log, ties="davidson", scale=scale, interval=interval)

    fit = fit_bradley_terry(tally_votes(read_battles(log)).counts, ties="davidson")
    assert board.frame.equals(build_leaderboard(fit, scale, interval).frame)


def test_the_same_votes_and_options_give_the_same_board_to_the_last_digit(tmp_path):
    """Neither the order of rows nor the file's form moves a rating."""
    one = rate(write(tmp_path / "one.csv", ROWS))
    two = rate(write(tmp_path / "two.parquet", ROWS[::-1]))

    assert one.frame.equals(two.frame)
    assert one.manifest["counts_sha256"] == two.manifest["counts_sha256"]


@pytest.mark.parametrize("ties", ["half", "drop", "rao-kupper", "davidson"])
def test_every_rule_for_ties_gives_a_board(ties):
    """The rule asked for is the rule used and the rule stated."""
    board = rate(pl.DataFrame(ROWS), ties=ties)

    assert board.manifest["fit"]["ties"] == ties
    assert set(board.frame.filter(pl.col("rank").is_not_null())["model"]) == {"x", "y", "z"}


def test_the_manifest_accounts_for_every_input(tmp_path):
    """Each file is there with its hash, its rows, and what became of them."""
    faulty = [*ROWS, {"model_a": "x", "model_b": "x", "winner": "tie"}]
    one = write(tmp_path / "one.csv", faulty)
    two = write(tmp_path / "two.json", ROWS)

    inputs = rate([one, two]).manifest["inputs"]

    assert [each["name"] for each in inputs] == [str(one), str(two)]
    assert [each["kind"] for each in inputs] == ["csv", "json"]
    assert [each["sha256"] for each in inputs] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, two)
    ]
    assert [(each["rows"], each["accepted"]) for each in inputs] == [(28, 27), (27, 27)]
    assert inputs[0]["rejected"] == {"a model against itself": 1}
    assert inputs[0]["account"].startswith(str(one))


def test_the_manifest_states_every_option():
    """All that was chosen can be read off the manifest."""
    log = pl.DataFrame(ROWS).rename({"winner": "vote"})

    board = rate(
        log,
        columns={"winner": "vote"},
        outcomes={"draw": "tie"},
        ties="rao-kupper",
        on_separation="prior",
        prior=2.5,
        scale=Scale(173.0, 2.0, 500.0, ("x", 600.0)),
        interval=Interval("fisher", level=0.8, of="anchor", seed=7),
    )

    manifest = board.manifest
    assert manifest["reading"]["columns"] == {"winner": "vote"}
    assert manifest["reading"]["outcomes"] == {"draw": "tie"}
    assert manifest["reading"]["strict"] is False
    assert manifest["scale"] == {
        "points": 173.0,
        "base": 2.0,
        "init": 500.0,
        "anchor": {"x": 600.0},
    }
    assert {"fisher", 0.8, "anchor", 7} <= set(manifest["interval"].values())
    assert (manifest["fit"]["ties"], manifest["fit"]["prior"]) == ("rao-kupper", 2.5)
    assert manifest["fit"]["models"] == 4
    assert {"arena-ratings", "numpy", "polars", "python", "scipy"} <= set(manifest["versions"])


def test_the_manifest_is_plain_values():
    """A manifest can be written as strict JSON and comes back the same."""
    manifest = rate(pl.DataFrame(ROWS)).manifest

    again = json.loads(json.dumps(manifest, allow_nan=False))

    assert again == manifest
    assert manifest["inputs"][0]["sha256"] is None


def test_a_board_can_be_made_again_from_its_manifest(tmp_path):
    """The options in a manifest, given again, lead to the same numbers."""
    path = write(tmp_path / "votes.csv", ROWS)
    board = rate(path, scale=Scale(anchor=("x", 1200.0)), interval=Interval("fisher", seed=3))
    manifest = json.loads(json.dumps(board.manifest))

    scale = manifest["scale"]
    again = rate(
        [each["name"] for each in manifest["inputs"]],
        ties=manifest["fit"]["ties"],
        scale=Scale(
            scale["points"], scale["base"], scale["init"], next(iter(scale["anchor"].items()))
        ),
        interval=Interval(**manifest["interval"]),
    )

    assert again.frame.equals(board.frame)
    assert again.manifest == board.manifest


def test_a_model_that_cannot_be_rated_is_left_out_and_named():
    """An unbeaten model takes no part in the ratings and is not forgotten."""
    board = rate(pl.DataFrame(ROWS))

    last = board.frame.row(-1, named=True)

    assert (last["model"], last["rank"], last["rating"]) == ("champ", None, None)
    assert board.manifest["fit"]["left_out"] == {"champ": "never lost (1 battle)"}


def test_it_can_be_an_error_that_a_model_cannot_be_rated():
    """Who wants all models or none says so."""
    with pytest.raises(NoEstimateError, match="champ"):
        rate(pl.DataFrame(ROWS), on_separation="error")

    with_prior = rate(pl.DataFrame(ROWS), on_separation="prior")
    assert with_prior.frame["rating"].is_finite().to_list() == [True] * 4


def test_strict_reading_refuses_a_faulty_log():
    """Under strict reading no board comes out of a log with a bad row."""
    log = pl.DataFrame([*ROWS, {"model_a": "x", "model_b": "x", "winner": "tie"}])

    with pytest.raises(RejectedRowsError, match="a model against itself: 1"):
        rate(log, strict=True)

    assert rate(log).manifest["reading"]["strict"] is False


def test_a_log_without_a_valid_vote_gives_no_board():
    """Where nothing counts there is nothing to rate, and the account says why."""
    log = pl.DataFrame({"model_a": ["x"], "model_b": ["x"], "winner": ["tie"]})

    with pytest.raises(NoEstimateError, match="a model against itself: 1"):
        rate(log)

    assert log.height == 1


def test_an_unknown_anchor_is_refused_with_a_suggestion():
    """A misspelt anchor is met with the names that are close to it."""
    with pytest.raises(OptionError, match=r"no model 'chimp'.* did you mean champ\?"):
        rate(pl.DataFrame(ROWS), on_separation="prior", scale=Scale(anchor=("chimp", 1.0)))

    assert "champ" in ratings(rate(pl.DataFrame(ROWS)))
