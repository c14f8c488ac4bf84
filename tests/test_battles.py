import polars as pl
import pytest
from logs import round_robin, table, votes, write

from arena.battles import NO_MODEL, NO_WINNER, NOT_ANONYMOUS, SELF_BATTLE, read_battles
from arena.errors import LabelError, RejectedRowsError
from arena.tally import count_pairs, tally_votes

GOOD = votes("x y model_a", "y x tie")
FAULTY = [
    {"model_a": "x", "model_b": "y", "winner": "model_a"},
    {"model_a": "x", "model_b": "y", "winner": None},
    {"model_a": "x", "model_b": "x", "winner": "tie"},
    {"model_a": " ", "model_b": "y", "winner": "tie"},
    {"model_a": "x", "model_b": None, "winner": "tie"},
    {"model_a": "", "model_b": "", "winner": "model_b"},
    {"model_a": "y", "model_b": "x", "winner": "both_bad"},
]


# ── every row accounted for ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_rows_that_are_no_votes_are_rejected_with_number_and_reason(tmp_path, form):
    """Rejected rows are kept with where they stood and what is wrong with them."""
    path = write(tmp_path / f"votes.{form}", FAULTY)

    rejected = read_battles(path).rejected()

    assert rejected.columns == ["source", "row", "reason", "model_a", "model_b", "winner"]
    assert rejected.select("row", "reason").sort("row").rows() == [
        (2, NO_WINNER),
        (3, SELF_BATTLE),
        (4, NO_MODEL),
        (5, NO_MODEL),
        (6, NO_MODEL),
    ]
    assert set(rejected["source"]) == {str(path)}


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_accepted_set_aside_and_rejected_rows_add_up_to_the_input(tmp_path, form):
    """No row goes missing between the file and the account of it."""
    rows = [{**row, "anony": i != 0} for i, row in enumerate(FAULTY)]

    reading = tally_votes(read_battles(write(tmp_path / f"votes.{form}", rows))).readings[0]

    assert reading.accepted == 1.0
    assert reading.set_aside == {NOT_ANONYMOUS: 1.0}
    assert reading.rejected == {NO_WINNER: 1.0, NO_MODEL: 3.0, SELF_BATTLE: 1.0}
    assert len(rows) == reading.rows == 1.0 + 1.0 + 5.0


def test_rejected_rows_do_not_change_the_count_of_the_others():
    """The good votes of a faulty log count as they would alone."""
    good = [FAULTY[0], FAULTY[-1]]

    counts = count_pairs(pl.DataFrame(FAULTY))

    assert counts.frame().rows() == table(good)


def test_the_account_of_a_log_says_what_was_lost_and_why(tmp_path):
    """One line gives the format, the votes counted, and the rows that were not."""
    path = write(tmp_path / "votes.csv", FAULTY)

    account = tally_votes(read_battles(path)).readings[0].account()

    assert account.startswith(f"{path}: plain format, 2 of 7 votes; 5 rejected (")
    assert f"{NO_MODEL}: 3" in account
    assert "\n" not in account


def test_the_account_of_a_log_without_fault_is_short(tmp_path):
    """Where nothing was lost there is nothing to explain."""
    path = write(tmp_path / "votes.csv", GOOD)

    account = tally_votes(read_battles(path)).readings[0].account()

    assert account == f"{path}: plain format, 2 votes"


def test_strict_reading_refuses_a_log_with_rejected_rows():
    """Under strict reading one bad row is fatal, and the message says which kind it is."""
    tally = tally_votes(read_battles(pl.DataFrame(FAULTY)))

    with pytest.raises(RejectedRowsError, match="no winner: 1"):
        tally.refuse_rejected()

    assert tally.n_rejected == 5.0


def test_strict_reading_accepts_a_log_without_fault():
    """Rows set aside by the log's own rules are no reason to refuse it."""
    rows = [{**row, "anony": False} for row in GOOD] + [{**row, "anony": True} for row in GOOD]
    tally = tally_votes(read_battles(pl.DataFrame(rows)))

    tally.refuse_rejected()

    assert tally.n_rejected == 0.0
    assert tally.counts.n_battles == 2.0


