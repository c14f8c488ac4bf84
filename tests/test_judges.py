"""How often a judge counts, and what speaks against one: by the definitions, written out."""

import datetime as dt
import functools
import math
from collections import Counter, defaultdict

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import battles

from arena.anomalous_judges import judge_evidence
from arena.battles import read_battles
from arena.errors import ColumnError, LabelError, OptionError
from arena.filters import select, where
from arena.judges import daily_cap, drop_anomalous_judges, min_votes

START = dt.datetime(2024, 5, 1, 22, 0, tzinfo=dt.UTC)
RULES = ("fisher", "e-value")


def cast(*rows, **columns):
    """A log written out: (judge, model_a, model_b, winner), numbered in `battle_id`."""
    names = ["judge", "model_a", "model_b", "winner"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    numbers = [str(i) for i in range(len(rows))]
    return frame.with_columns(battle_id=pl.Series(numbers, dtype=pl.String), **columns)


def times(minutes):
    """A column of times, so many minutes after the start; None for none."""
    found = [None if m is None else START + dt.timedelta(minutes=m) for m in minutes]
    return pl.Series(found, dtype=pl.Datetime("us", "UTC"))


def kept(frame, *filters):
    """The numbers of the rows that filters keep."""
    rows = select(read_battles(frame), *filters).kept.frame.select("battle_id").collect()
    return sorted(int(number) for number in rows["battle_id"])


def panel(n_judges=12, n_votes=400, seed=0, **world):
    """A log in which judges vote alike, at times that are not the log's order; some are nobody."""
    rng = np.random.default_rng(seed)
    judge = rng.choice(n_judges, n_votes, p=rng.dirichlet(np.full(n_judges, 1.0)))
    names = [f"judge {k}" if k else None for k in judge]
    return battles(5, n_votes, seed=seed, **world).with_columns(
        battle_id=pl.Series([str(i) for i in range(n_votes)]),
        judge=pl.Series(names, dtype=pl.String),
        tstamp=times(rng.integers(0, 5_000, n_votes).tolist()),
    )


@functools.cache
def lopsided(n_judges=300, n_votes=24_000):
    """Judges who all vote alike, on models far apart; "aaa" is by far the weakest of them."""
    rng = np.random.default_rng(0)
    strength = np.array([-3.5, -1.0, 0.0, 0.5, 2.0, 0.5])
    left = rng.integers(6, size=n_votes)
    right = (left + rng.integers(1, 6, size=n_votes)) % 6
    wins = rng.random(n_votes) < 1 / (1 + np.exp(strength[right] - strength[left]))
    ties = rng.random(n_votes) < 0.1
    names = pl.Series(["aaa", "b", "c", "d", "e", "f"])
    judges = pl.Series([f"judge {k}" for k in range(n_judges)])
    return pl.DataFrame(
        {
            "model_a": names.gather(left),
            "model_b": names.gather(right),
            "winner": pl.Series(["model_b", "model_a", "tie"]).gather(np.where(ties, 2, wins)),
            "judge": judges.gather(rng.integers(n_judges, size=n_votes)),
        }
    )


def joined_by(frame, judge, winner, n=100):
    """The log with one judge more, who votes on some of its battles with "aaa"."""
    with_it = frame.filter((pl.col("model_a") == "aaa") | (pl.col("model_b") == "aaa"))
    return pl.concat([frame, with_it.sample(n, seed=1).with_columns(judge=judge, winner=winner)])


FAN = pl.when(pl.col("model_a") == "aaa").then(pl.lit("model_a")).otherwise(pl.lit("model_b"))
COIN = pl.Series(["model_a", "model_b"]).sample(100, with_replacement=True, seed=0)


# ── so many votes a day ────────────────────────────────────────────────────────────────────


@given(
    rows=st.lists(
        st.tuples(st.sampled_from([None, "j", "k"]), st.one_of(st.none(), st.integers(0, 300))),
        min_size=1,
        max_size=40,
    ),
    most=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_the_first_votes_of_a_judges_day_are_kept(rows, most):
    """Against a loop in time over days of UTC; votes of nobody stay, those without a time go."""
    frame = cast(*[(judge, "x", "y", "tie") for judge, _ in rows])
    frame = frame.with_columns(tstamp=times([minute for _, minute in rows]))

    seen, expected = Counter(), [i for i, (judge, _) in enumerate(rows) if judge is None]
    order = [i for i, (judge, minute) in enumerate(rows) if None not in (judge, minute)]
    for i in sorted(order, key=lambda i: rows[i][1]):
        judge, minute = rows[i]
        day = judge, (START + dt.timedelta(minutes=minute)).date()
        seen[day] += 1
        if seen[day] <= most:
            expected.append(i)
    assert kept(frame, daily_cap(most)) == sorted(expected)


def test_a_day_ends_at_midnight_utc():
    """Whatever the clock of the log's own time zone says."""
    local = dt.timezone(dt.timedelta(hours=-7))
    moments = [dt.datetime(2024, 5, 1, 16, minute, tzinfo=local) for minute in (58, 59)]
    moments += [dt.datetime(2024, 5, 1, 17, minute, tzinfo=local) for minute in (0, 1)]
    frame = cast(*[("j", "x", "y", "tie")] * 4, tstamp=pl.Series(moments))

    assert kept(frame, daily_cap(1)) == [0, 2]


def test_a_vote_of_a_judge_at_no_time_is_unknown():
    """It is dropped by the cap and by its opposite, and the funnel counts it."""
    frame = cast(*[("j", "x", "y", "tie")] * 3, (None, "x", "y", "tie"))
    frame = frame.with_columns(tstamp=times([0, 1, None, None]))

    assert kept(frame, daily_cap(1)) == [0, 3]
    assert kept(frame, ~daily_cap(1)) == [1]
    funnel = select(read_battles(frame), daily_cap(1)).funnel
    assert funnel.rows() == [("at most 1 vote per judge and day", 4, 2, 1, 2)]


def test_the_cap_counts_the_votes_that_are_left():
    """A vote filtered out before, or one that does not count, takes nobody's place."""
    frame = cast(
        ("j", "x", "y", None),
        ("j", "x", "y", "model_a"),
        ("j", "x", "y", "tie"),
        ("j", "x", "y", "tie"),
    ).with_columns(tstamp=times([0, 1, 2, 3]))

    assert kept(frame, where("ties", pl.col("winner") == "tie"), daily_cap(1)) == [2]


def test_judges_can_be_told_apart_by_any_column():
    """A log without judges has sessions."""
    frame = cast(*[(None, "x", "y", "tie")] * 4, session=pl.Series(["s", "s", "t", None]))
    frame = frame.drop("judge").with_columns(tstamp=times([0, 1, 2, None]))

    assert kept(frame, daily_cap(1, "session")) == [0, 2, 3]
    assert kept(frame, min_votes(2, "session")) == [0, 1]


# ── judges of few votes ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_judges_of_few_votes_are_dropped(beyond):
    """Against a counter; at exactly so many votes a judge stays."""
    frame = panel()
    votes = Counter(frame["judge"].drop_nulls())
    at_least = sorted(votes.values())[5] + beyond

    expected = [i for i, judge in enumerate(frame["judge"]) if judge and votes[judge] >= at_least]
    assert kept(frame, min_votes(at_least)) == expected


def test_whether_nobody_votes_often_is_unknown():
    """A vote without a judge is dropped either way, and the funnel says how many."""
    frame = cast(*[("j", "x", "y", "tie")] * 3, ("k", "x", "y", "tie"), (None, "x", "y", "tie"))

    assert kept(frame, min_votes(2)) == [0, 1, 2]
    assert kept(frame, ~min_votes(2)) == [3]
    assert select(read_battles(frame), min_votes(2)).funnel.row(0)[1:] == (5, 2, 1, 3)


def test_a_judges_votes_are_those_that_are_left():
    """Counted after the filters before, and rows of several votes are as many."""
    frame = cast(("j", "x", "y", "model_a"), *[("j", "x", "y", "tie"), ("k", "x", "y", "tie")])
    frame = frame.with_columns(n=pl.Series([1, 1, 2]))
    ties = where("ties", pl.col("winner") == "tie")

    assert kept(frame, min_votes(2)) == [0, 1]
    assert kept(frame, ties, min_votes(2)) == []
    counted = select(read_battles(frame, columns={"votes": "n"}), ties, min_votes(2)).kept
    assert counted.frame.select("battle_id").collect()["battle_id"].to_list() == ["2"]


# ── what speaks against a judge ────────────────────────────────────────────────────────────


def rated(row):
    """A vote's pair, and its rating of the alphabetically first model."""
    first = min(row["model_a"], row["model_b"])
    pair = (first, max(row["model_a"], row["model_b"]))
    if row["winner"] in ("tie", "both_bad"):
        return pair, 0.5
    return pair, float(row[row["winner"]] == first)


def p_values_slowly(frame):
    """Judge → (p with ≥, p with ≤) of each vote in time, votes without a time last."""
    rows = frame.to_dicts()
    if "tstamp" in frame.columns:
        late = START + dt.timedelta(days=999)
        rows = sorted(rows, key=lambda row: row["tstamp"] or late)
    votes = [(row["judge"], *rated(row)) for row in rows]
    found = defaultdict(list)
    for judge, pair, mine in votes:
        if judge is None:
            continue
        ratings = [h for other, on, h in votes if on == pair and other != judge]
        upper = (1 + sum(h >= mine for h in ratings)) / (len(ratings) + 1)
        lower = (1 + sum(h <= mine for h in ratings)) / (len(ratings) + 1)
        found[judge].append((upper, lower))
    return found


def chi_square_beyond(x, degrees):
    """P(χ² ≥ x) for an even number of degrees: that a Poisson variable stays below half of it."""
    return math.fsum(
        math.exp(-x / 2 + k * math.log(x / 2) - math.lgamma(k + 1)) if x else float(k == 0)
        for k in range(degrees // 2)
    )


def looks_slowly(n, *, seed, most):
    """The five numbers up to n that come first in a random order of 1 to `most`."""
    turn = 1 + np.random.default_rng(seed).permutation(most)
    return sorted([int(j) for j in turn if j <= n][:5])


def fisher_slowly(p, tails, *, alpha, seed, most):
    """(tail, j) → (M_j, whether it is beyond its bound, its chance); and the adjusted p-value."""
    looks = looks_slowly(min(len(p), most), seed=seed, most=most)
    found = {}
    for t, tail in enumerate(tails):
        for j in looks:
            statistic = -2 * sum(math.log(both[t]) for both in p[:j])
            chance = chi_square_beyond(statistic, 2 * j)
            beyond = chance <= alpha / len(looks) / len(tails)
            found[tail, j] = statistic, beyond, chance
    smallest = min(chance for _, _, chance in found.values())
    return found, min(1.0, smallest * len(looks) * len(tails))


def e_values_slowly(p, tails, *, alpha, most):
    """(tail, j) → (product, whether it is beyond its bound, 1 / product); and the last, averaged."""
    found, last = {}, []
    for t, tail in enumerate(tails):
        product = 1.0
        for j, both in enumerate(p[:most], 1):
            product *= 0.5 * both[t] ** -0.5
            found[tail, j] = product, product >= len(tails) / alpha, 1 / product
        last.append(product)
    return found, sum(last) / len(last)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("tails", ["both", "upper"])
@pytest.mark.parametrize("rule", RULES)
def test_the_evidence_is_its_definition(rule, tails, seed):
    """Every number of every judge against loops over votes; the log is not in order of time."""
    rng = np.random.default_rng(seed)
    frame = joined_by(lopsided(15, 500), pl.lit("odd"), FAN, n=40)
    frame = frame.with_columns(
        judge=pl.col("judge").replace({"judge 0": None}),
        tstamp=times([m or None for m in rng.integers(0, 40, frame.height).tolist()]),
    )
    options = {"alpha": 0.3, "most": 30}

    found = judge_evidence(
        read_battles(frame), rule=rule, tails=tails, seed=seed, at_least=15, **options
    )

    p_values, sides = p_values_slowly(frame), ("upper", "lower")[: 1 + (tails == "both")]
    assert set(found.frame["judge"]) == {j for j, p in p_values.items() if len(p) >= 15}
    assert found.too_short == len(p_values) - found.frame.height
    for row in found.frame.iter_rows(named=True):
        p = p_values[row["judge"]]
        if rule == "fisher":
            by_look, summary = fisher_slowly(p, sides, seed=seed, **options)
        else:
            by_look, summary = e_values_slowly(p, sides, **options)
        statistic, _, chance = by_look[row["tail"], row["checkpoint"]]
        assert (row["votes"], row["votes_tested"]) == (len(p), min(len(p), 30))
        assert row["statistic"] == pytest.approx(statistic, rel=1e-9)
        assert chance == pytest.approx(min(c for _, _, c in by_look.values()), rel=1e-9)
        assert row["p_value" if rule == "fisher" else "e_value"] == pytest.approx(summary, rel=1e-9)
        assert row["flagged"] == any(beyond for _, beyond, _ in by_look.values())
    assert 0 < found.frame["flagged"].sum() < found.frame.height


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([None, "j", "k", "l"]),
            st.sampled_from([("a", "b"), ("b", "a"), ("b", "c"), ("漢", "a")]),
            st.sampled_from(["model_a", "model_b", "tie", "both_bad"]),
        ),
        min_size=1,
        max_size=30,
    ),
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_the_evidence_of_small_logs_is_its_definition(rows, seed):
    """Pairs that nobody else voted on, judges of one vote, and logs of nobody's votes."""
    frame = cast(*[(judge, *pair, winner) for judge, pair, winner in rows])

    found = judge_evidence(read_battles(frame), seed=seed, most=4, at_least=1).frame

    p_values = p_values_slowly(frame)
    assert set(found["judge"]) == set(p_values)
    for judge, p_value in found.select("judge", "p_value").rows():
        slowly = fisher_slowly(p_values[judge], ("upper", "lower"), alpha=0.05, seed=seed, most=4)
        assert p_value == pytest.approx(slowly[1], rel=1e-9)


def crowd(wins, losses, *judge_votes):
    """So many wins and losses of a over b, each by somebody else; then votes of judge "j"."""
    others = [("model_a", i) for i in range(wins)] + [("model_b", i) for i in range(losses)]
    rows = [(f"{winner} {i}", "a", "b", winner) for winner, i in others]
    return cast(*rows, *[("j", "a", "b", winner) for winner in judge_votes])


def test_votes_that_few_others_agree_with_by_hand():
    """One of nine others says so: p = 2/10 each, e = √5 / 2, M = 2 j log 5."""
    frame = crowd(1, 8, *["model_a"] * 6)

    fisher = judge_evidence(read_battles(frame)).frame.row(0, named=True)
    e_value = judge_evidence(read_battles(frame), rule="e-value").frame.row(0, named=True)

    assert (fisher["tail"], fisher["votes_tested"]) == ("upper", 6)
    assert fisher["statistic"] == pytest.approx(2 * fisher["checkpoint"] * math.log(5))
    assert e_value["statistic"] == pytest.approx((math.sqrt(5) / 2) ** 6)
    assert e_value["checkpoint"] == 6
    assert e_value["e_value"] == pytest.approx(((math.sqrt(5) / 2) ** 6 + 0.5**6) / 2)


@pytest.mark.parametrize(("alpha", "flags"), [(0.45, [False, False]), (0.55, [False, True])])
def test_each_of_two_tails_has_half_of_alpha(alpha, flags):
    """Six such votes have a product of (√5 / 2)⁶ = 1.95, which reaches 1 / 0.55 and not 2 / 0.55."""
    frame = crowd(1, 8, *["model_a"] * 6)

    found = [
        judge_evidence(read_battles(frame), rule="e-value", alpha=alpha, tails=tails).frame
        for tails in ("both", "upper")
    ]

    assert [one["flagged"].item() for one in found] == flags


def test_the_lower_tail_is_the_upper_one_of_swapped_winners():
    """Too few wins of the alphabetically first model, as against too many."""
    many, few = crowd(1, 8, *["model_a"] * 6), crowd(8, 1, *["model_b"] * 6)

    one, two = (judge_evidence(read_battles(frame)).frame for frame in (many, few))

    assert two["tail"].to_list() == ["lower"]
    assert one.drop("tail").equals(two.drop("tail"))
    assert judge_evidence(read_battles(few), tails="upper").frame["p_value"].to_list() == [1.0]


def test_a_judge_is_not_compared_with_himself():
    """However often he repeats himself, the others' votes are what they are."""
    few, many = (crowd(1, 30, *["model_a"] * n) for n in (5, 400))

    early, late = (
        judge_evidence(read_battles(frame), rule="e-value", most=5).frame for frame in (few, many)
    )

    assert early.drop("votes").equals(late.drop("votes"))


@pytest.mark.parametrize("rule", RULES)
def test_where_nobody_else_voted_nothing_speaks_against_a_judge(rule):
    """Each p is one: Fisher's statistic stays zero, and the product of e-values falls."""
    frame = cast(*[("j", "a", "b", "model_a")] * 9, ("k", "a", "c", "tie"))

    row = judge_evidence(read_battles(frame), rule=rule).frame.row(0, named=True)

    if rule == "fisher":
        assert (row["statistic"], row["p_value"]) == (0.0, 1.0)
    else:
        assert (row["statistic"], row["checkpoint"]) == (0.5, 1)
        assert row["e_value"] == pytest.approx(0.5**9)
    assert not row["flagged"]
    assert not row["flagged_fdr"]


def test_ties_and_both_bad_are_one_rating():
    """A judge who says both are bad where all others say tie agrees with them."""
    others = [(f"{i}", "a", "b", "tie") for i in range(50)]
    frame = cast(*others, *[("j", "b", "a", "both_bad")] * 20)

    assert judge_evidence(read_battles(frame)).frame["statistic"].to_list() == [0.0]


def test_votes_of_nobody_are_among_the_others():
    """Also those that were counted before, each as often as it was cast."""
    rows = [("j", "a", "b", "model_a")] * 6
    named, nobody = (
        cast(*[(judge, "a", "b", "model_b")] * 8, ("one", "a", "b", "model_a"), *rows)
        for judge in ("z", None)
    )
    counts = pl.DataFrame(
        {"model_a": ["b"], "model_b": ["a"], "wins_a": [8], "wins_b": [1], "ties": [0]}
    )

    found = [
        judge_evidence(read_battles(votes)).frame.filter(judge="j")
        for votes in (named, nobody, [cast(*rows), counts])
    ]

    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


def test_only_the_first_votes_of_a_judge_are_tested():
    """In time: who votes like the others 20 times is not asked what he does then."""
    votes = ["model_a"] * 60 + ["model_b"] * 20
    frame = crowd(1, 60, *votes)
    minutes = [0] * 61 + [100] * 60 + [50] * 20

    def found(columns, most):
        board = judge_evidence(read_battles(frame.with_columns(**columns)), most=most)
        return board.frame.filter(judge="j").row(0, named=True)

    assert not found({"tstamp": times(minutes)}, 20)["flagged"]
    assert found({"tstamp": times(minutes)}, 80)["flagged"]
    assert found({}, 20)["flagged"]


def test_all_judges_are_looked_at_in_the_same_places():
    """The values of j are the seed's, whoever else is in the log, and however long a judge votes."""
    alone = crowd(1, 60, *["model_a"] * 30)
    longer = crowd(1, 60, *["model_a"] * 130)

    for seed in range(3):
        looks = [looks_slowly(n, seed=seed, most=100) for n in (30, 100)]
        found = [
            judge_evidence(read_battles(frame), seed=seed).frame["checkpoint"].item()
            for frame in (alone, longer)
        ]
        # The more such votes, the stronger the evidence: the last look is the strongest.
        assert found == [max(look) for look in looks]
    assert looks_slowly(30, seed=0, most=100) != looks_slowly(30, seed=1, most=100)


# ── how often it errs, and whom it finds ───────────────────────────────────────────────────


@pytest.mark.parametrize("alpha", [0.05, 0.5])
@pytest.mark.parametrize("tails", ["both", "upper"])
@pytest.mark.parametrize("rule", RULES)
def test_of_honest_judges_at_most_the_share_alpha_is_flagged(rule, tails, alpha):
    """Ratings tie so often that it is far fewer; the seed is fixed."""
    found = judge_evidence(read_battles(lopsided()), rule=rule, tails=tails, alpha=alpha)

    assert found.frame.height == 300
    assert found.frame["flagged"].mean() <= alpha / 2
    assert not found.frame["flagged_fdr"].any()


@pytest.mark.parametrize("winner", [FAN, COIN], ids=["fan", "coin"])
@pytest.mark.parametrize("tails", ["both", "upper"])
@pytest.mark.parametrize("rule", RULES)
def test_who_always_votes_for_a_weak_model_or_at_random_is_found(rule, tails, winner):
    """On pairs whose first model by name nearly always loses, where the others are many."""
    frame = joined_by(lopsided(), pl.lit("odd"), winner)

    found = judge_evidence(read_battles(frame), rule=rule, tails=tails).frame

    assert found.row(0, named=True)["judge"] == "odd"
    assert found.select("tail", "flagged", "flagged_fdr").row(0) == ("upper", True, True)
    assert found["flagged"].sum() <= 0.05 * 300


@pytest.mark.parametrize(
    ("options", "names"),
    [({}, {"odd", "mild"}), ({"rule": "e-value"}, {"odd", "mild"}), ({"fdr": True}, {"odd"})],
    ids=["fisher", "e-value", "fdr"],
)
def test_the_votes_of_odd_judges_are_dropped(options, names):
    """Theirs alone: votes of nobody stay, and so do those of judges with few.

    Five such votes are odd for one judge, and may happen among three hundred.
    """
    frame = joined_by(lopsided(), pl.lit("odd"), FAN)
    frame = joined_by(frame, pl.lit("mild"), FAN, n=5)
    frame = joined_by(joined_by(frame, pl.lit(None), FAN), pl.lit("brief"), FAN, n=4)

    selection = select(read_battles(frame), drop_anomalous_judges(**options))

    dropped = selection.dropped.select("judge", "unknown").collect()
    assert set(dropped["judge"]) == names
    assert dropped.height == (105 if "mild" in names else 100)
    assert not dropped["unknown"].any()


def stepped_up_slowly(p_values, alpha):
    """How many of the smallest p-values Benjamini and Hochberg reject."""
    ordered = sorted(p_values)
    below = [k for k, p in enumerate(ordered, 1) if p <= alpha * k / len(ordered)]
    return max(below, default=0)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.6])
