"""`arena history` and `arena elo`: what follows the votes in time, by the command line."""

import json
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from logs import EVIL, round_robin, votes, write
from worlds import battles

RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that do something to a terminal, but for the end of a line."""

LEVEL = round_robin("x", "y", "z")
ELO_COLUMNS = ["rank", "model", "elo", "elo_mean", "elo_std", "elo_low", "elo_high"]
ELO_COLUMNS += ["bradley_terry", "bradley_terry_rank"]
HISTORY_COLUMNS = ["start", "end", "rank", "model"]
HISTORY_COLUMNS += ["rating", "rating_lower", "rating_upper", "std_error", "battles"]


def dated(rows, hours=24.0):
    """The rows with a time each, from the beginning of 2024."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        {**row, "tstamp": (start + timedelta(hours=hours * i)).isoformat()}
        for i, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """240 votes on four models in the first three months of 2024."""
    rows = battles(4, 240, seed=1, spread=0.5).to_dicts()
    return write(tmp_path_factory.mktemp("votes") / "votes.csv", dated(rows, 9.0))


@pytest.fixture(scope="module")
def timeless(tmp_path_factory):
    """The same votes without their times."""
    rows = battles(4, 240, seed=1, spread=0.5).to_dicts()
    return write(tmp_path_factory.mktemp("votes") / "timeless.csv", rows)


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Votes that are already counted."""
    row = {"model_a": "x", "model_b": "y", "wins_a": 3, "wins_b": 2, "ties": 1}
    return write(tmp_path_factory.mktemp("votes") / "counts.csv", [row])


def shown_models(out):
    """The models of a table on screen, in their order."""
    return re.findall(r"^ +\d+ +(m\d+|[a-z]+) ", out, flags=re.MULTILINE)


def csv(text):
    """A frame from what was written as CSV."""
    return pl.read_csv(text.encode())


# ── arena history ──────────────────────────────────────────────────────────────────────────


def test_history_shows_the_latest_ratings_and_the_way_there(arena, log):
    """One row per model, the best first; the file's account is a note."""
    result = arena("history", log)

    assert result.code == 0
    assert result.err == f"arena: {log}: plain format, 240 votes\n"
    title = "Bradley-Terry every 1mo, all votes until then; 95% sandwich intervals"
    assert result.out.startswith(title)
    assert "2024-02-01 to 2024-04-01" in result.out
    assert len(shown_models(result.out)) == 4
    assert re.search(r"[▁▂▃▄▅▆▇█]{3}", result.out)


def test_history_as_csv_is_every_board(arena, log):
    """Three months of four models are twelve rows, of all columns."""
    frame = csv(arena("history", log, "--format", "csv", "-q").out)

    assert frame.columns == HISTORY_COLUMNS
    assert frame.height == 12
    assert frame["end"].n_unique() == 3
    assert frame["battles"].max() <= 240


def test_history_as_json_is_every_board(arena, log):
    """The same rows under their name."""
    document = json.loads(arena("history", log, "--format", "json", "-q").out)

    assert list(document) == ["history"]
    assert len(document["history"]) == 12
    assert list(document["history"][0]) == HISTORY_COLUMNS


def test_history_as_markdown_is_the_summary(arena, log):
    """A table for a page: one row per model."""
    out = arena("history", log, "--format", "markdown", "-q").out

    lines = out.splitlines()
    assert lines[0].startswith("Bradley-Terry every 1mo")
    assert len([line for line in lines if line.startswith("|")]) == 6


@pytest.mark.parametrize("command", ["history", "elo"])
@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_quiet_means_nothing_but_the_result(arena, log, command, form):
    """Under --quiet standard error is empty, and standard output is as it was."""
    loud = arena(command, log, "--format", form)

    quiet = arena(command, log, "--format", form, "--quiet")

    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out == loud.out


@pytest.mark.parametrize("command", ["history", "elo"])
def test_every_kind_of_file_holds_the_same_rows(arena, log, tmp_path, command):
    """CSV, JSON, Markdown and Parquet are written at once; Markdown holds what is shown."""
    names = ["t.csv", "t.json", "t.md", "t.parquet"]
    options = [part for name in names for part in ("-o", tmp_path / name)]

    result = arena(command, log, "-q", "--format", "csv", *options)

    assert result.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert (tmp_path / "t.csv").read_text() == result.out
    rows = json.loads((tmp_path / "t.json").read_text())[command]
    parquet = pl.read_parquet(tmp_path / "t.parquet")
    assert [row["model"] for row in rows] == parquet["model"].to_list()
    shown = arena(command, log, "-q", "--format", "markdown")
    assert (tmp_path / "t.md").read_text() == shown.out
    assert csv(result.out)["model"].to_list() == parquet["model"].to_list()


