import json

import numpy as np
import polars as pl
import pytest
from worlds import battles as world

COLUMNS = ("is_code", "is_refusal", "dedup_sampled")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of 2,000 votes with every column that an option asks for."""
    frame = world(4, 2_000, seed=5)
    rng = np.random.default_rng(6)
    n = frame.height
    start = np.datetime64("2024-06-01", "us")
    path = tmp_path_factory.mktemp("filters") / "votes.parquet"
    frame.with_columns(
        *(pl.Series(name, rng.random(n) < 0.6) for name in COLUMNS),
        turns=pl.Series(rng.integers(1, 4, n)),
        session_turns=pl.Series(rng.integers(3, 6, n)),
        language=pl.Series(np.array(["English", "de", "unknown"])[rng.integers(0, 3, n)]),
        hard_criteria=pl.Series(rng.integers(0, 8, n)),
        user_tokens=pl.Series(rng.integers(1, 100, n)),
        judge=pl.Series([f"judge {i}" for i in rng.integers(0, 40, n)]),
        prompt=pl.Series([f"prompt {i}" for i in rng.zipf(1.5, n)]),
        tstamp=pl.Series(start + rng.integers(0, 86_400_000_000 * 9, n)),
    ).write_parquet(path)
    return path


OPTIONS = {
    "--since 2024-06-05": "since 2024-06-05",
    "--until 2024-06-05": "until 2024-06-05",
    "--language english": "language is English",
    "--language en,German": "language in English, German",
    "--language known": "language known",
    "--multi-turn": "turns >= 2",
    "--multi-turn=3": "turns >= 3",
    "--multi-turn=4 --turns-of session_turns": "session_turns >= 4",
    "--turns 2": "turns == 2",
    "--prompt-tokens 5:": "prompt tokens >= 5",
    "--prompt-tokens :20": "prompt tokens <= 20",
    "--prompt-tokens 5:20": "prompt tokens >= 5 and <= 20",
    "--hard": "hard_criteria >= 6",
    "--hard=3": "hard_criteria >= 3",
    "--flag is_code": "is_code",
    "--flag no:is_refusal": "not is_refusal",
    "--no-ties": "no ties",
    "--no-both-bad": "no both-bad",
    "--exclude-models m002": "without m002",
    "--only-models m000,m001,m003": "among m000, m001, m003",
    "--in-category coding": "is_code",
    "--dedup-tag": "dedup_sampled",
    "--judge-votes 45": "judge with >= 45 votes",
    "--random-share 0.5": "random 0.5 (seed 42)",
}
"""What an option is called in the funnel; those that draw on judges and prompts follow below."""


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_a_condition_in_the_funnel(arena, log, option):
    """It is named, says how many votes it drops, and the board is of the others."""
    result = arena("rate", log, *option.split(), "--format", "json")

    assert result.code == 0, result.err
    manifest = json.loads(result.out)["manifest"]
    (row,) = manifest["filters"]
    assert row["condition"] == OPTIONS[option]
    assert 0 < row["dropped"] < row["before"] == 2_000
    assert manifest["fit"]["battles"] == row["after"] == row["before"] - row["dropped"]
    assert f"{row['condition']}: drops {row['dropped']:,} of 2,000 votes" in result.err


@pytest.mark.parametrize(
    "option", ["--dedup=0.9", "--one-vote", "--daily-cap=3", "--min-battles=1"]
)
def test_options_that_see_the_whole_log(arena, log, option):
    """They too are in the funnel, and come after the conditions on single votes."""
    result = arena("rate", log, option, "--no-ties", "--format", "json")

    assert result.code == 0, result.err
    first, second = json.loads(result.out)["manifest"]["filters"]
    assert first["condition"] == "no ties"
    assert second["before"] == first["after"]


@pytest.mark.parametrize("command", ["rate", "history", "elo", "evaluate", "judges"])
def test_every_command_takes_the_filters(arena, log, command):
    """All of them see the votes that are kept, and say so."""
    result = arena(command, log, "--multi-turn", "--quiet")
    loud = arena(command, log, "--multi-turn")

    assert result.code == 0, result.err
    assert result.err == ""
    assert "turns >= 2: drops" in loud.err


def test_identified_votes_count_when_asked_for(arena, tmp_path):
    """Battles fought under the models' names are set aside unless --identified."""
    frame = world(3, 300, seed=1).with_columns(anony=pl.int_range(300) < 200)
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)

    counted = [
        json.loads(arena("rate", path, *more, "--format", "json").out)["manifest"]["fit"]["battles"]
        for more in ([], ["--identified"])
    ]

    assert counted == [200, 300]