@pytest.mark.parametrize("rule", RULES)
def test_flags_over_all_judges_are_benjamini_and_hochbergs(rule, alpha):
    """Of e-values, those of Wang and Ramdas: the k-th largest reaches G / (alpha k)."""
    frame = lopsided(40, 12_000)
    for k in range(8):
        frame = joined_by(frame, pl.lit(f"odd {k}"), FAN, n=2 + 2 * k)

    found = judge_evidence(read_battles(frame), rule=rule, alpha=alpha, at_least=2).frame

    p_values = found["p_value"] if rule == "fisher" else 1 / found["e_value"]
    n = stepped_up_slowly(p_values, alpha)
    smallest = found.with_columns(p=p_values).sort("p")
    assert smallest["flagged_fdr"].to_list() == [True] * n + [False] * (found.height - n)
    assert 0 < n < found.height


def test_the_most_suspicious_come_first():
    """By p-value, or by the largest product of e-values."""
    frame = joined_by(lopsided(60, 6_000), pl.lit("odd"), FAN)

    fisher, e_value = (judge_evidence(read_battles(frame), rule=rule).frame for rule in RULES)

    assert fisher["p_value"].is_sorted()
    assert e_value["statistic"].is_sorted(descending=True)


def test_a_judge_with_endless_evidence_is_still_in_order():
    """p-values too small for a float, and e-values too large, come first and warn of nothing."""
    frame = crowd(1, 5_000, *["model_a"] * 1_500)

    fisher, e_value = (
        judge_evidence(read_battles(frame), rule=rule, most=1_500).frame for rule in RULES
    )

    assert fisher["p_value"].item() == 0.0
    assert fisher["checkpoint"].item() == max(looks_slowly(1_500, seed=0, most=1_500))
    assert np.isfinite(e_value["e_value"].item())
    assert fisher["flagged_fdr"].item()
    assert e_value["flagged_fdr"].item()


