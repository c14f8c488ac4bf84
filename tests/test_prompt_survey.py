"""A log's own prompts: repeats, freshness, what they are and how that drifts, counted slowly."""

import datetime as dt
import random
import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from arena.battles import read_battles
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import select, where
from arena.near_duplicates import near_duplicate_groups
from arena.prompt_survey import LENGTHS, survey_prompts

MONDAY = dt.datetime(2024, 4, 29, tzinfo=dt.UTC)
"""The first day of a week that ends in another month."""


def asked(prompts, **columns):
    """Battles on these prompts."""
    n = len(prompts)
    sides = {"model_a": ["x"] * n, "model_b": ["y"] * n, "winner": ["tie"] * n}
    return read_battles(
        pl.DataFrame({**sides, "prompt": pl.Series(prompts, dtype=pl.String), **columns})
    )


def at(*days):
    """Times on these days after the Monday, one after another within a day; None for none."""
    times = [
        None if day is None else MONDAY + dt.timedelta(days=day, minutes=i)
        for i, day in enumerate(days)
    ]
    return pl.Series(times, dtype=pl.Datetime("us", "UTC"))


def repeats(battles, **options):
    """Measure → its row, without the measure."""
    return {row[0]: row[1:] for row in survey_prompts(battles, **options).repeats.rows()}


# ── against counting slowly ────────────────────────────────────────────────────────────────

TELLING = {
    "language": ["English", "German", None],
    "turns": [1, 2, 4, 5, 9, None],
    "is_code": [True, False, None],
    "is_math": [False, None],
    "hard_criteria": [0, 3, 7, None],
    "user_tokens": [0, 1, 4, 5, 99, 100, 1_000, 4_000, None],
}
BASE = [" ".join(f"t{i}x{k}" for k in range(8)) for i in range(12)]
PROMPTS = [
    *BASE,
    *(f"{one} please" for one in BASE[:6]),
    *(f"{one} please now" for one in BASE[4:9]),
]
PROMPTS += [BASE[0].upper(), " ".join([*BASE[1].split()[:5], "or", "that"]), "hi", "Hi", "hi!", ""]
PROMPTS += [None] * 2


def random_log(seed, n=150):
    """Rows of a log that tell everything, each at times null; times are not in order."""
    rng = random.Random(seed)
    return [
        {
            "prompt": rng.choice(PROMPTS),
            "judge": rng.choice(["ann", "bob", "cyd", None]),
            "tstamp": rng.choice([None, *(MONDAY + dt.timedelta(hours=7 * k) for k in range(60))]),
            **{name: rng.choice(values) for name, values in TELLING.items()},
        }
        for _ in range(n)
    ]


def battles_of(rows):
    """The battles of such rows."""
    kinds = {"tstamp": pl.Datetime("us", "UTC"), "is_math": pl.Boolean}
    frame = pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)
    columns = frame.to_dict()
    return asked(columns.pop("prompt"), **columns)


def told_of(rows):
    """The rows with a prompt, each with its day, and the prompt and its group as a name."""
    told = [{**row, "day": row["tstamp"] and row["tstamp"].date()} for row in rows]
    told = [row for row in told if row["prompt"] is not None]
    distinct = sorted({row["prompt"] for row in told})
    group = near_duplicate_groups(pl.Series(distinct, dtype=pl.String))
    near = {prompt: distinct[place] for prompt, place in zip(distinct, group, strict=True)}
    return [{**row, "near": near[row["prompt"]]} for row in told]


def again(keys):
    """How many of the keys came before; those with a null in them are not counted."""
    known = [key for key in keys if None not in key]
    return len(known) - len(set(known))


@pytest.mark.parametrize("seed", range(3))
def test_repeats_are_those_counted_one_by_one(seed):
    """Of battles with a prompt, with near duplicates apart and together."""
    rows = random_log(seed)
    told, found = told_of(rows), repeats(battles_of(rows))
    expected = defaultdict(list)
    for key in ("prompt", "near"):
        counts = Counter(row[key] for row in told)
        for measure, n in {
            "with a prompt": len(told),
            "different prompts": len(counts),
            "on a prompt asked more than once": sum(n for n in counts.values() if n > 1),
            "that repeat an earlier one": sum(n - 1 for n in counts.values()),
            "... of the same judge": again([(row[key], row["judge"]) for row in told]),
            "... of the same judge on the same day": again(
                [(row[key], row["judge"], row["day"]) for row in told]
            ),
        }.items():
            expected[measure] += [n, n / len(told)]

    assert found == {measure: pytest.approx(figures) for measure, figures in expected.items()}
    n, _, n_near, _ = found["different prompts"]
    assert len(BASE) < n_near < n < len(told)