@pytest.mark.parametrize(("top", "n"), [("1", 1), ("3", 3), ("0", 4), (None, 4)])
def test_top_cuts_the_table(arena, log, top, n):
    """The best few of the latest board; 0 for all."""
    options = [] if top is None else ["--top", top]

    table = arena("history", log, "-q", *options)
    markdown = arena("history", log, "-q", "--format", "markdown", *options)

    assert len(shown_models(table.out)) == n
    assert len(markdown.out.splitlines()) == 4 + n


@pytest.mark.parametrize(
    ("every", "periods", "said"),
    [("month", 3, "1mo"), ("quarter", 1, "1q"), ("2w", 7, "2w"), ("week", 13, "1w")],
)
def test_boards_come_as_often_as_asked(arena, log, every, periods, said):
    """90 days are three months, and thirteen weeks."""
    out = arena("history", log, "-q", "--every", every, "--format", "csv").out
    table = arena("history", log, "-q", "--every", every).out

    assert csv(out)["end"].n_unique() == periods
    assert f"Bradley-Terry every {said}, all votes" in table


def test_a_window_forgets(arena, log):
    """With one month behind each board, the battles of the boards add up to the log's."""
    result = arena("history", log, "--window", "1")

    data = arena("history", log, "--window", "1", "--format", "csv", "-q")

    assert "votes of 1 x 1mo" in result.out
    assert csv(data.out)["battles"].sum() == 2 * 240


def test_history_takes_the_options_of_a_board(arena, log):
    """Tie rule, anchor, scale and level reach every board."""
    result = arena(
        *("history", log, "-q", "--format", "csv", "--ties", "davidson", "--anchor", "m001=1200"),
        *("--scale", "200", "--base", "2.5", "--level", "0.5", "--on-separation", "prior"),
    )

    frame = csv(result.out)
    assert frame.filter(pl.col("model") == "m001")["rating"].to_list() == [1200.0] * 3
    half = (frame["rating_upper"] - frame["rating_lower"]) / 2 / frame["std_error"]
    assert half.to_list() == pytest.approx([0.67449] * 12, abs=1e-5)


def test_history_says_who_never_came_back(arena, tmp_path):
    """A model on no latest board is not in the summary, but it is in the data."""
    gone = round_robin("x", "gone")
    path = write(tmp_path / "votes.csv", dated([*gone, *LEVEL, *LEVEL]))

    table = arena("history", path, "--window", "1", "-q")
    data = arena("history", path, "--window", "1", "-q", "--format", "csv")

    assert "gone" not in table.out
    assert "gone" in data.out


# ── arena elo ──────────────────────────────────────────────────────────────────────────────


def test_elo_shows_its_spread_and_bradley_terry_beside_it(arena, log):
    """One row per model by Elo, with what other orders would have made of it."""
    result = arena("elo", log)

    assert result.code == 0
    assert result.err == f"arena: {log}: plain format, 240 votes\n"
    title = "Online Elo, K = 4, 240 battles; spread over 100 random orders"
    assert result.out.startswith(title)
    assert [name for name in ELO_COLUMNS if name not in result.out] == []
    assert len(shown_models(result.out)) == 4


def test_elo_as_csv_and_json_is_the_table(arena, log):
    """The same rows in each form, ordered by rank, with the two ratings around one mean."""
    frame = csv(arena("elo", log, "--format", "csv", "-q").out)
    document = json.loads(arena("elo", log, "--format", "json", "-q").out)

    assert frame.columns == ELO_COLUMNS
    assert frame["rank"].to_list() == [1, 2, 3, 4]
    assert [row["model"] for row in document["elo"]] == frame["model"].to_list()
    assert frame["elo"].mean() == pytest.approx(frame["bradley_terry"].mean())
    assert (frame["elo_low"] <= frame["elo_high"]).all()


def test_elo_as_markdown_is_the_table(arena, log):
    """Four models under a head."""
    out = arena("elo", log, "--format", "markdown", "-q", "--top", "2").out

    assert out.startswith("Online Elo, K = 4")
    assert len(out.splitlines()) == 4 + 2


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_top_cuts_the_table_of_elo(arena, log, form):
    """The best two by Elo."""
    whole, best = (
        arena("elo", log, "-q", "--format", form, *options).out.splitlines()
        for options in ([], ["--top", "2"])
    )

    assert len(whole) - len(best) == 2


