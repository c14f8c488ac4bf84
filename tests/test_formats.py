import datetime as dt
import json

import polars as pl
import pytest
from logs import Row, encode, votes, write

from arena.battles import read_battles
from arena.errors import ColumnError, LabelError, OptionError
from arena.formats import FORMATS
from arena.schema import BATTLE_SCHEMA, SPELLINGS, WINNERS
from arena.tally import count_pairs, tally_votes

NOON = dt.datetime(2024, 8, 14, 12, tzinfo=dt.UTC)


# ── one row in the exact schema of each publisher ──────────────────────────────────────────


def style_metadata(turns: int, side_a: int, side_b: int) -> Row:
    """Style counts whose parts differ, so that a missing part shows in the sum."""
    heads = {"h1": 1, "h2": 2, "h3": 0, "h4": 0, "h5": 0, "h6": 4}
    none = dict.fromkeys(heads, 0)
    return {
        "sum_user_tokens": 3,
        "sum_assistant_a_tokens": side_a,
        "sum_assistant_b_tokens": side_b,
        "context_a_tokens": 3,
        "context_b_tokens": 3,
        "turns": turns,
        "header_count_a": heads,
        "header_count_b": none,
        "list_count_a": {"ordered": 5, "unordered": 6},
        "list_count_b": {"ordered": 0, "unordered": 1},
        "bold_count_a": {"**": 7, "__": 8},
        "bold_count_b": {"**": 0, "__": 0},
    }


def talk(*user_turns: str | None) -> list[Row]:
    """A conversation as a list of messages with plain text."""
    return [
        message
        for turn in user_turns
        for message in (
            {"role": "user", "content": turn},
            {"role": "assistant", "content": "answer"},
        )
    ]


def talk_in_parts(*user_turns: str) -> list[Row]:
    """A conversation whose content is a list of typed parts, with an image among them."""

    def parts(text: str) -> list[Row]:
        return [
            {"type": "text", "text": text, "image": None, "mimeType": None},
            {"type": "image", "text": None, "image": "base64", "mimeType": "image/png"},
        ]

    return [{**message, "content": parts(message["content"])} for message in talk(*user_turns)]


def row_33k(**other: object) -> Row:
    """chatbot_arena_conversations and clean_battle."""
    return {
        "question_id": "58210e39b3fd4441a2bd4a518bb44c2d",
        "model_a": "x",
        "model_b": "y",
        "winner": "model_a",
        "judge": "arena_user_973",
        "conversation_a": talk("hi", "and then?"),
        "conversation_b": talk("hi", "and then?"),
        "turn": 2,
        "anony": True,
        "language": "English",
        "tstamp": 1723636800.25,
        "dedup_tag": {"high_freq": True, "sampled": False},
        **other,
    }


def row_100k(**other: object) -> Row:
    """arena-human-preference-100k."""
    row = row_33k(
        conv_metadata=style_metadata(2, 100, 50),
        category_tag={"math_v0.1": {"math": False}},
        judge_hash="f00d",
        is_code=True,
        is_refusal=False,
    )
    del row["judge"]
    return {**row, **other}


def row_55k(**other: object) -> Row:
    """arena-human-preference-55k, as on Kaggle."""
    return {
        "id": 30192,
        "model_a": "x",
        "model_b": "y",
        "prompt": '["hi","and then?"]',
        "response_a": '["answer",null]',
        "response_b": '["answer","more"]',
        "winner_model_a": 1,
        "winner_model_b": 0,
        "winner_tie": 0,
        **other,
    }


def row_140k(**other: object) -> Row:
    """arena-human-preference-140k."""
    return {
        "id": "c4b9710c-8d64-4bee-a0b0-94637ae4cc65",
        "model_a": "x",
        "model_b": "y",
        "winner": "both_bad",
        "evaluation_session_id": "a333a685-37f9-474d-b703-f079d8329552",
        "evaluation_order": 3,
        "conversation_a": talk_in_parts("hi"),
        "conversation_b": talk_in_parts("hi"),
        "full_conversation": [
            {
                "user": talk_in_parts("hi")[0],
                "model_side_a": talk_in_parts("hi")[1],
                "model_side_b": talk_in_parts("hi")[1],
            }
        ]
        * 4,
        "conv_metadata": style_metadata(1, 100, 50),
        "category_tag": {"math_v0.1": {"math": False}},
        "language": "en",
        "is_code": False,
        "timestamp": "2024-08-14T12:00:00.250000",
        **other,
    }


