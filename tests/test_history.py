"""A board per period is the board of that period's votes, and all boards are on one scale."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.history import COLUMNS, period, rate_history
from arena.leaderboard import Scale
from arena.tally import count_pairs
from arena.ties import TIE_RULES

TO_RATING = 400 / np.log(10)
START = datetime(2024, 1, 1, tzinfo=UTC)
LEVEL = [*won("x", "y", 2), *won("y", "x", 2)]


def day(n):
    """The n-th day of 2024, counted from 0."""
    return START + timedelta(days=n)


def dated(rows, *days):
    """A log written out, each vote on its day of 2024."""
    return log(*rows).with_columns(tstamp=pl.Series([day(n) for n in days]))


def world(n_battles=900, days=88, seed=1, **options):
    """A log whose votes are spread evenly over the first months of 2024."""
    frame = battles(6, n_battles, seed=seed, **options)
    hours = np.linspace(0, 24 * days, n_battles)
    return frame.with_columns(tstamp=pl.Series([START + timedelta(hours=h) for h in hours]))


def history(frame, columns=None, **options):
    """The rows of the boards over time."""
    return rate_history(read_battles(frame, columns=columns), **options).frame


def spans(frame):
    """The distinct (start, end), in time."""
    return sorted(set(frame.select("start", "end").iter_rows()))


def rated(frame, end):
    """Model → rating on the board that ends then."""
    return dict(frame.filter(pl.col("end") == end).select("model", "rating").iter_rows())


# ── each board is that of its votes ────────────────────────────────────────────────────────


@pytest.mark.parametrize("prior", [None, 3.0])
@pytest.mark.parametrize("window", [None, 1, 2])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_each_board_is_the_fit_of_its_votes_alone(ties, window, prior):
    """Differences to 1e-6 and errors to 1e-6 of those of a fit that saw no other vote."""
    frame = world()
    options = {"ties": ties}
    if prior is not None:
        options |= {"on_separation": "prior", "prior": prior}

    boards = history(frame, every="month", window=window, **options)

    assert len(spans(boards)) == 3
    for (start, end), board in boards.group_by("start", "end"):
        inside = frame.filter((pl.col("tstamp") >= start) & (pl.col("tstamp") < end))
        fit = fit_bradley_terry(count_pairs(inside.drop("tstamp")), **options)
        board = board.sort("model")
        assert board["model"].to_list() == list(fit.models)
        gaps = board["rating"].to_numpy() - board["rating"].mean()
        np.testing.assert_allclose(gaps, TO_RATING * fit.log_odds, rtol=0, atol=1e-6)
        error = np.sqrt(np.diag(estimate_covariance(fit)))[: len(fit.models)]
        np.testing.assert_allclose(board["std_error"], TO_RATING * error, rtol=0, atol=1e-6)


def test_a_board_says_how_many_battles_it_rests_on():
    """Battles per model add up to twice the votes of the months until then."""
    frame = world()

    boards = history(frame)

    for _, end in spans(boards):
        until = frame.filter(pl.col("tstamp") < end)
        found = boards.filter(pl.col("end") == end)["battles"].sum()
        drawn = 2 * until.height
        assert found == drawn


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_are_as_wide_as_their_level(level):
    """The bounds are the normal quantile times the error, on both sides of the rating."""
    quantile = {0.5: 0.6744897501960817, 0.95: 1.959963984540054}[level]

    boards = history(world(), level=level)

    half = quantile * boards["std_error"]
    np.testing.assert_allclose(boards["rating_upper"] - boards["rating"], half, rtol=1e-12)
    np.testing.assert_allclose(boards["rating"] - boards["rating_lower"], half, rtol=1e-12)


def test_rows_are_in_time_and_by_rank():
    """Each board is a table from the best down, the first board first."""
    boards = history(world(), every="week", window=3)

    assert tuple(boards.columns) == COLUMNS
    assert boards["end"].is_sorted()
    for _, board in boards.group_by("end", maintain_order=True):
        assert board["rating"].is_sorted(descending=True)
        assert board["rank"].to_list() == list(range(1, board.height + 1))


def test_all_votes_together_are_rated_as_anywhere():
    """The fit of the whole log, and the last cumulative board, are those of the log itself."""
    frame = world()
    own = fit_bradley_terry(count_pairs(frame))

    told = rate_history(read_battles(frame))

    last = rated(told.frame, told.frame["end"].max())
    assert told.fit.log_odds.tolist() == pytest.approx(own.log_odds.tolist(), abs=1e-12)
    expected = dict(zip(own.models, (1000 + TO_RATING * own.log_odds).tolist(), strict=True))
    assert last == pytest.approx(expected, abs=1e-6)
    assert (told.every, told.window) == ("1mo", None)


def test_neither_the_order_of_the_rows_nor_their_sources_matter():
    """Shuffled, or split into two logs, the votes give the same boards."""
    frame = world()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    parts = [shuffled.head(300), shuffled.tail(600)]

    one, other = history(frame), history(parts)

    assert one.drop("rating", "rating_lower", "rating_upper", "std_error").equals(
        other.drop("rating", "rating_lower", "rating_upper", "std_error")
    )
    np.testing.assert_allclose(one["rating"], other["rating"], rtol=0, atol=1e-8)


# ── one scale ──────────────────────────────────────────────────────────────────────────────


def test_a_board_has_the_mean_that_all_votes_give_its_models():
    """Weak models that come later do not lift those that were there before."""
    early = world(600, 58, seed=2)
    late = world(600, 29, seed=3).with_columns(
        pl.col("model_a", "model_b").replace({f"m00{i}": f"n00{i}" for i in range(3)}),
        tstamp=pl.col("tstamp") + timedelta(days=60),
    )

    told = rate_history(read_battles(pl.concat([early, late])), window=1)

    overall = dict(zip(told.fit.models, 1000 + TO_RATING * told.fit.log_odds, strict=True))
    assert len(overall) == 9
    for _, board in told.frame.group_by("end"):
        assert board.height == 6
        mean = np.mean([overall[model] for model in board["model"]])
        assert board["rating"].mean() == pytest.approx(mean, abs=1e-6)


def test_an_anchor_stands_still():
    """Every board holds it where it is asked to be, and keeps the differences it had."""
    frame = world()
    free = history(frame, window=1)

    held = history(frame, window=1, scale=Scale(anchor=("m003", 1200.0)))

    assert held.filter(pl.col("model") == "m003")["rating"].to_list() == [1200.0] * 3
    assert held["std_error"].to_list() == pytest.approx(free["std_error"].to_list(), rel=1e-12)
    for _, end in spans(held):
        one, other = rated(free, end), rated(held, end)
        shift = 1200.0 - one["m003"]
        assert other == pytest.approx({m: r + shift for m, r in one.items()}, abs=1e-9)


def test_a_period_that_does_not_rate_the_anchor_is_left_out():
    """February has no vote on z, so there is nothing to hold its board by."""
    z = [*won("x", "z"), *won("z", "x")]
    frame = dated([*LEVEL, *z, *LEVEL, *LEVEL, *z], *range(6), *range(31, 35), *range(61, 67))

    boards = history(frame, window=1, scale=Scale(anchor=("z", 900.0)))

    assert spans(boards) == [(day(0), day(31)), (day(60), day(91))]
    assert boards.filter(pl.col("model") == "z")["rating"].to_list() == [900.0, 900.0]


def test_a_scale_stretches_every_board():
    """Half the points for ten to one, around another mean."""
    frame = world()
    usual = history(frame)

    other = history(frame, scale=Scale(points=200.0, init=500.0))

    expected = 500.0 + (usual["rating"] - 1000.0) / 2
    np.testing.assert_allclose(other["rating"], expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other["std_error"], usual["std_error"] / 2, rtol=1e-12)


# ── who is on a board ──────────────────────────────────────────────────────────────────────


def test_a_model_without_votes_in_a_window_is_absent():
    """One that came in February and went in March is on the board of February."""
    z = [*won("x", "z"), *won("z", "x")]
    frame = dated([*LEVEL, *LEVEL, *z, *LEVEL], *range(4), *range(31, 37), *range(61, 65))

    by_month, so_far = history(frame, window=1), history(frame)

    assert [sorted(rated(by_month, end)) for _, end in spans(by_month)] == [
        ["x", "y"],
        ["x", "y", "z"],
        ["x", "y"],
    ]
    assert [sorted(rated(so_far, end)) for _, end in spans(so_far)] == [
        ["x", "y"],
        ["x", "y", "z"],
        ["x", "y", "z"],
    ]


def test_a_model_that_a_period_leaves_undefeated_is_absent_from_its_board():
    """It only won in January; in February it lost as well."""
    frame = dated(
        [*LEVEL, *won("z", "x"), *LEVEL, *won("z", "x"), *won("x", "z")],
        *range(5),
        *range(31, 37),
    )

    boards = history(frame)

    assert [sorted(rated(boards, end)) for _, end in spans(boards)] == [
        ["x", "y"],
        ["x", "y", "z"],
    ]


@pytest.mark.parametrize("window", [None, 1])
def test_a_period_that_can_rate_nobody_has_no_board(window):
    """One vote in January says nothing; February goes on without it."""
    frame = dated([*won("x", "y"), *LEVEL], 0, *range(31, 35))

    boards = history(frame, window=window)

    assert [end for _, end in spans(boards)] == [day(60)]


@pytest.mark.parametrize("ties", ["rao-kupper", "davidson"])
def test_a_period_without_ties_has_no_board_under_a_tie_model(ties):
    """January saw no tie, so its tie parameter is nowhere; February's board is given."""
    frame = dated([*LEVEL, *LEVEL, *tied("x", "y")], *range(4), *range(31, 36))

    boards = history(frame, window=1, ties=ties)

    assert [end for _, end in spans(boards)] == [day(60)]