def test_rows_rejected_from_several_files_name_their_file(tmp_path):
    """Row numbers begin anew in each file, and the file is named beside them."""
    one = write(tmp_path / "one.csv", FAULTY[:3])
    two = write(tmp_path / "two.json", FAULTY[3:5])

    battles = read_battles([one, two])
    rejected = battles.rejected()

    assert rejected.select("source", "row", "reason").sort("source", "row").rows() == [
        (str(one), 2, NO_WINNER),
        (str(one), 3, SELF_BATTLE),
        (str(two), 1, NO_MODEL),
        (str(two), 2, NO_MODEL),
    ]
    assert [sum(reading.rejected.values()) for reading in tally_votes(battles).readings] == [
        2.0,
        2.0,
    ]


def test_a_rejected_row_shows_the_vote_as_the_log_spells_it():
    """The log's own words are kept, so that the row can be found in it."""
    log = pl.DataFrame([{"model_a": "x", "model_b": "x", "winner": "tie (bothbad)"}])

    rejected = read_battles(log).rejected()

    assert rejected.select("model_a", "model_b", "winner").rows() == [("x", "x", "tie (bothbad)")]


def test_a_row_rejected_from_counts_has_its_number_in_the_file():
    """A pair of a model with itself in a log of counts is found by its row."""
    log = pl.DataFrame(
        {
            "model_a": ["x", "y", "y"],
            "model_b": ["y", "x", "y"],
            "wins_a": [1, 2, 0],
            "wins_b": [2, 1, 4],
            "ties": [0, 0, 0],
        }
    )

    rejected = read_battles(log).rejected()

    assert set(rejected["row"]) == {3}


def test_a_log_that_does_not_say_whether_it_was_anonymous_counts_beside_one_that_does():
    """What one log knows about its battles is no reason to drop those of another."""
    plain = pl.DataFrame(GOOD)
    arena = pl.DataFrame([{**row, "anony": row["winner"] == "tie"} for row in GOOD])

    tally = tally_votes(read_battles([plain, arena]))

    assert [reading.accepted for reading in tally.readings] == [2.0, 1.0]


def test_a_faulty_row_is_rejected_also_beside_a_log_with_anonymity():
    """A self-battle stays a self-battle whatever stands next to its log."""
    plain = pl.DataFrame(votes("x x tie"))
    arena = pl.DataFrame([{**row, "anony": True} for row in GOOD])

    rejected = read_battles([plain, arena]).rejected()

    assert rejected.select("row", "reason").rows() == [(1, SELF_BATTLE)]


def test_a_log_of_counts_beside_a_log_of_votes_adds_up():
    """Votes weigh one each beside counts."""
    plain = pl.DataFrame(GOOD)
    counts = pl.DataFrame(
        {"model_a": ["x"], "model_b": ["y"], "wins_a": [3], "wins_b": [0], "ties": [0.5]}
    )

    tally = tally_votes(read_battles([counts, plain]))

    assert (tally.counts.frame().rows()) == [
        ("x", "y", 4.0, 0.0, 0.5, 0.0),
        ("y", "x", 0.0, 0.0, 1.0, 0.0),
    ]
    assert [reading.rows for reading in tally.readings] == [3.5, 2.0]


# ── votes that mean nothing known ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "label",
    ["Model_A", "model a", "a", "Tie", "tie ", "draw", "both bad", "tie (inconsistent)", "modèl_b"],
)
def test_a_misspelt_label_raises_and_is_quoted_back(label):
    """What is no known vote is an error that shows it and says how often, never a tie."""
    unknown = [{"model_a": "x", "model_b": "y", "winner": label}] * 3
    log = pl.DataFrame(round_robin("x", "y") + unknown)

    with pytest.raises(LabelError) as raised:
        count_pairs(log)

    assert f"'{label}' (3 votes)" in str(raised.value)
    assert f'--outcomes "{label}=' in str(raised.value)