def row_mt_bench(**other: object) -> Row:
    """mt_bench_human_judgments."""
    return {
        "question_id": 81,
        "model_a": "x",
        "model_b": "y",
        "winner": "model_a",
        "judge": "author_2",
        "conversation_a": talk("first", "second"),
        "conversation_b": talk("first", "second"),
        "turn": 1,
        **other,
    }


def row_search(**other: object) -> Row:
    """search-arena-24k."""
    return {
        "model_a": "x",
        "model_b": "y",
        "winner": "tie (bothbad)",
        "judge": "78996144fc08",
        "turn": 2,
        "timestamp": "2024-08-14T12:00:00.250000",
        "messages_a": talk("hi", "and then?"),
        "messages_b": talk("hi", "and then?"),
        "primary_intent": "Other",
        "languages": ["English"],
        **other,
    }


def row_text_conversation(**other: object) -> Row:
    """Logs that hold a conversation as text."""
    return {
        "model_a": "x",
        "model_b": "y",
        "winner": "model_b",
        "num_turns": 2,
        "conversation_a": json.dumps(talk("hi", "and then?")),
        **other,
    }


def row_counts(**other: object) -> Row:
    """Counts per pair."""
    counts = {"wins_a": 3, "wins_b": 1, "ties": 2, "both_bad": 4}
    return {"model_a": "x", "model_b": "y", **counts, **other}


PUBLISHED = {
    "33k": row_33k,
    "100k": row_100k,
    "55k": row_55k,
    "140k": row_140k,
    "mt-bench": row_mt_bench,
    "messages": row_search,
    "counts": row_counts,
}


def read(*rows: Row) -> list[Row]:
    """The accepted battles among rows given as JSON lines, as plain values."""
    battles = read_battles(pl.read_ndjson(encode(rows, "jsonl"), infer_schema_length=None))
    return battles.frame.collect().cast({"winner": pl.String}).to_dicts()


# ── recognising ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize(("name", "row"), PUBLISHED.items(), ids=PUBLISHED)
def test_a_published_log_is_known_by_its_columns(tmp_path, name, row, form):
    """Every published schema is recognised under any file name, and its vote counted."""
    path = write(tmp_path / f"download.{form}", [row()])

    battles = read_battles(path)
    counts = tally_votes(battles).counts

    assert battles.formats == (name,)
    assert counts.models == ("x", "y")


def test_any_table_with_two_models_and_a_winner_is_a_log():
    """A table in no published schema needs only model_a, model_b and winner."""
    table = pl.DataFrame(votes("x y tie")).with_columns(mood=pl.lit("good"))

    battles = read_battles(table)

    assert battles.formats == ("plain",)
    assert battles.columns == ("model_a", "model_b", "winner")


def test_a_table_in_no_known_form_is_refused_with_its_columns():
    """What is missing is said, what is there is listed, and the option to map it is named."""
    table = pl.DataFrame({"left": ["x"], "model_b": ["y"], "vote": ["l"]})

    with pytest.raises(ColumnError) as raised:
        read_battles(table)

    message = str(raised.value)
    assert "no column 'model_a', 'winner'" in message
    assert "'left', 'model_b', 'vote'" in message
    assert "--columns" in message


def test_formats_have_names_of_their_own():
    """No two formats share a name, and each says what it is published as."""
    names = [each.name for each in FORMATS]

    assert len(set(names)) == len(names)
    assert all(each.published_as and each.notes for each in FORMATS)


@pytest.mark.parametrize(("spelling", "winner"), SPELLINGS.items())
def test_published_spellings_mean_one_of_the_four_winners(spelling, winner):
    """Each published spelling of a vote is counted as the winner it stands for."""
    log = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": [spelling]})

    outcomes = count_pairs(log).outcomes

    assert outcomes[0].tolist() == [float(one == winner) for one in WINNERS]