def test_a_prior_does_not_rate_who_is_not_there():
    """Of a model without a vote in February nothing is known, least of all exactly."""
    frame = dated([*LEVEL, *tied("x", "z"), *LEVEL], *range(5), *range(31, 35))

    boards = history(frame, window=1, on_separation="prior")

    assert sorted(rated(boards, day(60))) == ["x", "y"]


def test_models_that_all_votes_leave_out_are_on_no_board():
    """A champion is not rated in any month if it is not in the end."""
    frame = dated([*LEVEL, *won("z", "x"), *LEVEL], *range(5), *range(31, 35))

    told = rate_history(read_battles(frame))

    assert [one.model for one in told.fit.left_out] == ["z"]
    assert set(told.frame["model"]) == {"x", "y"}


def test_separation_can_be_an_error():
    """Then it is that of all votes together."""
    frame = dated([*LEVEL, *won("z", "x")], *range(5))

    with pytest.raises(NoEstimateError, match="'z'"):
        history(frame, on_separation="error")


# ── weights ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param(("rating",), id="ratings"),
        pytest.param(
            ("std_error",),
            id="errors",
        ),
        pytest.param(
            ("battles",),
            id="battles",
        ),
    ],
)
def test_weighted_votes_are_rated_as_on_a_board_of_their_own(columns):
    """Weights that are all the same change nothing, neither ratings nor what is known of them."""
    frame = world()
    plain = history(frame)

    weighted = history(frame.with_columns(w=pl.lit(4.0)), columns={"weight": "w"})

    for name in columns:
        np.testing.assert_allclose(weighted[name], plain[name], rtol=0, atol=1e-6)