# ── what is refused ────────────────────────────────────────────────────────────────────────


def test_a_log_without_judges_of_enough_votes_has_no_evidence():
    """An empty table, and how many judges were too short."""
    none = judge_evidence(read_battles(cast((None, "a", "b", "tie"))))
    few = judge_evidence(read_battles(panel(n_votes=60)), at_least=1_000)

    assert (none.frame.height, none.too_short) == (0, 0)
    assert (few.frame.height, few.too_short) == (0, panel(n_votes=60)["judge"].n_unique() - 1)
    assert none.frame.schema == few.frame.schema


@pytest.mark.parametrize(
    "made", [daily_cap(5), drop_anomalous_judges()], ids=lambda made: made.name
)
def test_rows_of_judges_that_are_several_votes_are_refused(made):
    """Which of them come first cannot be said; the error says what is needed."""
    frame = panel(n_votes=50).with_columns(n=pl.Series([1] * 49 + [2])).drop_nulls("judge")

    with pytest.raises(ColumnError, match=r"column 'votes': 1 row .*a row for each vote") as error:
        select(read_battles(frame, columns={"votes": "n"}), made)

    assert made.name in str(error.value)


@pytest.mark.parametrize(
    ("made", "column"),
    [
        (daily_cap(5), "judge"),
        (daily_cap(5, "session"), "session"),
        (min_votes(5), "judge"),
        (drop_anomalous_judges(), "judge"),
        (daily_cap(5, "model_a"), "tstamp"),
    ],
)
def test_a_log_without_the_column_is_refused(made, column):
    """The error names the column, the filter, and the columns there are."""
    with pytest.raises(ColumnError, match=f"no column '{column}'") as error:
        select(read_battles(battles(3, 20)), made)

    assert made.name in str(error.value)
    assert str(error.value).endswith("model_a, model_b, winner")