# ── 33k and 100k ───────────────────────────────────────────────────────────────────────────


def test_a_33k_row_is_read_as_its_publisher_meant_it():
    """Seconds become UTC, `turn` counts user turns, and the text is the user's alone."""
    row = row_33k()

    (battle,) = read(row)

    assert battle == {
        "battle_id": "58210e39b3fd4441a2bd4a518bb44c2d",
        "model_a": "x",
        "model_b": "y",
        "winner": "model_a",
        "judge": "arena_user_973",
        "tstamp": NOON.replace(microsecond=250_000),
        "language": "English",
        "turns": 2,
        "prompt": "hi",
        "user_text": "hi\nand then?",
        "anony": True,
        "dedup_sampled": False,
        "source": 0,
    }


def test_battles_that_were_not_anonymous_are_set_aside():
    """A vote on models whose names were shown is counted apart, and is not a mistake."""
    rows = [row_33k(), row_33k(anony=False), row_33k(anony=None)]

    tally = tally_votes(read_battles(pl.DataFrame(rows)))

    reading = tally.readings[0]
    assert tally.counts.n_battles == 1.0
    assert reading.set_aside == {"not anonymous": 2.0}
    assert reading.rejected == {}


@pytest.mark.parametrize("flag", ["true", "True", "1"])
def test_flags_may_be_text(tmp_path, flag):
    """A CSV writes a flag in one of several ways, and all mean the same."""
    rows = [{**votes("x y tie")[0], "anony": flag}, {**votes("x y tie")[0], "anony": "False"}]

    tally = tally_votes(read_battles(write(tmp_path / "votes.csv", rows)))

    assert tally.counts.n_battles == 1.0
    assert tally.readings[0].set_aside == {"not anonymous": 1.0}


def test_a_100k_row_brings_judge_hash_flags_and_style():
    """The judge is the hash; style counts are sums over their kinds."""
    row = row_100k()

    (battle,) = read(row)

    assert (battle["judge"], battle["is_code"], battle["is_refusal"]) == ("f00d", True, False)
    assert (battle["tokens_a"], battle["tokens_b"]) == (100, 50)
    assert (battle["headers_a"], battle["headers_b"]) == (7, 0)
    assert (battle["lists_a"], battle["lists_b"]) == (11, 1)
    assert (battle["bold_a"], battle["bold_b"]) == (15, 0)


@pytest.mark.parametrize(
    ("written", "microsecond"),
    [
        (1723636800, 0),
        (1723636800.25, 250_000),
        ("1723636800.25", 250_000),
        ("2024-08-14T12:00:00", 0),
        ("2024-08-14 12:00:00", 0),
        ("2024-08-14T12:00:00Z", 0),
        ("2024-08-14T14:00:00+02:00", 0),
        ("2024-08-14T12:00:00.250000", 250_000),
        (dt.datetime(2024, 8, 14, 12), 0),
        (dt.datetime(2024, 8, 14, 14, tzinfo=dt.timezone(dt.timedelta(hours=2))), 0),
    ],
)
def test_times_come_out_in_utc(written, microsecond):
    """Unix seconds, ISO text with and without an offset, and times all mean one instant."""
    log = pl.DataFrame([{**votes("x y tie")[0], "tstamp": written}])

    battles = read_battles(log).frame.collect()

    assert battles["tstamp"].to_list() == [NOON.replace(microsecond=microsecond)]


def test_a_date_is_the_midnight_it_begins_with():
    """A column of dates is a time, too."""
    log = pl.DataFrame([{**votes("x y tie")[0], "tstamp": dt.date(2024, 8, 14)}])

    battles = read_battles(log).frame.collect()

    assert battles["tstamp"].to_list() == [dt.datetime(2024, 8, 14, tzinfo=dt.UTC)]


def test_text_that_is_no_time_is_null_and_the_vote_still_counts():
    """An unreadable time costs the vote nothing but its time."""
    log = pl.DataFrame([{**votes("x y tie")[0], "tstamp": "yesterday"}])

    battles = read_battles(log)

    assert battles.frame.collect()["tstamp"].to_list() == [None]
    assert count_pairs(battles).n_battles == 1.0