@pytest.mark.parametrize("seed", range(3))
def test_freshness_is_that_counted_one_by_one(seed):
    """Of each day and week: the share of battles whose prompt no earlier day had."""
    rows = random_log(seed)
    told = [row for row in told_of(rows) if row["day"]]
    expected = []
    for every, start_of in {
        "day": lambda day: day,
        "week": lambda day: day - dt.timedelta(days=day.weekday()),
    }.items():
        spans = defaultdict(list)
        for row in told:
            spans[start_of(row["day"])].append(row)
        for start, here in sorted(spans.items()):
            shares = [
                np.mean(
                    [
                        not any(o[key] == row[key] and o["day"] < row["day"] for o in told)
                        for row in here
                    ]
                )
                for key in ("prompt", "near")
            ]
            expected.append((every, start, len(here), *shares))

    survey = survey_prompts(battles_of(rows))

    assert survey.freshness.rows() == [pytest.approx(row) for row in expected]
    assert (survey.n_battles, survey.n_without) == (
        len(told_of(rows)),
        len(rows) - len(told_of(rows)),
    )


def length_of(row):
    """The range that a row's length is in, by words where tokens are not told."""
    tokens = row["user_tokens"]
    if tokens is None:
        tokens = len(re.findall(r"\w+|[^\w\s]", row["prompt"]))
    if tokens < LENGTHS[0]:
        return "0"
    for low, high in pairwise(LENGTHS):
        if low <= tokens < high:
            return f"{low} to {high - 1}"
    return f"{LENGTHS[-1]} or more"


def said_of(row):
    """Kind → what a row says of it, as the survey spells it."""
    turns = row["turns"]
    said = {"language": row["language"], "length": length_of(row)}
    said["turns"] = "5 or more" if (turns or 0) >= 5 else turns and str(turns)
    for name in ("is_code", "is_math", "hard_criteria"):
        said[name] = None if row[name] is None else str(row[name]).lower()
    return said


@pytest.mark.parametrize("seed", range(3))
def test_the_distribution_is_that_counted_one_by_one(seed):
    """Nulls are a value of their own, so that shares of each kind make up one."""
    rows = random_log(seed)
    told = told_of(rows)
    table = survey_prompts(battles_of(rows)).distribution

    for kind in ("language", "turns", "length", "is_code", "is_math", "hard_criteria"):
        counts = Counter(said_of(row)[kind] for row in told)
        part = table.filter(pl.col("kind") == kind)
        assert dict(part.select("value", "battles").rows()) == dict(counts)
        assert part["share"].to_list() == pytest.approx([n / len(told) for n in part["battles"]])
        assert part["battles"].is_sorted(descending=True)
    assert list(table["kind"].unique(maintain_order=True)) == [
        *("language", "turns", "length", "is_code", "is_math", "hard_criteria")
    ]


@pytest.mark.parametrize("every", ["week", "month", "2d"])
def test_drift_is_half_the_sum_of_differences_of_shares(every):
    """Of each period's shares from those of all battles with a prompt, dated or not."""
    rows = random_log(4)
    told = told_of(rows)
    drift = survey_prompts(battles_of(rows), every=every).drift
    starts = {
        "week": lambda day: day - dt.timedelta(days=day.weekday()),
        "month": lambda day: day.replace(day=1),
        "2d": lambda day: dt.date.fromordinal(day.toordinal() - (day.toordinal() - EPOCH) % 2),
    }[every]
    expected = {}
    for kind in said_of(told[0]):
        whole = Counter(said_of(row)[kind] for row in told)
        spans = defaultdict(Counter)
        for row in told:
            if row["day"]:
                spans[starts(row["day"])][said_of(row)[kind]] += 1
        for start, there in spans.items():
            n = there.total()
            gaps = [abs(there[value] / n - m / len(told)) for value, m in whole.items()]
            expected[kind, start] = (n, pytest.approx(sum(gaps) / 2))

    found = {(kind, start.date()): (n, gap) for kind, start, n, gap, _ in drift.rows()}
    assert found == expected
    assert drift["distance"].max() > 0.15