def test_evidence_needs_judges():
    """Also where it is asked for without a filter."""
    with pytest.raises(ColumnError, match="no column 'judge'"):
        judge_evidence(read_battles(battles(3, 20)))


def test_an_unknown_vote_is_quoted():
    """Evidence is not taken of votes that nobody can read."""
    frame = cast(*[("j", "a", "b", "model_a")] * 5, ("k", "a", "b", "draw"))

    with pytest.raises(LabelError, match="'draw'"):
        judge_evidence(read_battles(frame))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha": 0.0}, "alpha: 0.0"),
        ({"alpha": 1.0}, "alpha: 1.0"),
        ({"alpha": float("nan")}, "alpha: nan"),
        ({"rule": "bonferroni"}, "rule: 'bonferroni' is not one of fisher, e-value"),
        ({"tails": "lower"}, "tails: 'lower' is not one of both, upper"),
        ({"seed": -1}, "seed: -1"),
        ({"most": 0}, "most: 0"),
        ({"at_least": 0}, "at-least: 0"),
    ],
)
def test_a_test_that_cannot_be_is_refused(options, said):
    """By the filter before any battle is read, and by the table; both name the option."""
    with pytest.raises(OptionError, match=said):
        drop_anomalous_judges(**options)
    with pytest.raises(OptionError, match=said):
        judge_evidence(read_battles(panel(n_votes=20)), **options)


@pytest.mark.parametrize("make", [daily_cap, min_votes])
def test_no_votes_are_no_number_of_votes(make):
    """A cap or a least number below one is refused."""
    with pytest.raises(OptionError, match="0 is not a number of votes of at least 1"):
        make(0)