# ── 55k ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("one", [1, 1.0, pytest.param(True, id="flag")])
def test_one_hot_votes_are_the_winner_that_is_set(tmp_path, form, one):
    """Exactly one of the three columns is set, and it is the vote."""
    zero = type(one)(0)
    hot = [(one, zero, zero), (zero, one, zero), (zero, zero, one)]
    names = ("winner_model_a", "winner_model_b", "winner_tie")
    rows = [row_55k(**dict(zip(names, each, strict=True))) for each in hot]

    counts = count_pairs(write(tmp_path / f"train.{form}", rows))

    assert counts.outcomes.tolist() == [[1.0, 1.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    "flags",
    [
        (1, 1, 0),
        (0, 0, 0),
        (1, 0, 1),
        (2, 0, 0),
        pytest.param((1, -1, 1)),
    ],
)
def test_one_hot_votes_that_are_not_one_hot_are_quoted(flags):
    """A row with two winners, or none, is an error that shows it, never a tie."""
    names = ("winner_model_a", "winner_model_b", "winner_tie")
    log = pl.DataFrame([row_55k(), row_55k(**dict(zip(names, flags, strict=True)))])
    quoted = "winner_model_a={}, winner_model_b={}, winner_tie={}".format(*flags)

    with pytest.raises(LabelError) as raised:
        count_pairs(log)

    assert f"'{quoted}' (1 vote)" in str(raised.value)


@pytest.mark.parametrize(
    ("prompt", "turns", "first", "text"),
    [
        ('["hi","and then?"]', 2, "hi", "hi\nand then?"),
        ('["hi",null]', 2, "hi", "hi"),
        ("[null]", 1, None, ""),
        ('["a \\"quoted\\" \\u00e9"]', 1, 'a "quoted" é', 'a "quoted" é'),
    ],
)
def test_a_55k_prompt_is_a_list_inside_a_string(tmp_path, prompt, turns, first, text):
    """Turns are the length of the list, nulls in it included; the first is the prompt."""
    path = write(tmp_path / "train.csv", [row_55k(prompt=prompt)])

    battle = read_battles(path).frame.collect().row(0, named=True)

    assert (battle["turns"], battle["prompt"], battle["user_text"]) == (turns, first, text)
    assert battle["battle_id"] == "30192"
    assert not {"judge", "tstamp"} & set(battle)


# ── 140k ───────────────────────────────────────────────────────────────────────────────────


def test_turns_of_a_140k_row_are_not_its_evaluation_order():
    """This battle had one turn; it was the third vote in a session of four turns."""
    row = row_140k()

    (battle,) = read(row)

    assert (battle["turns"], battle["session_turns"]) == (1, 4)
    assert battle["session"] == row["evaluation_session_id"]


def test_a_140k_row_is_read_as_its_publisher_meant_it():
    """The content is the text of its parts, the time ISO, and both_bad a winner of its own."""
    row = row_140k(conversation_a=talk_in_parts("hi", "and then?"))

    (battle,) = read(row)

    assert (battle["winner"], battle["language"], battle["is_code"]) == ("both_bad", "en", False)
    assert (battle["prompt"], battle["user_text"]) == ("hi", "hi\nand then?")
    assert battle["tstamp"] == NOON.replace(microsecond=250_000)
    assert tuple(battle[f"{n}_a"] for n in ("tokens", "headers", "lists", "bold")) == (
        100,
        7,
        11,
        15,
    )
    assert tuple(battle[f"{n}_b"] for n in ("tokens", "headers", "lists", "bold")) == (50, 0, 1, 0)


def test_without_metadata_turns_are_those_of_the_conversation():
    """Where nothing states the number of turns, the user's messages are counted."""
    row = row_140k(conversation_a=talk_in_parts("hi", "and", "then?"))
    del row["conv_metadata"]

    (battle,) = read(row)

    assert battle["turns"] == 3


# ── MT-Bench ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("turn", [1, 2])
def test_turns_of_an_mt_bench_row_are_the_turn_that_was_judged(turn):
    """MT-Bench conversations have two turns each; `turn` says which was judged."""
    row = row_mt_bench(turn=turn)

    (battle,) = read(row)

    assert battle["turns"] == turn
    assert (battle["prompt"], battle["judge"]) == ("81", "author_2")


# ── logs with rows that nobody voted on ────────────────────────────────────────────────────


@pytest.mark.parametrize("row", [row_search, row_text_conversation])
def test_a_row_nobody_voted_on_is_set_aside_and_not_rejected(row):
    """In these logs half the rows have no vote, and that is no mistake."""
    log = pl.DataFrame([row(winner="tie"), row(winner=None), row(winner=None)])

    battles = read_battles(log)
    reading = tally_votes(battles).readings[0]

    assert (reading.rows, reading.accepted) == (3.0, 1.0)
    assert reading.set_aside == {"not voted": 2.0}
    assert reading.rejected == {}
    assert battles.rejected().height == 0


def test_a_conversation_may_be_text():
    """A conversation written as JSON in a string gives its prompt all the same."""
    row = row_text_conversation()

    (battle,) = read(row)

    assert (battle["prompt"], battle["user_text"], battle["turns"]) == ("hi", "hi\nand then?", 2)


def test_a_conversation_as_text_may_have_content_in_parts():
    """arena-expert-5k writes the typed parts of the 140k log as text."""
    row = row_text_conversation(conversation_a=json.dumps(talk_in_parts("hi")))

    (battle,) = read(row)

    assert battle["prompt"] == "hi"


def test_a_conversation_that_cannot_be_parsed_does_not_disturb_the_count():
    """Counting votes has no use for conversations, and does not look at them."""
    log = pl.DataFrame([row_text_conversation(conversation_a="{not json")])

    counts = count_pairs(log)

    assert counts.n_battles == 1.0


def test_search_arena_is_read_as_its_publisher_meant_it():
    """Messages, judge, time and turns are found under this log's own names."""
    row = row_search()

    (battle,) = read(row)

    assert (battle["winner"], battle["judge"], battle["turns"]) == ("both_bad", "78996144fc08", 2)
    assert (battle["prompt"], battle["tstamp"]) == ("hi", NOON.replace(microsecond=250_000))


# ── counts ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_counts_go_straight_to_the_pair_counts(tmp_path, form):
    """A log that is counted already keeps its four numbers per pair."""
    path = write(tmp_path / f"counts.{form}", [row_counts(), row_counts(model_a="z", ties=0)])

    counts = count_pairs(path)

    expected = [("x", "y", 3.0, 1.0, 2.0, 4.0), ("z", "y", 3.0, 1.0, 0.0, 4.0)]
    assert counts.frame().rows() == expected


def test_counts_need_no_both_bad():
    """Older counts do not tell bad ties from others."""
    row = row_counts()
    del row["both_bad"]

    counts = count_pairs(pl.DataFrame([row]))

    assert counts.outcomes.tolist() == [[3.0, 1.0, 2.0, 0.0]]


def test_counts_may_be_fractions():
    """Weighted votes add up to fractions, and nothing is rounded."""
    log = pl.DataFrame([row_counts(wins_a=2.5)])

    counts = count_pairs(log)

    assert counts.outcomes.tolist() == [[2.5, 1.0, 2.0, 4.0]]


@pytest.mark.parametrize("wrong", [-1.0, None, float("nan"), float("inf")])
def test_counts_that_are_no_numbers_of_votes_are_refused_with_their_row(wrong):
    """A negative, missing or infinite count is named with its row and column."""
    log = pl.DataFrame([row_counts(), row_counts(model_a="z", wins_b=wrong)], strict=False)

    with pytest.raises(ColumnError, match=r"row 2, column 'wins_b': .+ is not a number of votes"):
        count_pairs(log)

    assert log["model_a"].to_list() == ["x", "z"]


def test_a_count_that_is_text_is_quoted(tmp_path):
    """The message shows what the file says, so that it can be searched for."""
    path = write(tmp_path / "counts.csv", [row_counts(wins_a="many")])

    with pytest.raises(ColumnError, match="many"):
        count_pairs(path)


def test_counts_take_no_mapping_of_columns():
    """Counts are counts: a column that is named for them would be ignored, and so is refused."""
    log = pl.DataFrame([row_counts(judge="j")])

    with pytest.raises(OptionError, match="is a file of counts, which takes no --columns"):
        read_battles(log, columns={"judge": "judge"})

    assert count_pairs(log).n_battles == 10.0


# ── anything else ──────────────────────────────────────────────────────────────────────────


def test_any_table_can_be_mapped_by_columns_and_outcomes():
    """A log in its own words is read once it is said what they mean."""
    log = pl.DataFrame(
        {
            "left": ["x", "y", "x"],
            "right": ["y", "x", "y"],
            "choice": ["left", "neither", "tie"],
            "who": [1, 2, 3],
        }
    )
    columns = {"model_a": "left", "model_b": "right", "winner": "choice", "judge": "who"}

    battles = read_battles(
        log, columns=columns, outcomes={"left": "model_a", "neither": "both_bad"}
    )

    assert battles.frame.collect()["judge"].to_list() == ["1", "2", "3"]
    assert (count_pairs(battles).frame().rows()) == [
        ("x", "y", 1.0, 0.0, 1.0, 0.0),
        ("y", "x", 0.0, 0.0, 0.0, 1.0),
    ]


def test_columns_go_before_what_the_format_says():
    """A user who says which column is which knows better than the format."""
    log = pl.DataFrame([row_33k(truth="model_b")])

    battles = read_battles(log, columns={"winner": "truth"})

    assert battles.frame.collect()["winner"].cast(pl.String).to_list() == ["model_b"]


def test_a_column_of_weights_counts_each_vote_by_its_weight():
    """A weight is used where the user names it, and only there."""
    log = pl.DataFrame(votes("x y tie", "x y tie")).with_columns(weight=pl.Series([0.5, 2.0]))

    unnamed = count_pairs(log)
    named = count_pairs(read_battles(log, columns={"weight": "weight"}))

    assert (unnamed.outcomes.sum(), named.outcomes.sum()) == (2.0, 2.5)


@pytest.mark.parametrize("wrong", [-1.0, None, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_refused(wrong):
    """A vote cannot weigh less than nothing, or nobody knows what."""
    log = pl.DataFrame(votes("x y tie", "x y tie")).with_columns(w=pl.Series([1.0, wrong]))

    with pytest.raises(ColumnError, match=r"weight.+ 1 row"):
        count_pairs(read_battles(log, columns={"weight": "w"}))

    assert log.height == 2


@pytest.mark.parametrize(
    ("columns", "error", "culprit"),
    [
        ({"winner": "choice"}, ColumnError, "no column 'choice' (for winner)"),
        ({"champion": "winner"}, OptionError, "'champion' is not a battle column"),
    ],
)
def test_a_mapping_to_what_is_not_there_is_refused(columns, error, culprit):
    """Neither a column of the log nor one of ours may be made up."""
    log = pl.DataFrame(votes("x y tie"))

    with pytest.raises(error) as raised:
        read_battles(log, columns=columns)

    assert culprit in str(raised.value)


def test_an_outcome_that_is_no_winner_is_refused():
    """A vote can only mean one of the four winners."""
    log = pl.DataFrame(votes("x y tie"))

    with pytest.raises(OptionError, match="'draw' is not a winner; they are model_a, model_b"):
        read_battles(log, outcomes={"tie": "draw"})


@pytest.mark.parametrize("column", ["model_a", "winner"])
def test_a_nested_column_where_text_is_needed_is_refused_by_name(column):
    """A structure is no name and no vote."""
    log = pl.DataFrame(votes("x y tie")).with_columns(pl.struct(column).alias(column))

    with pytest.raises(ColumnError, match=column):
        count_pairs(log)


@pytest.mark.parametrize("row", [row_33k, row_100k, row_55k, row_140k, row_mt_bench, row_search])
def test_every_battle_column_has_the_type_that_the_schema_states(row):
    """Whatever a log's own types are, a battle's are always the same."""
    battles = read_battles(pl.DataFrame([row()]))

    schema = battles.rows.collect_schema()

    assert {c: schema[c] for c in battles.columns} == {c: BATTLE_SCHEMA[c] for c in battles.columns}