EPOCH = dt.date(1970, 1, 1).toordinal()


# ── by hand ────────────────────────────────────────────────────────────────────────────────

SEA = "Write a short poem about the sea"


def test_near_duplicates_count_as_one_prompt():
    """Another spelling of all words and one word more; short prompts only to the letter."""
    battles = asked([SEA, f"{SEA} please", SEA.upper(), "hello", "Hello", "hello!", SEA])

    found = repeats(battles)

    assert found["different prompts"] == (6, 6 / 7, 3, 3 / 7)
    assert found["that repeat an earlier one"] == (1, 1 / 7, 4, 4 / 7)
    assert found["on a prompt asked more than once"] == (2, 2 / 7, 6, 6 / 7)
    assert "... of the same judge" not in found
    assert repeats(battles, jaccard=0.9)["different prompts"][2] == 4


def test_a_prompt_is_fresh_all_through_its_first_day():
    """A repeat on the same day is fresh, one on a later day of the week is not, nor next week."""
    battles = asked(["a", "a", "a", "b", "a", "c", None], tstamp=at(0, 0, 3, 3, 7, 7, 7))

    table = survey_prompts(battles).freshness

    day = MONDAY.date()
    days = [day, day + dt.timedelta(days=3), day + dt.timedelta(days=7)]
    assert table.select("every", "start", "battles", "fresh").rows() == [
        ("day", days[0], 2, 1.0),
        ("day", days[1], 2, 0.5),
        ("day", days[2], 2, 0.5),
        ("week", days[0], 4, 0.75),
        ("week", days[2], 2, 0.5),
    ]


def test_a_near_duplicate_is_not_fresh():
    """What was asked in other words the day before is fresh only to the letter."""
    battles = asked([f"{SEA} please", SEA], tstamp=at(1, 0))

    first, second = survey_prompts(battles).freshness.filter(pl.col("every") == "day").rows()

    assert first[2:] == (1, 1.0, 1.0)
    assert second[2:] == (1, 1.0, 0.0)


def test_the_commonest_prompts_with_judges_and_days():
    """Near duplicates together, in the spelling that is commonest; once is not repeated."""
    battles = asked(
        [SEA, f"{SEA} please", f"{SEA} please", "hi", "hi", "once", "hi"],
        judge=["ann", "bob", "ann", "ann", "ann", "ann", "ann"],
        tstamp=at(0, 0, 1, 2, 3, 4, 3),
    )

    table = survey_prompts(battles).repeated

    assert table.columns == ["prompt", "battles", "spellings", "judges", "days"]
    assert table.rows() == [(f"{SEA} please", 3, 2, 2, 2), ("hi", 3, 1, 1, 2)]
    assert survey_prompts(battles, top=1).repeated.height == 1


def test_votes_without_a_judge_or_a_time_are_no_judge_and_no_day():
    """One judge on one day, and two votes that do not tell."""
    battles = asked(["hi"] * 3, judge=["ann", None, None], tstamp=at(0, None, None))

    assert survey_prompts(battles).repeated.rows() == [("hi", 3, 1, 1, 1)]


def test_only_battles_that_count_are_surveyed():
    """Rejected votes and those that a filter drops are not there."""
    frame = pl.DataFrame(
        {
            "model_a": ["x", "x", "x", "y"],
            "model_b": ["y", "x", "y", "x"],
            "winner": ["tie", "tie", "tie", None],
            "prompt": ["one", "two", "three", "four"],
        }
    )
    battles = read_battles(frame)
    part = select(battles, where("not three", pl.col("prompt") != "three")).kept

    assert survey_prompts(battles).n_battles == 2
    assert survey_prompts(part).n_battles == 1


# ── drift by chance ────────────────────────────────────────────────────────────────────────