@pytest.mark.parametrize("form", ["csv", "json"])
def test_top_cuts_the_data_of_elo(arena, log, tmp_path, form):
    """The best two are two rows on standard output and in the file."""
    result = arena("elo", log, "-q", "--top", "2", "--format", form, "-o", tmp_path / "t.csv")

    assert len(re.findall(r"\bm\d\d\d\b", result.out)) == 2
    assert pl.read_csv(tmp_path / "t.csv").height == 2


def test_a_log_in_the_order_of_its_rows_is_rated_as_it_is(arena, log, timeless):
    """The log happens to be in time, so both ways of saying so agree to the last digit."""
    by_time = csv(arena("elo", log, "-q", "--format", "csv").out)

    as_is = csv(arena("elo", timeless, "-q", "--format", "csv", "--order", "as-is").out)

    assert as_is.equals(by_time)


def test_time_counts_and_not_the_order_of_the_rows(arena, log, tmp_path):
    """A log that was published backwards is read forwards."""
    backwards = tmp_path / "backwards.csv"
    pl.read_csv(log).reverse().write_csv(backwards)

    one, other = (
        csv(arena("elo", path, "-q", "--format", "csv").out).select("model", "elo")
        for path in (log, backwards)
    )

    assert one.equals(other)


def test_a_shuffled_order_is_the_seeds(arena, timeless):
    """The same seed shuffles alike, another one otherwise."""
    first, again, other = (
        csv(arena("elo", timeless, "-q", "--format", "csv", "--order", f"shuffle:{seed}").out)
        for seed in (1, 1, 2)
    )

    assert first.equals(again)
    assert not first.sort("model")["elo"].equals(other.sort("model")["elo"])


def test_a_schedule_of_k_moves_newcomers_more(arena, log):
    """32 for a model's first 30 battles spreads the ratings more than 4 throughout."""
    constant, schedule = (
        csv(arena("elo", log, "-q", "--format", "csv", "--k", k).out) for k in ("4", "32:30,4")
    )
    table = arena("elo", log, "-q", "--k", "32:30,4").out

    assert table.startswith("Online Elo, K = 32:30,4, 240 battles")
    assert schedule["elo"].std() > constant["elo"].std()


def test_a_larger_k_makes_more_of_the_order(arena, log):
    """What the order of the votes decides grows with K."""
    small, large = (
        csv(arena("elo", log, "-q", "--format", "csv", "--k", k).out) for k in ("4", "32")
    )

    assert (large["elo_std"].mean()) > 2 * small["elo_std"].mean()


def test_resampling_adds_to_what_the_order_decides(arena, log):
    """With other votes as well as another order, ratings spread further."""
    orders, resamples = (
        csv(arena("elo", log, "-q", "--format", "csv", *options).out)
        for options in ([], ["--bootstrap"])
    )
    table = arena("elo", log, "-q", "--bootstrap", "--orders", "20").out

    assert "spread over 20 resamples" in table
    assert resamples["elo_std"].mean() > orders["elo_std"].mean()
    assert resamples.sort("model")["elo"].equals(orders.sort("model")["elo"])


@pytest.mark.parametrize("options", [[], ["--bootstrap"]])
def test_the_seed_decides_the_orders(arena, log, options):
    """The same seed gives the same table, another seed another spread of the same ratings."""
    first, again, other = (
        csv(arena("elo", log, "-q", "--format", "csv", "--seed", seed, *options).out)
        for seed in (5, 5, 6)
    )

    assert first.equals(again)
    assert first["elo"].equals(other["elo"])
    assert not first["elo_mean"].equals(other["elo_mean"])


def test_elo_takes_a_scale(arena, log):
    """On half the scale around another mean, with half the K, ratings are half as far apart."""
    usual = csv(arena("elo", log, "-q", "--format", "csv").out)

    other = csv(
        arena(
            *("elo", log, "-q", "--format", "csv"),
            *("--scale", "200", "--init", "500", "--k", "2"),
        ).out
    )

    expected = (500.0 + (usual["elo"] - 1000.0) / 2).to_list()
    assert other["elo"].to_list() == pytest.approx(expected, abs=1e-9)


def test_a_model_without_a_bradley_terry_rating_has_an_elo(arena, tmp_path):
    """An undefeated model has the one and not the other, in every form."""
    path = write(tmp_path / "votes.csv", dated([*LEVEL, *votes("champ x model_a")]))

    table = arena("elo", path, "-q")
    document = json.loads(arena("elo", path, "-q", "--format", "json").out)

    assert table.code == 0
    (champion,) = [row for row in document["elo"] if row["model"] == "champ"]
    assert champion["elo"] > 1000
    assert (champion["bradley_terry"], champion["bradley_terry_rank"]) == (None, None)