def test_a_comparison_in_every_form(arena, log, tmp_path):
    """Table, CSV, JSON with a manifest, Markdown; files hold what is shown."""
    paths = [tmp_path / f"c.{suffix}" for suffix in ("csv", "json", "md", "parquet")]
    options = ["--multi-turn", "--draws", "99", "--rounds", "50", "-q"]
    files = [part for path in paths for part in ("-o", path)]

    shown = {
        form: arena("compare", log, *options, "--format", form, *files).out
        for form in ("table", "csv", "json", "markdown")
    }

    assert "by chance" in shown["table"]
    assert "The board as a whole" in shown["table"]
    assert shown["csv"] == paths[0].read_text()
    assert shown["json"] == paths[1].read_text()
    assert shown["markdown"] == paths[2].read_text()
    told = json.loads(shown["json"])
    assert told["manifest"]["options"]["filters"] == ["turns >= 2"]
    assert told["manifest"]["filters"][0]["before"] == 2_000
    models = [row["model"] for row in told["comparison"]]
    assert models == pl.read_parquet(paths[3])["model"].to_list()
    assert 0 < told["manifest"]["p_board"] <= 1


def test_a_comparison_says_whether_the_board_moved(arena, log, tmp_path):
    """A random half is no more than chance; one whose winners are turned round is more."""
    chance = arena("compare", log, "--random-share", "0.5", "--draws", "199", "--rounds", "2")
    frame = pl.read_parquet(log)
    other = {"model_a": "model_b", "model_b": "model_a"}
    turned = pl.when(pl.col("turns") > 1).then(pl.col("winner").replace(other)).otherwise("winner")
    path = tmp_path / "turned.parquet"
    frame.with_columns(winner=turned).write_parquet(path)
    moved = arena("compare", path, "--multi-turn", "--draws", "199", "--rounds", "2")

    assert "does not move more than chance would" in chance.out
    assert "The board as a whole moves more than chance would: p = 0.01" in moved.out


def test_categories_side_by_side(arena, log, tmp_path):
    """A column each; every form; the same order of models as the board of all."""
    path = tmp_path / "c.csv"

    result = arena("rate", log, "--category", "multiturn,coding", "-o", path)

    assert result.code == 0, result.err
    assert "multiturn: at least 2 user turns" in result.out
    columns = pl.read_csv(path).columns
    assert columns[:3] == ["model", "rank_full", "rating_full"]
    assert columns[-1] == "battles_coding"


def test_judges_with_their_evidence_and_influence(arena, log):
    """The most suspicious first, and what the board would be without each."""
    evidence = json.loads(arena("judges", log, "-q", "--format", "json", "--top", "3").out)
    influence = json.loads(
        arena("judges", log, "-q", "--influence", "--format", "json", "--top", "3").out
    )
    by_day = arena("judges", log, "--influence", "day", "-q")

    assert len(evidence["judges"]) == 3 == len(influence["influence"])
    assert {"judge", "p_value", "flagged", "flagged_fdr"} <= set(evidence["judges"][0])
    changes = [row["largest_change"] for row in influence["influence"]]
    assert changes == sorted(changes, reverse=True)
    assert "The board without each day: 9 left out in turn" in by_day.out