def test_drift_by_chance_is_what_random_parts_of_a_log_show():
    """The mean distance of random days, of few battles and of most, is within a tenth of it."""
    rng, sizes = np.random.default_rng(7), (150, 350, 1_000)
    n = sum(sizes)
    kinds = {
        "turns": rng.choice([1, 2, 3, 4, 5], n, p=[0.3, 0.2, 0.2, 0.2, 0.1]),
        "hard_criteria": rng.integers(0, 8, n),
    }
    prompts, days = [f"prompt {i % 20}" for i in range(n)], np.repeat(range(3), sizes)
    sums = defaultdict(list)

    for _ in range(60):
        start = np.datetime64(MONDAY.date(), "us")
        times = pl.Series(start + rng.permutation(days) * np.timedelta64(1, "D"))
        drift = survey_prompts(asked(prompts, tstamp=times, **kinds), every="day").drift
        for kind, day, size, distance, by_chance in drift.rows():
            assert size == sizes[(day - MONDAY).days]
            sums[kind, size].append((distance, by_chance))

    assert len(sums) == 3 * 3
    for (kind, _), pairs in sums.items():
        distance, by_chance = np.mean(pairs, axis=0)
        assert np.ptp([one for _, one in pairs]) < 1e-12
        assert distance == pytest.approx(by_chance, rel=0.1)
        assert (distance > 0) == (kind != "length")


def test_a_period_that_is_the_whole_log_has_no_drift():
    """Neither in fact nor by chance; one of two battles is half of the log away, in fact."""
    battles = asked(["a", "c"], language=["en", "de"], tstamp=at(0, 1))
    (month, week, day) = (
        survey_prompts(battles, every=every).drift.filter(pl.col("kind") == "language")
        for every in ("2w", "week", "day")
    )

    for whole in (month, week):
        assert whole.select("battles", "distance", "by_chance").rows() == [(2, 0.0, 0.0)]
    assert day.select("battles", "distance").rows() == [(1, 0.5), (1, 0.5)]


def test_periods_shorter_than_a_day_can_be_told_apart():
    """Each period is one row per kind, with a start of its own."""
    times = [MONDAY + dt.timedelta(hours=hour) for hour in (1, 9, 17)]
    drift = survey_prompts(asked(["a", "b", "c"], tstamp=times), every="8h").drift

    assert drift["start"].n_unique() == drift.height == 3


# ── logs that tell less ────────────────────────────────────────────────────────────────────


def test_a_log_without_times_and_judges_has_the_tables_without_them():
    """Freshness and drift are empty, and have their columns all the same."""
    bare, full = asked(["a", "a", "b"]), asked(["a"], judge=["ann"], tstamp=at(0))
    less, more = survey_prompts(bare), survey_prompts(full)

    assert less.freshness.is_empty()
    assert less.drift.is_empty()
    assert less.freshness.schema == more.freshness.schema
    assert less.drift.schema == more.drift.schema
    assert less.repeated.rows() == [("a", 2, 1)]
    assert less.repeats.height == 4
    assert less.distribution.rows() == [("length", "1 to 4", 3, 1.0)]
    assert more.repeated.columns == ["prompt", "battles", "spellings", "judges", "days"]
    assert more.repeated.is_empty()


def test_a_log_whose_times_are_all_missing_is_like_one_without():
    """The columns are there, and nothing is in them."""
    battles = asked(
        ["a", "a"], judge=pl.Series([None, None], dtype=pl.String), tstamp=at(None, None)
    )
    survey = survey_prompts(battles)

    assert survey.freshness.is_empty()
    assert survey.drift.is_empty()
    assert repeats(battles)["... of the same judge"] == (0, 0.0, 0, 0.0)


def test_mistakes_are_named():
    """No column, no prompt, no period, no Jaccard."""
    log = asked(["a"])
    bare = read_battles(pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["tie"]}))

    with pytest.raises(
        ColumnError, match=r"no column 'prompt' to survey; these votes have model_a"
    ):
        survey_prompts(bare)
    with pytest.raises(NoEstimateError, match=r"column 'prompt': no battle has one"):
        survey_prompts(asked([None]))
    with pytest.raises(OptionError, match=r"every: 'fortnight' is no period"):
        survey_prompts(log, every="fortnight")
    with pytest.raises(OptionError, match=r"jaccard: 0 is not above 0"):
        survey_prompts(log, jaccard=0)