def test_elo_needs_no_bradley_terry(arena, tmp_path):
    """Online Elo exists for any log: what stands beside it may be missing."""
    path = write(tmp_path / "votes.csv", dated(votes("x y model_a", "x y model_a")))

    result = arena("elo", path, "-q", "--format", "csv")

    assert result.code == 0
    assert csv(result.out)["model"].to_list() == ["x", "y"]


# ── both ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["history", "elo"])
def test_other_names_for_the_columns_can_be_given(arena, tmp_path, command):
    """A log of any shape can be followed in time."""
    rows = [
        {"left": r["model_a"], "right": r["model_b"], "pick": r["winner"], "when": r["tstamp"]}
        for r in dated([*LEVEL, {"model_a": "x", "model_b": "y", "winner": "equal"}])
    ]
    path = write(tmp_path / "votes.csv", rows)

    result = arena(
        *(command, path, "--columns", "model_a=left,model_b=right"),
        *("--columns", "winner=pick,tstamp=when", "--outcomes", "equal=tie"),
    )

    assert result.code == 0
    assert "25 votes" in result.err
    assert sorted(shown_models(result.out)) == ["x", "y", "z"]


@pytest.mark.parametrize("command", ["history", "elo"])
def test_several_logs_are_one(arena, tmp_path, command):
    """Two files are read together, each with its own account."""
    rows = dated(LEVEL * 2)
    one, two = (
        write(tmp_path / name, part)
        for name, part in (("a.csv", rows[:20]), ("b.jsonl", rows[20:]))
    )
    whole = write(tmp_path / "whole.csv", rows)

    apart, together = arena(command, one, two), arena(command, whole)

    assert apart.out == together.out
    assert len(apart.err.splitlines()) == 2


@pytest.mark.parametrize("command", ["history", "elo"])
def test_rows_that_are_no_votes_are_kept_where_asked(arena, tmp_path, command):
    """They are counted, written to a file with their reason, and fatal under --strict."""
    rows = dated([*LEVEL, *votes("x x tie")])
    path = write(tmp_path / "votes.csv", rows)
    rejected = tmp_path / "rejected.csv"

    lenient = arena(command, path, "--rejected", rejected)
    strict = arena(command, path, "--strict")

    assert lenient.code == 0
    assert "24 of 25 votes" in lenient.err
    assert pl.read_csv(rejected)["reason"].to_list() == ["a model against itself"]
    assert strict.code == 2
    assert "a model against itself: 1" in strict.err


@pytest.mark.parametrize("command", ["history", "elo"])
@pytest.mark.parametrize("form", ["table", "markdown"])
def test_no_escape_from_a_log_reaches_the_terminal(arena, tmp_path, command, form):
    """A hostile name is shown without what a terminal would obey."""
    path = write(tmp_path / "votes.csv", dated(round_robin(EVIL, "y")))

    result = arena(command, path, "--format", form)

    assert result.code == 0
    assert not RAW.search(result.out + result.err)


# ── mistakes ───────────────────────────────────────────────────────────────────────────────

