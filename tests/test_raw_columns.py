"""Category tags and token counts, as LMArena publishes them, become columns of a battle."""

import itertools

import polars as pl
import pytest
from logs import votes, write

from arena.battles import read_battles
from arena.conditions import flagged, hard, prompt_tokens
from arena.filters import select

CRITERIA = (
    "complexity",
    "creativity",
    "domain_knowledge",
    "problem_solving",
    "real_world",
    "specificity",
    "technical_accuracy",
)
"""LMSYS' seven criteria of a hard prompt."""
FLAGS = {
    "is_math": ("math", "math"),
    "is_creative_writing": ("creative_writing", "creative_writing"),
    "is_instruction_following": ("if", "if"),
}
"""Our column → tagger and field."""
SCORES = {"creative_writing": {"score": "yes"}, "if": {"score": 4}}
"""What some taggers say beside their flag."""


def tagged(met=(), holding=(), version="v0.1"):
    """A category tag in the published shape: the criteria met, and the flags of ours that hold."""
    tags = {f"criteria_{version}": {name: name in met for name in CRITERIA}}
    for column, (tagger, field) in FLAGS.items():
        tags[f"{tagger}_{version}"] = {field: column in holding} | SCORES.get(tagger, {})
    return tags


def rows_of(*tags, **more):
    """Votes with these tags, one each, and perhaps more columns."""
    return [{**votes("x y tie")[0], "category_tag": tag, **more} for tag in tags]


def read(*tags, **more):
    """The battles of votes with these tags, as a frame."""
    rows = pl.DataFrame(rows_of(*tags, **more), infer_schema_length=None)
    return read_battles(rows).frame.collect()


# ── criteria ───────────────────────────────────────────────────────────────────────────────


def test_the_criteria_met_are_counted():
    """None to all seven, whichever they are."""
    sets = [met for n in range(8) for met in itertools.combinations(CRITERIA, n)]

    found = read(*(tagged(met) for met in sets))["hard_criteria"]

    assert found.to_list() == [len(met) for met in sets]
    assert found.dtype == pl.Int64


def test_a_criterion_that_is_not_said_is_not_met():
    """Where some are said, the others are not; where none is, nothing is known."""
    some = tagged(CRITERIA[:3])
    some["criteria_v0.1"] |= dict.fromkeys(CRITERIA[2:5])
    none = tagged() | {"criteria_v0.1": dict.fromkeys(CRITERIA)}

    found = read(tagged(CRITERIA), some, none)["hard_criteria"]

    assert found.to_list() == [7, 2, None]


def test_a_score_is_no_criterion():
    """Only what is true or false is counted."""
    tags = tagged(CRITERIA[:4])
    tags["criteria_v0.1"] |= {"score": 7, "reason": "hard"}

    assert read(tags)["hard_criteria"].to_list() == [4]


def test_a_criteria_tagger_without_flags_says_nothing():
    """A later version may give a score alone: the log can still be read."""
    frame = read({"criteria_v0.2": {"score": 7}, "math_v0.1": {"math": True}})

    assert frame["is_math"].to_list() == [True]


# ── flags ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("column", FLAGS)
def test_each_flag_is_its_taggers(column):
    """And nobody else's: one that holds alone is the only one."""
    frame = read(tagged(holding=[column]), tagged(), tagged(holding=FLAGS))

    for other in FLAGS:
        assert frame[other].to_list() == [other == column, False, True]
        assert frame.schema[other] == pl.Boolean


def test_creativity_is_no_creative_writing():
    """The criterion is one of seven, the tag one of its own."""
    frame = read(tagged(["creativity"]), tagged(holding=["is_creative_writing"]))

    assert frame["is_creative_writing"].to_list() == [False, True]
    assert frame["hard_criteria"].to_list() == [1, 0]


@pytest.mark.parametrize("version", ["v0.2", "v1", "2025-01-01"])
def test_taggers_of_other_versions_say_the_same(version):
    """Their fields are named after them; what they mean is told by what is in them."""
    first, later = (
        read(tagged(CRITERIA[1:], ["is_math"], name), tagged(version=name))
        for name in ("v0.1", version)
    )

    assert first.rows() == later.rows()
    assert later["hard_criteria"].to_list() == [6, 0]