def test_a_vote_that_left_the_window_is_gone():
    """Votes that weigh 0.1 leave nothing behind, no rounding error that would rate z in March."""
    z = [*won("x", "z"), *won("z", "x")]
    rows = [*LEVEL, *z, *LEVEL, *z, *LEVEL]
    frame = dated(rows, *range(6), *range(31, 37), *range(61, 65)).with_columns(
        w=pl.Series([1.0] * 4 + [0.1] * 2 + [1.0] * 4 + [0.2] * 2 + [1.0] * 4)
    )

    boards = history(frame, columns={"weight": "w"}, window=1)

    assert sorted(rated(boards, day(91))) == ["x", "y"]


# ── periods ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("every", "written"),
    [
        *[("day", "1d"), ("week", "1w"), ("month", "1mo"), ("quarter", "1q"), ("year", "1y")],
        *[("2w", "2w"), ("12h", "12h"), ("3mo", "3mo")],
    ],
)
def test_a_period_is_a_word_or_a_length(every, written):
    """What people say, and what polars writes."""
    assert period(every) == written


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("day", [("2024-02-28", "2024-02-29"), ("2024-02-29", "2024-03-01")]),
        ("week", [("2024-02-26", "2024-03-04")]),
        ("month", [("2024-02-01", "2024-03-01")]),
        ("quarter", [("2024-01-01", "2024-04-01")]),
        ("year", [("2024-01-01", "2025-01-01")]),
    ],
)
def test_periods_start_where_the_calendars_do(every, expected):
    """Weeks on Monday, months on their first, and February of a leap year has 29 days."""
    frame = dated([*LEVEL, *LEVEL], *[58] * 4, *[59] * 4)

    boards = history(frame, every=every, window=1)

    assert [(f"{a:%Y-%m-%d}", f"{b:%Y-%m-%d}") for a, b in spans(boards)] == expected