MISTAKES = {
    "sample and file": ("history", "log", ["--sample"], "--sample: reads the shipped log"),
    "no times": ("history", "timeless", [], "no column 'tstamp'"),
    "no order": ("elo", "timeless", [], "--order as-is or --order shuffle:SEED"),
    "counts": ("history", "counts", [], "no column 'tstamp'"),
    "counts for elo": ("elo", "counts", ["--order", "as-is"], "takes battles one by one"),
    "fortnight": ("history", "log", ["--every", "fortnight"], "every: 'fortnight' is no period"),
    "window": ("history", "log", ["--window", "0"], "'--window': 0"),
    "window no number": ("history", "log", ["--window", "many"], "'many'"),
    "anchor": ("history", "log", ["--anchor", "mm01=1000"], "no model 'mm01'"),
    "anchor without =": ("history", "log", ["--anchor", "m001"], "--anchor: 'm001'"),
    "k": ("elo", "log", ["--k", "nonsense"], "k: 'nonsense'"),
    "k of nothing": ("elo", "log", ["--k", "0"], "k: 0"),
    "order": ("elo", "log", ["--order", "sideways"], "order: 'sideways' is not one of"),
    "order seed": ("elo", "log", ["--order", "shuffle:x"], "order: 'shuffle:x'"),
    "orders": ("elo", "log", ["--orders", "1"], "'--orders': 1"),
    "seed": ("elo", "log", ["--seed", "-1"], "'--seed': -1"),
    "elo scale": ("elo", "log", ["--scale", "0"], "scale: 0"),
    "elo base": ("elo", "log", ["--base", "1"], "base: 1"),
    "elo init": ("elo", "log", ["--init", "inf"], "init"),
    "scale": ("history", "log", ["--scale", "0"], "scale: 0"),
    "column": ("history", "log", ["--columns", "tstamp=when"], "no column 'when'"),
    "elo column": ("elo", "log", ["--columns", "tstamp=when"], "no column 'when'"),
    "field": ("history", "log", ["--columns", "time=tstamp"], "'time'"),
    "format": ("history", "log", ["--format", "xml"], "'xml'"),
    "picture": ("history", "log", ["-o", "h.xlsx"], "h.xlsx: the suffix must be one of"),
    "folder": ("elo", "log", ["-o", "nowhere/h.csv"], "no folder 'nowhere'"),
    "option": ("elo", "log", ["--window", "1"], "'--window'"),
    "anchor for elo": ("elo", "log", ["--anchor", "m001=1000"], "'--anchor'"),
}


@pytest.mark.parametrize(
    ("command", "votes_of", "options", "culprit"), MISTAKES.values(), ids=MISTAKES
)
def test_a_mistake_is_one_line_that_names_the_culprit(
    arena, request, command, votes_of, options, culprit
):
    """Exit code 2, one line of error, nothing on standard output, no traceback."""
    files = [] if votes_of is None else [request.getfixturevalue(votes_of)]

    result = arena(command, *files, "--quiet", *options)

    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("arena: ")
    assert culprit in result.err
    assert not RAW.search(result.err)


@pytest.mark.parametrize(
    ("command", "options", "culprit"),
    [
        ("history", ["--window", "0"], "--window"),
        ("history", ["--scale", "0"], "scale"),
        ("history", ["-o", "h.xlsx"], "h.xlsx"),
        ("elo", ["--orders", "1"], "--orders"),
        *(
            pytest.param(
                *mistake,
            )
            for mistake in (
                ("history", ["--every", "fortnight"], "fortnight"),
                ("history", ["--rejected", "r.md"], "r.md"),
                ("elo", ["--k", "nonsense"], "nonsense"),
                ("elo", ["--order", "sideways"], "sideways"),
                ("elo", ["--scale", "0"], "scale"),
            )
        ),
    ],
)
def test_an_option_that_cannot_be_is_found_out_before_reading(
    arena, tmp_path, command, options, culprit
):
    """Nobody waits for an hour to learn of a misspelt period."""
    result = arena(command, tmp_path / "missing.csv", *options)

    assert result.code == 2
    assert culprit in result.err
    assert "missing.csv" not in result.err


@pytest.mark.parametrize("level", ["2", "0", "nan"])
def test_a_level_that_is_none_is_a_mistake(arena, log, level):
    """As it is for `arena rate`."""
    result = arena("history", log, "-q", "--level", level)

    assert (result.code, result.out) == (2, "")
    assert "level" in result.err


def test_days_with_too_few_votes_have_no_board(arena, log):
    """Two or three votes a day put nobody on one scale on most days: the others are shown."""
    result = arena("history", log, "-q", "--every", "day", "--window", "1", "--format", "csv")

    assert result.code == 0
    assert csv(result.out).columns == HISTORY_COLUMNS


@pytest.mark.parametrize("command", ["history", "elo"])
@pytest.mark.parametrize(("n", "said"), [(1, "1"), (3, "3")])
def test_votes_without_a_time_are_counted(arena, tmp_path, command, n, said):
    """How many there are is said, and nothing is rated without them."""
    rows = [{**row, "tstamp": ""} if i < n else row for i, row in enumerate(dated(LEVEL))]
    path = write(tmp_path / "votes.csv", rows)

    result = arena(command, path, "-q")

    assert (result.code, result.out) == (2, "")
    assert re.search(rf"column 'tstamp': {said} .*(no|without a) time", result.err)


@pytest.mark.parametrize("command", ["history", "elo"])
def test_a_mistake_leaves_the_old_file(arena, tmp_path, timeless, command):
    """A log without times does not cost the last good table."""
    table = tmp_path / "table.csv"
    table.write_text("old")

    result = arena(command, timeless, "-o", table)

    assert result.code == 2
    assert table.read_text() == "old"
