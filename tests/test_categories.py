import numpy as np
import polars as pl
import pytest
from worlds import battles as world

from arena.battles import read_battles
from arena.categories import CATEGORIES, FULL, category, rate_categories
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import select
from arena.leaderboard import Scale
from arena.pipeline import rate

TAGS = ("is_code", "is_refusal", "is_math", "is_creative_writing", "is_instruction_following")


@pytest.fixture(scope="module")
def log():
    """Votes with every column that a category needs."""
    frame = world(5, 4_000, seed=3)
    rng = np.random.default_rng(4)
    n = frame.height
    languages = ["English", "Chinese", "French", "German", "Spanish", "Russian", "ja", "Korean"]
    start = np.datetime64("2024-06-01", "us")
    return frame.with_columns(
        *(pl.Series(name, rng.random(n) < 0.3) for name in TAGS),
        turns=pl.Series(rng.integers(1, 4, n)),
        language=pl.Series(np.array(languages)[rng.integers(0, 8, n)]),
        hard_criteria=pl.Series(rng.integers(0, 8, n)),
        user_tokens=pl.Series(rng.choice([2, 10, 800], n)),
        judge=pl.Series([f"judge {i}" for i in rng.integers(0, 50, n)]),
        user_text=pl.Series([f"prompt {i}" for i in rng.zipf(1.5, n)]),
        tstamp=pl.Series(start + rng.integers(0, 86_400_000_000 * 9, n)),
    )


KEPT = {
    "math": pl.col("is_math"),
    "if": pl.col("is_instruction_following"),
    "multiturn": pl.col("turns") > 1,
    "creative_writing": pl.col("is_creative_writing"),
    "coding": pl.col("is_code"),
    "hard_6": pl.col("hard_criteria") > 5,
    "hard_english_6": (pl.col("hard_criteria") > 5) & (pl.col("language") == "English"),
    "long_user": pl.col("user_tokens") > 499,
    "english": pl.col("language") == "English",
    "chinese": pl.col("language") == "Chinese",
    "french": pl.col("language") == "French",
    "german": pl.col("language") == "German",
    "spanish": pl.col("language") == "Spanish",
    "russian": pl.col("language") == "Russian",
    "japanese": pl.col("language") == "ja",
    "korean": pl.col("language") == "Korean",
    "no_tie": pl.col("winner").is_in(["model_a", "model_b"]),
    "no_short": pl.col("user_tokens") > 4,
    "no_refusal": ~pl.col("is_refusal"),
}
WHOLE_LOG = {"dedup", "overall_limit_5_user_vote"}


def test_every_category_is_written_out_here_or_needs_the_whole_log():
    """A new category gets a line in this file."""
    assert set(CATEGORIES) == set(KEPT) | WHOLE_LOG


@pytest.mark.parametrize("key", CATEGORIES)
def test_a_category_s_board_is_that_of_its_battles(log, key):
    """The board is the one of a log that holds only those battles; ratings differ by a shift."""
    battles = read_battles(log)
    if key in KEPT:
        only = log.filter(KEPT[key])
    else:
        only = select(battles, category(key).filter).kept.frame.collect()

    board = rate_categories(battles, [key]).boards[key].frame
    expected = rate(only.select("model_a", "model_b", pl.col("winner").cast(pl.String))).frame

    assert 0 < only.height < log.height
    names = ["rank", "model", "battles", "wins", "ties"]
    assert board.select(names).equals(expected.select(names))
    gap = (board["rating"] - expected["rating"]).to_numpy()
    assert np.ptp(gap) < 1e-6


def test_categories_stand_beside_all_votes(log):
    """Each has its own columns; the mean rating is that of the same models among all votes."""
    told = rate_categories(read_battles(log), ["multiturn", "english", FULL, "multiturn"])

    assert list(told.boards) == [FULL, "multiturn", "english"]
    assert told.frame["model"].to_list() == told.boards[FULL].frame["model"].to_list()
    for key in told.boards:
        assert told.frame[f"rating_{key}"].mean() == pytest.approx(1000)
    whole = rate(log).frame
    assert told.frame["rating_full"].to_list() == pytest.approx(whole["rating"].to_list())


def test_a_model_without_votes_in_a_category_has_no_rating_there(log):
    """And the category's mean is that of the others among all votes."""
    absent = "m003"
    plays = (pl.col("model_a") == absent) | (pl.col("model_b") == absent)
    changed = log.with_columns(turns=pl.when(plays).then(1).otherwise("turns"))

    told = rate_categories(read_battles(changed), ["multiturn"])
    row = told.frame.row(by_predicate=pl.col("model") == absent, named=True)
    others = told.frame.filter(pl.col("model") != absent)

    assert (row["rank_multiturn"], row["rating_multiturn"]) == (None, None)
    assert others["rating_multiturn"].mean() == pytest.approx(others["rating_full"].mean())


def test_an_anchor_holds_in_every_category(log):
    """The anchor has its rating on all boards."""
    scale = Scale(anchor=("m001", 1114.0))

    told = rate_categories(read_battles(log), ["multiturn"], scale=scale)
    row = told.frame.row(by_predicate=pl.col("model") == "m001", named=True)

    assert row["rating_full"] == pytest.approx(1114) == row["rating_multiturn"]


def test_the_published_tag_goes_before_the_rule(log):
    """`dedup` honours dedup_sampled where the log has it."""
    tagged = log.with_columns(dedup_sampled=pl.col("turns") == 1)

    told = rate_categories(read_battles(tagged), ["dedup"])

    assert told.boards["dedup"].fit.counts.n_battles == tagged["dedup_sampled"].sum()


def test_wrong_requests_name_what_there_is(log):
    """An unknown key, a column the log lacks, a category without votes."""
    battles = read_battles(log)
    with pytest.raises(OptionError, match=r"category: no 'maths'; they are full, dedup, math"):
        rate_categories(battles, ["maths"])
    with pytest.raises(
        ColumnError, match=r"no column 'is_code'.*'is_code' needs; these votes have"
    ):
        rate_categories(read_battles(log.drop("is_code")), ["coding"])
    with pytest.raises(NoEstimateError, match=r"'turns >= 2' drops all 4,000 .*turns from 1 to 1"):
        rate_categories(read_battles(log.with_columns(turns=1)), ["multiturn"])