MISTAKES = {
    "swallowed": (["compare", "LOG", "--multi-turn", "LOG"], "put it before the options"),
    "no filter": (["compare", "LOG"], "compare: no filter, so nothing to compare"),
    "no column": (["rate", "LOG", "--flag", "is_math"], "no column 'is_math'"),
    "none left": (["rate", "LOG", "--language", "Klingon"], "there are language English (691)"),
    "no such category": (["rate", "LOG", "--category", "maths"], "they are full, dedup, math"),
    "nor as a filter": (["rate", "LOG", "--in-category", "maths"], "they are full, dedup, math"),
    "no such model": (["compare", "LOG", "--exclude-models", "m00"], "did you mean m00"),
    "drops nothing": (["compare", "LOG", "--until", "2030-01-01"], "the filters drop no vote"),
    "bad time": (["rate", "LOG", "--since", "yesterday"], "since: 'yesterday' is no date"),
    "bad range": (["rate", "LOG", "--prompt-tokens", "many"], "is not of the form FROM:TO"),
    "bad quantile": (["rate", "LOG", "--dedup=most"], "--dedup: 'most' is not a quantile"),
    "bad stratum": (
        ["compare", "LOG", "--multi-turn", "--within", "colour"],
        "within: no column 'colour'",
    ),
    "bad cluster": (["compare", "LOG", "--multi-turn", "--cluster", "town"], "no column 'town'"),
    "counts have no turns": (["rate", "--multi-turn"], "no column 'turns'"),
    "control by category": (
        ["rate", "LOG", "--category", "coding", "--control", "side"],
        "--control: not with --category",
    ),
    "picture": (["compare", "LOG", "--multi-turn", "-o", "x.bmp"], "the suffix must be one of"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_culprit(arena, log, mistake):
    """Exit code 2, nothing on standard output, and the way out."""
    arguments, message = MISTAKES[mistake]

    result = arena(*(log if part == "LOG" else part for part in arguments))

    assert (result.code, result.out) == (2, "")
    said = result.err.splitlines()[-1]
    assert message in said
    assert said.startswith("arena: ")


# ── who made the models ────────────────────────────────────────────────────────────────────

FACTS = """
[corpora.chats]
title = "Chats | of 2023"
[models.m001]
organisation = "Amber <Labs>"
released = 2024-06-27
[[models.m001.trained_on]]
corpus = "chats"
part = "prompts"
source = "their report"
"""


def test_a_models_file_adds_columns_to_the_board(arena, log, tmp_path):
    """In every form; of models that it does not know it says nothing."""
    facts, parquet = tmp_path / "models.toml", tmp_path / "board.parquet"
    facts.write_text(FACTS)
    options = ["rate", log, "--models", facts, "-q", "--format"]

    rows = json.loads(arena(*options, "json").out)["leaderboard"]
    markdown = arena(*options, "markdown", "-o", parquet).out
    table = arena(*options, "table").out

    known = {row["model"]: row for row in rows}
    assert known["m001"]["organisation"] == "Amber <Labs>"
    assert known["m001"]["released"] == "2024-06-27"
    assert known["m001"]["trained_on"] == "Chats | of 2023 (prompts)"
    assert known["m000"]["organisation"] is None
    assert r"Amber &lt;Labs&gt; | 2024-06-27 | Chats \| of 2023 (prompts) |" in markdown
    assert "organisation" in table
    assert "licence" not in table  # nothing is said of it
    assert pl.read_parquet(parquet).columns[-4:] == [
        "organisation",
        "licence",
        "released",
        "trained_on",
    ]


def test_the_shipped_facts_are_of_models_on_the_shipped_board(arena):
    """Gemma 2 was tuned on prompts, not answers, of LMSYS-Chat-1M."""
    rows = json.loads(arena("rate", "-q", "--models", "shipped", "--format", "json").out)
    said = {row["model"]: row["trained_on"] for row in rows["leaderboard"]}

    assert said["gemma-2-27b-it"] == "LMSYS-Chat-1M (prompts, not answers)"
    assert said["llama-3-70b-instruct"] is None