def test_a_tagger_that_is_not_there_makes_no_column():
    """Nor does one that nobody knows, or one that is no table of answers."""
    tags = {"math_v0.1": {"math": True}, "pii_v0.1": {"pii": True}, "language": "en"}

    frame = read(tags)

    assert frame["is_math"].to_list() == [True]
    assert not {"hard_criteria", "is_creative_writing", "pii", "language"} & set(frame.columns)


def test_a_flag_that_is_a_score_is_no_flag():
    """A number where true or false is meant is left alone."""
    frame = read({"math_v0.1": {"math": 3}, "if_v0.1": {"if": True, "score": 4}})

    assert "is_math" not in frame.columns
    assert frame["is_instruction_following"].to_list() == [True]


# ── what is not known ──────────────────────────────────────────────────────────────────────


def test_what_was_not_tagged_is_not_known():
    """A vote without tags, or without those of one tagger, is neither hard nor easy."""
    half = tagged(holding=FLAGS) | {"criteria_v0.1": None, "if_v0.1": None}

    frame = read(tagged(CRITERIA, FLAGS), None, half)

    assert frame["hard_criteria"].to_list() == [7, None, None]
    assert frame["is_math"].to_list() == [True, None, True]
    assert frame["is_instruction_following"].to_list() == [True, None, None]


@pytest.mark.parametrize("tag", ["math", '{"math_v0.1": {"math": true}}', 3])
def test_a_tag_that_is_no_table_is_left_alone(tag):
    """A column of that name could mean anything."""
    frame = read(tag, tag)

    assert frame.columns == ["model_a", "model_b", "winner", "source"]


def test_a_plain_column_goes_before_a_tag():
    """A log that says outright what is math is believed."""
    frame = read(tagged(holding=["is_math"]), is_math="False", hard_criteria="5")

    assert frame["is_math"].to_list() == [False]
    assert frame["hard_criteria"].to_list() == [5]


# ── token counts ───────────────────────────────────────────────────────────────────────────


def test_the_users_tokens_are_those_of_all_turns():
    """As counted by the publisher; without them, nothing is known."""
    metadata = [{"sum_user_tokens": n, "turns": 2} for n in (12, 0, None)]
    rows = [{**votes("x y tie")[0], "conv_metadata": one} for one in (*metadata, None)]

    frame = read_battles(pl.DataFrame(rows)).frame.collect()

    assert frame["user_tokens"].to_list() == [12, 0, None, None]
    assert frame["turns"].to_list() == [2, 2, 2, None]
    assert frame.schema["user_tokens"] == pl.Int64


def test_a_plain_column_of_tokens_is_read_from_text(tmp_path):
    """What is no number is not known."""
    rows = [{**votes("x y tie")[0], "user_tokens": n} for n in (7, "", "many")]

    frame = read_battles(write(tmp_path / "votes.csv", rows)).frame.collect()

    assert frame["user_tokens"].to_list() == [7, None, None]


# ── from the file to the filter ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["parquet", "jsonl", "json"])
def test_published_tags_can_be_filtered_by(tmp_path, form):
    """Hard is six of seven; a vote that was not tagged is dropped as unknown."""
    tags = [tagged(CRITERIA[:n], ["is_math"] if n % 2 else []) for n in range(8)]
    rows = [
        {**row, "conv_metadata": {"sum_user_tokens": 10 * i, "turns": 1}}
        for i, row in enumerate(rows_of(*tags, None))
    ]
    given = read_battles(write(tmp_path / f"votes.{form}", rows))

    funnel = select(given, hard(), flagged("is_math"), prompt_tokens(70, 80)).funnel

    assert funnel.rows() == [
        ("hard_criteria >= 6", 9, 7, 1, 2),
        ("is_math", 2, 1, 0, 1),
        ("prompt tokens >= 70 and <= 80", 1, 0, 0, 1),
    ]