def test_the_suggestion_for_a_misspelt_label_is_the_winner_it_looks_like():
    """The option that is offered can be pasted and works."""
    log = pl.DataFrame(votes("x y Model_B"))

    with pytest.raises(LabelError, match='--outcomes "Model_B=model_b"'):
        count_pairs(log)

    assert count_pairs(read_battles(log, outcomes={"Model_B": "model_b"})).outcomes[0, 1] == 1.0


def test_many_misspelt_labels_are_counted_and_the_commonest_shown():
    """A log full of strange labels gives one line, not a page."""
    labels = [f"label{i}" for i in range(8) for _ in range(i + 1)]
    log = pl.DataFrame({"winner": labels}).with_columns(model_a=pl.lit("x"), model_b=pl.lit("y"))

    with pytest.raises(LabelError) as raised:
        count_pairs(log)

    message = str(raised.value)
    assert "'label7' (8 votes), 'label6' (7 votes)" in message
    assert "and 3 more" in message
    assert "\n" not in message


def test_a_misspelt_label_names_its_file(tmp_path):
    """Among several files the one with the strange vote is named."""
    good = write(tmp_path / "good.csv", GOOD)
    bad = write(tmp_path / "bad.csv", votes("x y tye"))

    with pytest.raises(LabelError) as raised:
        count_pairs([good, bad])

    assert str(raised.value).startswith(f"{bad}: unknown vote 'tye' (1 vote)")


def test_a_label_on_a_row_that_does_not_count_is_no_error():
    """A row that is set aside or rejected anyway may say what it likes."""
    rows = [
        {"model_a": "x", "model_b": "x", "winner": "whatever", "anony": True},
        {"model_a": "x", "model_b": "y", "winner": "whatever", "anony": False},
        {"model_a": "x", "model_b": "y", "winner": "tie", "anony": True},
    ]

    tally = tally_votes(read_battles(pl.DataFrame(rows)))

    assert tally.counts.outcomes.tolist() == [[0.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("label", ["", " "])
def test_an_empty_vote_is_no_vote(label):
    """An empty text says as little as null."""
    log = pl.DataFrame({"model_a": ["x", "x"], "model_b": ["y", "y"], "winner": ["tie", label]})

    tally = tally_votes(read_battles(log))

    assert tally.readings[0].rejected == {NO_WINNER: 1.0}


# ── frames ─────────────────────────────────────────────────────────────────────────────────


def test_accepted_battles_are_those_that_are_counted():
    """The frame of battles and the counts tell the same story."""
    battles = read_battles(pl.DataFrame(FAULTY))

    frame = battles.frame.collect().cast({"winner": pl.String})

    assert count_pairs(battles).frame().rows() == table(frame.to_dicts())
    assert battles.frame.collect_schema()["winner"] == pl.Enum(
        ["model_a", "model_b", "tie", "both_bad"]
    )


def test_battles_of_several_logs_know_where_they_came_from():
    """Each battle carries the index of its source, and has null where its log says nothing."""
    judged = pl.DataFrame([{**GOOD[0], "judge": "j"}])

    frame = read_battles([pl.DataFrame(GOOD), judged]).frame.collect()

    assert frame.select("source", "judge").sort("source").rows() == [(0, None), (0, None), (1, "j")]


def test_columns_are_those_of_any_source_in_the_order_of_the_schema():
    """What one of several logs knows is a column of all of them."""
    with_judge = pl.DataFrame([{**GOOD[0], "judge": "j"}])
    with_id = pl.DataFrame([{**GOOD[0], "id": 7}])

    battles = read_battles([with_judge, with_id])

    assert battles.columns == ("battle_id", "model_a", "model_b", "winner", "judge")


def test_nothing_is_read_before_something_is_asked(tmp_path):
    """Opening a log looks at its columns only; what is wrong further down comes later."""
    path = tmp_path / "votes.csv"
    path.write_bytes(b"model_a,model_b,winner\nx,y,tie\nx,y,tie,1,2\n")

    battles = read_battles(path)

    assert battles.columns == ("model_a", "model_b", "winner")
    with pytest.raises(OSError, match=r"votes\.csv"):
        count_pairs(battles)