def test_a_vote_at_midnight_belongs_to_the_day_that_begins():
    """Starts are included and ends are not."""
    just_before = datetime(2024, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    frame = log(*LEVEL, *LEVEL).with_columns(tstamp=pl.Series([just_before] * 4 + [day(31)] * 4))

    boards = history(frame, window=1)

    assert boards.group_by("end").agg(pl.col("battles").max()).sort("end").rows() == [
        (day(31), 4.0),
        (day(60), 4.0),
    ]


@pytest.mark.parametrize("kind", ["zone", "text", "epoch"])
def test_months_are_those_of_utc_wherever_the_log_was_kept(kind):
    """Half past eight in the evening of 31 January in New York is February in London."""
    evening = datetime(2024, 1, 31, 20, 30, tzinfo=timezone(timedelta(hours=-5)))
    column = {
        "zone": pl.Series([evening] * 4).dt.convert_time_zone("America/New_York"),
        "text": pl.Series([evening.isoformat()] * 4),
        "epoch": pl.Series([evening.timestamp()] * 4),
    }[kind]

    boards = history(log(*LEVEL).with_columns(tstamp=column))

    assert spans(boards) == [(day(31), day(60))]
    assert boards.schema["start"] == pl.Datetime("us", "UTC")


def test_a_window_slides():
    """Two months behind each board: January drops out when March comes."""
    frame = dated(LEVEL * 4, *range(4), *range(31, 35), *range(61, 65), *range(91, 95))

    boards = history(frame, window=2)

    assert spans(boards) == [
        (day(0), day(31)),
        (day(0), day(60)),
        (day(31), day(91)),
        (day(60), day(121)),
    ]
    assert boards.filter(pl.col("model") == "x")["battles"].to_list() == [4.0, 8.0, 8.0, 8.0]


def test_a_window_as_long_as_the_log_is_all_votes():
    """Nothing ever drops out of a window of ten months in a log of three."""
    frame = world()

    windowed, all_votes = history(frame, window=10), history(frame)

    assert windowed.equals(all_votes)


def test_a_window_is_so_long_by_the_calendar():
    """After three silent months the last two months are the last two months."""
    frame = dated(LEVEL * 2, *range(4), *range(121, 125))

    boards = history(frame, window=2)

    assert boards.filter(pl.col("model") == "x")["battles"].to_list() == [4.0, 4.0]


def test_a_log_of_one_period_is_one_board():
    """It is the board of the whole log."""
    frame = world(200, 20)
    own = fit_bradley_terry(count_pairs(frame))

    boards = history(frame)

    assert spans(boards) == [(day(0), day(31))]
    assert boards.sort("model")["rating"].to_list() == pytest.approx(
        (1000 + TO_RATING * own.log_odds).tolist(), abs=1e-6
    )


# ── mistakes ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "every", ["fortnight", "0w", "1.5mo", "-1d", "", "1 month", "Month", "1m", "mo"]
)
def test_what_is_no_period_is_quoted(every):
    """The message says what would be one."""
    with pytest.raises(OptionError, match=f"every: '{every}' is no period; say day, week"):
        history(world(60), every=every)


@pytest.mark.parametrize("every", ["10000y", "99999999999y"])
def test_a_period_longer_than_the_calendar_is_refused(every):
    """Nobody means it, but nobody should see a traceback either."""
    with pytest.raises(OptionError, match="every"):
        history(dated(LEVEL, *range(4)), every=every)


@pytest.mark.parametrize("window", [0, -2])
def test_a_window_of_no_periods_is_refused(window):
    """A board of no votes is none."""
    with pytest.raises(OptionError, match=f"window: {window} is not a number of periods"):
        history(world(60), window=window)


@pytest.mark.parametrize("level", [0.0, 1.0, 2.0, -0.5, float("nan")])
def test_a_level_that_is_none_is_refused(level):
    """As it is everywhere else."""
    with pytest.raises(OptionError, match="level"):
        history(world(60), level=level)


def test_an_unknown_anchor_is_named_with_those_that_are_close():
    """A misspelt anchor is not a history without boards."""
    with pytest.raises(OptionError, match="no model 'm04' in these votes; did you mean m004"):
        history(world(60), scale=Scale(anchor=("m04", 1000.0)))


def test_an_anchor_that_cannot_be_rated_is_named_with_the_reason():
    """A champion cannot be held anywhere."""
    frame = dated([*LEVEL, *won("z", "x")], *range(5))

    with pytest.raises(OptionError, match=r"'z' cannot be rated: never lost"):
        history(frame, scale=Scale(anchor=("z", 1000.0)))


def test_a_log_without_times_is_refused():
    """The message names the column it looked for and those there are."""
    with pytest.raises(ColumnError, match=r"no column 'tstamp' .* model_a, model_b, winner"):
        history(battles(4, 100))


def test_counts_have_no_times():
    """They cannot be told apart by month."""
    counts = pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "wins_a": [3], "wins_b": [2]})

    with pytest.raises(ColumnError, match="no column 'tstamp'"):
        history(counts.with_columns(ties=1))


@pytest.mark.parametrize(("n", "said"), [(1, "1 vote without"), (3, "3 votes without")])
def test_votes_without_a_time_are_counted(n, said):
    """They are in no period, and are not passed over in silence."""
    frame = dated(LEVEL * 2, *range(8)).with_columns(
        tstamp=pl.when(pl.int_range(pl.len()) >= n).then("tstamp")
    )

    with pytest.raises(ColumnError, match=f"column 'tstamp': {said} a time"):
        history(frame)
