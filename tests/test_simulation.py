"""A synthetic arena is what its world says, and what is estimated from it is what is true."""

import importlib.util
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import arena
from arena import simulation
from arena.alias import chances, pick
from arena.battles import read_battles
from arena.design import build_design
from arena.errors import ColumnError, OptionError
from arena.prompt_texts import prompt_keys
from arena.published_100k import to_100k
from arena.regression import fit_regression, regression_covariance
from arena.schema import BATTLE_SCHEMA, WINNERS
from arena.simulation import simulate
from arena.tally import count_pairs
from arena.vote_draws import outcome_shares
from arena.world import COUNTS, ELO, Judges, PlantedCorpus, Prompts, Style, World, strengths_of

STRENGTHS = {f"m{i:02d}": 1000.0 + 17.0 * ((5 * i) % 12) for i in range(12)}
WEIGHTS = {model: 1.0 + i % 4 for i, model in enumerate(STRENGTHS)}
LEVEL = dict.fromkeys("vwxyz", 1000.0)
"""Five models of equal strength."""

SAMPLE = Path(__file__).parent.parent / "data"


def drawn(world, n=20_000, seed=0, **options):
    """The votes of a world, without texts."""
    return simulate(world, n, seed, texts=False, **options).votes


def points(votes):
    """What model_a got of each vote: 1, 1/2 or 0."""
    worth = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}
    return votes["winner"].replace_strict(worth).to_numpy()


def near(share, expected, n):
    """Whether a share of n votes is within four standard errors of what is expected."""
    return abs(share - expected) <= 4.0 * np.sqrt(expected * (1.0 - expected) / n)


def rated(votes, **options):
    """Model → (mean-zero strength in points, its standard error)."""
    board = arena.rate(votes, **options).frame
    rows = board.select("model", pl.col("rating") - 1000.0, "std_error").iter_rows()
    return {model: (rating, error) for model, rating, error in rows}


def within_errors(found, truth):
    """Whether every strength is within four errors of the truth, and all together are, too."""
    mean = np.mean(list(truth.values()))
    z = np.array([(found[m][0] - truth[m] + mean) / found[m][1] for m in truth])
    assert np.abs(z).max() < 4.0, z
    assert 0.2 < np.mean(z**2) < 2.5, z
    return True


@pytest.fixture(scope="module")
def rich():
    """A world in which everything happens, and its votes with texts."""
    world = World(
        STRENGTHS,
        weights=WEIGHTS,
        side_advantage=15.0,
        multi_turn_shift={"m03": 40.0},
        judges=Judges(300, taste=30.0, careless=0.02, adversarial=0.02, favourite="m05"),
        style=Style(effects={"tokens": 50.0}, verbosity={"m01": 2.0}),
        corpora=(
            PlantedCorpus("one", ("m02", "m07"), overlap=0.2, unrelated=2_000),
            PlantedCorpus("other", ("m07",), overlap=0.1, uplift=-30.0, edited=1.0, unrelated=500),
        ),
    )
    return world, simulate(world, 12_000, seed=3)


# ── who won ────────────────────────────────────────────────────────────────────────────────


@given(st.floats(-60, 60), st.floats(0, 0.99))
def test_outcomes_are_davidsons_with_the_expected_points_of_bradley_terry(gap, ties):
    """Shares add up, a tie is worth half a point, and tie² / (win · loss) is nu² at any gap."""
    win, loss, tie = (float(share) for share in outcome_shares(np.array(gap), ties))

    assert min(win, loss, tie) >= -1e-15
    assert win + loss + tie == pytest.approx(1.0, abs=1e-12)
    assert win + tie / 2 == pytest.approx(expit(gap), abs=1e-12)
    if abs(gap) < 8:
        nu = 2 * ties / (1 - ties)
        assert tie**2 == pytest.approx(nu**2 * win * loss, rel=1e-6, abs=1e-14)


@given(st.floats(0, 8), st.floats(0.01, 0.99))
def test_ties_fall_with_the_gap(gap, ties):
    """Equals tie as often as is said, and a wider gap always means fewer ties."""
    near_by, farther = (float(outcome_shares(np.array(d), ties)[2]) for d in (gap, gap + 0.1))

    assert farther < near_by
    assert outcome_shares(np.array(0.0), ties)[2] == pytest.approx(ties)


@pytest.mark.parametrize("points_apart", [0.0, 120.0, 600.0])
def test_votes_have_the_outcomes_of_their_gap(points_apart):
    """Both kinds of ties, wins and losses are as frequent as they should be."""
    n = 40_000
    votes = drawn(World({"x": points_apart, "y": 0.0}, ties=0.4, both_bad=0.3), n)

    x_left = votes.filter(pl.col("model_a") == "x")
    win, loss, tie = outcome_shares(np.array(points_apart / ELO), 0.4)
    for winner, share in zip(WINNERS, (win, loss, 0.7 * tie, 0.3 * tie), strict=True):
        found = (x_left["winner"] == winner).mean()
        assert near(found, float(share), x_left.height), winner


def test_strengths_are_recovered():
    """From 200,000 votes, unequally sampled and with ties, by the default board."""
    votes = drawn(World(STRENGTHS, weights=WEIGHTS), 200_000)

    assert within_errors(rated(votes), STRENGTHS)


@pytest.mark.parametrize("seed", range(3))
def test_shifts_from_the_second_turn_on_are_recovered(seed):
    """Battles of one turn show the strengths, battles of more show them shifted."""
    shift = {"m00": 60.0, "m01": -40.0, "m05": -20.0}
    world = World(STRENGTHS, multi_turn=0.4, multi_turn_shift=shift)
    votes = drawn(world, 60_000, seed)

    shifted = {model: value + shift.get(model, 0.0) for model, value in STRENGTHS.items()}
    assert within_errors(rated(votes.filter(pl.col("turns") == 1)), STRENGTHS)
    assert within_errors(rated(votes.filter(pl.col("turns") > 1)), shifted)


def test_effects_are_recovered_by_regression():
    """Side, style and what training on a prompt is worth, all in one world, and the strengths."""
    world = World(
        STRENGTHS,
        weights=WEIGHTS,
        side_advantage=25.0,
        style=Style(effects={"tokens": 80.0, "lists": -40.0}, verbosity={"m04": 1.5}),
        corpora=(PlantedCorpus("c", ("m03", "m07"), overlap=0.3, uplift=60.0, unrelated=0),),
    )
    simulated = simulate(world, 200_000, 5, texts=False)
    votes = simulated.votes.hstack(simulated.seen.select("seen_a", "seen_b"))

    design = build_design(read_battles(votes, keep=["seen"]), ["style", "side", "seen"])
    fit = fit_regression(design)
    error = ELO * np.sqrt(np.diag(regression_covariance(fit, design)))

    m = len(fit.models)
    spread = {}
    for count in COUNTS:
        a, b = (votes[f"{count}_{side}"].to_numpy() for side in "ab")
        spread[f"style:{count}"] = np.std((a - b) / (a + b + 1.0))
    truth = {
        "style:tokens": 80.0 * spread["style:tokens"],
        "style:headers": 0.0,
        "style:lists": -40.0 * spread["style:lists"],
        "style:bold": 0.0,
        "side": 25.0,
        "seen": 60.0,
    }
    for name, value, one_error in zip(fit.names, ELO * fit.coefficients, error[m:], strict=True):
        assert abs(value - truth[name]) < 4 * one_error, name
        assert one_error < 3.0
    found = dict(zip(fit.models, zip(ELO * fit.log_odds, error[:m], strict=True), strict=True))
    assert within_errors(found, STRENGTHS)


def test_corpora_add_up():
    """A model trained on two of them gains both uplifts, on prompts that are in both."""
    corpora = tuple(PlantedCorpus(name, ("x",), 0.5, 40.0, unrelated=0) for name in ("one", "two"))
    simulated = simulate(World(LEVEL, corpora=corpora), 120_000, 1, texts=False)

    n_seen = simulated.seen.select(pl.col("one").cast(int) + pl.col("two")).to_series()
    for side, sign in (("a", 1), ("b", -1)):
        for n in range(3):
            rows = (simulated.votes[f"model_{side}"] == "x") & (n_seen == n)
            scored = points(simulated.votes.filter(rows))
            assert near(scored.mean(), expit(sign * n * 40.0 / ELO), scored.size)


# ── who meets, before whom, when ───────────────────────────────────────────────────────────


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.1, 10), min_size=2, max_size=5).filter(
        lambda weights: max(weights) < 0.9 * sum(weights)
    ),
    st.integers(1, 300),
    st.integers(0, 10**12),
)
def test_no_model_meets_itself(weights, n, seed):
    """Whatever the weights, the number of votes and the seed."""
    names = [f"m{i}" for i in range(len(weights))]
    world = World(dict.fromkeys(names, 0.0), weights=dict(zip(names, weights, strict=True)))

    votes = drawn(world, n, seed)

    assert votes.height == n
    assert (votes["model_a"] != votes["model_b"]).all()
    assert set(votes["model_a"]) | set(votes["model_b"]) <= set(names)


def test_pairs_meet_in_proportion_to_their_weights():
    """Each ordered pair, so that sides are fair, too."""
    n, weights = 200_000, dict(zip("vwxyz", (1.0, 2.0, 3.0, 4.0, 6.0), strict=True))

    votes = drawn(World(LEVEL, weights=weights), n)

    met = votes.group_by("model_a", "model_b").len()
    assert met.height == 20
    total = sum(weights.values()) ** 2 - sum(weight**2 for weight in weights.values())
    for a, b, times in met.iter_rows():
        assert near(times / n, weights[a] * weights[b] / total, n), (a, b)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8).filter(lambda shares: sum(shares) > 0))
def test_a_table_of_chances_keeps_them(shares):
    """What the columns of an alias table give each entry adds up to its chance."""
    table = chances(np.array(shares))

    k = len(shares)
    given = table.keep + np.bincount(table.other, 1.0 - table.keep, minlength=k)
    np.testing.assert_allclose(given / k, np.array(shares) / sum(shares), atol=1e-12)


def test_drawing_from_a_table_follows_its_chances():
    """Entries come as often as they should, and an entry without a chance never."""
    shares, n = np.array([0.0, 0.5, 0.1, 0.4]), 100_000

    found = np.bincount(pick(chances(shares), n, np.random.default_rng(0)), minlength=4) / n

    assert found[0] == 0
    assert all(near(one, share, n) for one, share in zip(found[1:], shares[1:], strict=True))


def test_judges_vote_by_rank():
    """The r-th most active one in proportion to r ** -activity; all of them are known by name."""
    n, number = 100_000, 50
    votes = drawn(World(LEVEL, judges=Judges(number, activity=1.0)), n)

    times = votes["judge"].value_counts(sort=True)["count"].to_numpy() / n

    expected = 1.0 / np.arange(1, number + 1)
    expected /= expected.sum()
    assert times.size == number
    assert np.abs(times - expected).max() < 4 * np.sqrt(expected.max() / n)
    assert votes["judge"].str.contains(r"^judge-\d\d$").all()


@pytest.mark.parametrize(("taste", "varies"), [(0.0, False), (80.0, True)])
def test_judges_have_tastes(taste, varies):
    """Between judges, scores vary as chance makes them, or as tastes do."""
    n, number = 40_000, 100
    world = World({"x": 0.0, "y": 0.0}, ties=0.0, judges=Judges(number, 0.0, taste))
    votes = drawn(world, n)

    x_won = np.where(votes["model_a"] == "x", points(votes), 1 - points(votes))
    by_judge = (
        votes.select("judge")
        .with_columns(x=x_won)
        .group_by("judge")
        .agg(pl.col("x").mean(), n=pl.len())
    )
    chi2 = float((by_judge["n"] * (by_judge["x"] - 0.5) ** 2 / 0.25).sum())
    # Two tastes of 80 points each shift a judge's win rate by 0.16, give or take.
    assert abs(chi2 - number) < 4 * np.sqrt(2 * number) if not varies else chi2 > 20 * number


def test_careless_judges_press_any_button():
    """Each as often, whoever plays; and they are as many as is said, and active enough."""
    judges = Judges(200, careless=0.05, adversarial=0.01, favourite="x", at_least=100)
    simulated = simulate(World({"x": 400.0, "y": 0.0}, judges=judges), 40_000, texts=False)

    planted = simulated.truth["judges"]["careless"]
    of_them = simulated.votes.filter(pl.col("judge").is_in(planted))

    assert len(planted) == 10
    assert of_them["judge"].value_counts()["count"].min() > 60
    for winner in WINNERS:
        assert near((of_them["winner"] == winner).mean(), 0.25, of_them.height)
    odd = planted + simulated.truth["judges"]["adversarial"]
    others = simulated.votes.filter(~pl.col("judge").is_in(odd))
    assert within_errors(rated(others), {"x": 400.0, "y": 0.0})


def test_adversarial_judges_vote_for_their_favourite():
    """Always where it plays, and for nobody elsewhere."""
    judges = Judges(200, adversarial=0.05, favourite="w", at_least=100)
    simulated = simulate(World(LEVEL, judges=judges), 40_000, texts=False)

    planted = simulated.truth["judges"]["adversarial"]
    of_them = simulated.votes.filter(pl.col("judge").is_in(planted))
    left, right = (of_them.filter(pl.col(f"model_{side}") == "w") for side in "ab")
    elsewhere = of_them.filter((pl.col("model_a") != "w") & (pl.col("model_b") != "w"))

    assert len(planted) == 10
    assert min(left.height, right.height) > 100
    assert set(left["winner"]) == {"model_a"}
    assert set(right["winner"]) == {"model_b"}
    assert near((elsewhere["winner"] == "tie").mean(), 0.25, elsewhere.height)


def test_votes_are_cast_in_time():
    """In order, within the days, evenly, and at moments that unix seconds hold exactly."""
    n = 50_000
    votes = drawn(World(LEVEL, start=date(2024, 2, 28), end=date(2024, 3, 2)), n)

    times = votes["tstamp"]
    start, end = datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)
    share = (times - start).dt.total_microseconds().to_numpy() / (
        (end - start).total_seconds() * 1e6
    )

    assert times.is_sorted()
    assert (times.dt.epoch("us") % 15_625 == 0).all()
    assert share.min() >= 0
    assert share.max() < 1
    # Kolmogorov's distance of a sample from the truth.
    assert np.abs(share - np.arange(n) / n).max() < 2.2 / np.sqrt(n)
    assert votes["session"].str.strip_prefix(votes["judge"]).n_unique() == 3


# ── what is asked ──────────────────────────────────────────────────────────────────────────


def test_shares_are_what_the_world_says():
    """Turns, languages, kinds, rules and refusals."""
    n = 100_000
    world = World(LEVEL, languages={"English": 3.0, "Finnish": 1.0})

    votes = drawn(world, n)

    turns = votes["turns"]
    assert near((turns > 1).mean(), 0.14, n)
    for k in (3, 4):
        assert near((turns >= k).sum() / (turns >= k - 1).sum(), 0.4, (turns >= k - 1).sum())
    assert near((votes["language"] == "Finnish").mean(), 0.25, n)
    # Kinds belong to prompts, and some of those are asked more than once.
    shares = {"is_code": 0.2, "is_math": 0.08, "is_creative_writing": 0.15, "is_refusal": 0.03}
    for column, share in (shares | {"is_instruction_following": 0.25}).items():
        assert abs(votes[column].mean() - share) < 0.02, column
    assert votes["hard_criteria"].is_between(0, 7).all()
    hard = votes.group_by("is_code").agg(pl.col("hard_criteria").mean()).sort("is_code")
    assert hard["hard_criteria"].to_list() == pytest.approx([2.7, 4.5], abs=0.4)


@pytest.mark.parametrize("repeated", [0.0, 0.1, 0.5, 1.0])
def test_so_many_votes_repeat_a_prompt(repeated):
    """A tenth by default, nearly all of them on prompts that others ask, too."""
    n = 20_000
    simulated = simulate(World(LEVEL, prompts=Prompts(repeated)), n, texts=False)

    times = simulated.seen.select(pl.len().over("prompt_id")).to_series()

    assert repeated - 0.012 < (times > 1).mean() < repeated + 0.012
    if repeated:
        assert times.max() > 20


def test_equal_prompts_are_one_prompt(rich):
    """Prompts and their ids are the same thing; a greeting is among the common ones."""
    _, simulated = rich
    asked = simulated.votes.select("prompt", "language").hstack(simulated.seen)

    distinct = asked.select("prompt_id", "prompt", "language").unique()

    assert distinct["prompt_id"].n_unique() == distinct.height
    assert prompt_keys(distinct["prompt"]).is_unique().all()
    common = asked["prompt"].value_counts(sort=True).head(20)
    assert "hi" in common["prompt"].to_list()


def test_user_text_has_a_line_for_each_further_turn(rich):
    """It begins with the prompt, and is counted in tokens of four bytes."""
    votes = rich[1].votes

    for prompt, text, turns, tokens in votes.select(
        "prompt", "user_text", "turns", "user_tokens"
    ).iter_rows():
        assert text.startswith(prompt)
        assert text.removeprefix(prompt).count("\n") == turns - 1
        assert tokens == -(-len(text.encode()) // 4)
    assert votes["turns"].max() >= 4


def test_users_go_on_in_their_language(rich):
    """Russians in Russian, and nobody else."""
    votes = rich[1].votes.filter(pl.col("turns") > 1)
    further = votes.select("language", pl.col("user_text").str.strip_prefix(pl.col("prompt")))

    lines = further.with_columns(pl.col("user_text").str.split("\n").list.tail(-1)).explode(
        "user_text"
    )

    russian = lines["language"] == "Russian"
    assert lines["user_text"].str.contains(r"\p{Cyrillic}").equals(russian)
    assert russian.sum() > 100


def test_a_corpus_overlaps_as_many_votes_as_it_says(rich):
    """In votes, not in prompts; and the truth says how many they are."""
    world, simulated = rich

    for corpus in world.corpora:
        share = simulated.seen[corpus.name].mean()
        assert near(share, corpus.overlap, simulated.votes.height / 2)
        assert simulated.truth["overlap"][corpus.name] == share


@pytest.mark.parametrize("seed", range(6))
def test_a_corpus_takes_no_prompt_that_is_too_popular(seed):
    """Where half of the votes ask the same prompt, an overlap of a third is still that."""
    n, corpora = 4_000, (PlantedCorpus("c", ("x",), overlap=0.3),)
    prompts = Prompts(repeated=0.9, popularity=2.0)
    world = World(LEVEL, languages={"English": 1.0}, prompts=prompts, corpora=corpora)

    simulated = simulate(world, n, seed, texts=False)

    assert near(simulated.seen["c"].mean(), 0.3, n)


def test_a_corpus_holds_the_prompts_that_were_seen(rich):
    """All of them and no others, each once, the others unlike any prompt."""
    world, simulated = rich
    asked = simulated.votes.select("prompt").hstack(simulated.seen)
    elsewhere = pl.Series([""])

    for corpus in world.corpora:
        texts = simulated.corpora[corpus.name]
        copies = texts.filter(pl.col("copy").is_not_null())
        rest = texts.filter(pl.col("copy").is_null())

        assert set(copies["prompt_id"]) == set(asked.filter(corpus.name)["prompt_id"])
        assert copies["prompt_id"].is_unique().all()
        assert rest.height == corpus.unrelated
        assert rest["prompt_id"].null_count() == rest.height
        assert not prompt_keys(rest["prompt"]).is_in(prompt_keys(asked["prompt"]).implode()).any()
        assert texts["text_id"].is_unique().all()
        assert not rest["prompt"].is_in(elsewhere.implode()).any()
        elsewhere = rest["prompt"]
        assert not texts["copy"].is_null().equals(texts["copy"].is_null().sort())


def test_copies_are_exact_or_edited(rich):
    """As many edited as is said: in case, spaces and punctuation, or in one word."""
    world, simulated = rich
    prompts = dict(zip(simulated.seen["prompt_id"], simulated.votes["prompt"], strict=True))

    for corpus in world.corpora:
        texts = simulated.corpora[corpus.name].drop_nulls("copy")
        kinds = Counter()
        for text, copy, prompt_id in texts.select("prompt", "copy", "prompt_id").iter_rows():
            original = prompts[prompt_id]
            if text == original:
                kinds["exact"] += copy == "exact"
                continue
            assert copy == "edited"
            old, new = original.split(" "), text.split(" ")
            changed = [pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]]
            if len(old) == len(new) >= 8 and len(changed) == 1:
                kinds["word"] += 1
            else:
                letters = [re.sub(r"[\W_]+", "", one.casefold()) for one in (text, original)]
                assert letters[0] == letters[1]
                kinds["form"] += 1

        assert kinds.total() == texts.height
        edited = kinds["word"] + kinds["form"]
        assert near(edited / texts.height, corpus.edited, texts.height)
        assert min(kinds["word"], kinds["form"]) > 0.25 * edited


def test_a_side_has_seen_what_its_model_was_trained_on(rich):
    """By any of its corpora."""
    world, simulated = rich

    for side in "ab":
        expected = pl.any_horizontal(
            pl.col(corpus.name) & pl.col(f"model_{side}").is_in(corpus.models)
            for corpus in world.corpora
        )
        both = simulated.votes.hstack(simulated.seen)
        assert both.select((expected == pl.col(f"seen_{side}")).all()).item()


# ── how it is drawn ────────────────────────────────────────────────────────────────────────


def test_votes_are_battles(rich):
    """Every column is one of the battle schema's, has its type and no nulls; every row counts."""
    votes = rich[1].votes

    assert dict(votes.schema) == {name: BATTLE_SCHEMA[name] for name in votes.columns}
    assert votes.null_count().row(0) == (0,) * votes.width
    assert votes["battle_id"].is_unique().all()
    assert votes["battle_id"].str.starts_with("synthetic-3-").all()
    (reading,) = arena.tally_votes(read_battles(votes)).readings
    assert reading.accepted == votes.height


def test_the_same_seed_gives_the_same_votes(rich):
    """Votes, corpora and truth; another seed gives others."""
    world, simulated = rich

    again = simulate(world, 12_000, seed=3)

    assert again.votes.equals(simulated.votes)
    assert again.seen.equals(simulated.seen)
    assert again.truth == simulated.truth
    for name, texts in simulated.corpora.items():
        assert again.corpora[name].equals(texts)
    assert not drawn(world, 12_000, seed=4)["winner"].equals(simulated.votes["winner"])


def test_votes_without_texts_are_the_same_votes(rich):
    """Only the user's tokens differ, which cannot be counted without texts."""
    world, simulated = rich

    bare = simulate(world, 12_000, seed=3, texts=False)

    texts = ["prompt", "user_text"]
    assert bare.votes.columns == simulated.votes.drop(texts).columns
    assert bare.votes.drop("user_tokens").equals(simulated.votes.drop(*texts, "user_tokens"))
    assert bare.seen.equals(simulated.seen)
    assert not bare.corpora


def test_the_number_of_threads_does_not_matter(monkeypatch):
    """Votes are drawn in blocks, and several of them are needed here."""
    world = World(STRENGTHS)
    usual = drawn(world, 250_000)

    monkeypatch.setattr(simulation, "ThreadPoolExecutor", lambda: ThreadPoolExecutor(1))

    assert drawn(world, 250_000).equals(usual)
    assert usual["battle_id"].is_unique().all()


def test_an_effect_changes_winners_only_where_it_acts():
    """Two worlds that differ in a corpus have the same battles, and the same other winners."""
    world = World(LEVEL, judges=Judges(100, taste=20.0))
    corpora = (PlantedCorpus("c", ("x",), overlap=0.5, uplift=200.0),)

    without, trained = (
        simulate(one, 20_000, 2, texts=False) for one in (world, replace(world, corpora=corpora))
    )

    assert trained.votes.drop("winner").equals(without.votes.drop("winner"))
    acts = trained.seen["seen_a"] | trained.seen["seen_b"]
    differ = trained.votes["winner"] != without.votes["winner"]
    assert not (differ & ~acts).any()
    assert (differ & acts).sum() > 100


def test_no_sum_depends_on_the_order_of_names():
    """Models given in another order are the same world."""
    turned = dict(reversed(STRENGTHS.items()))

    assert drawn(World(turned), 2_000).equals(drawn(World(STRENGTHS), 2_000))


def test_the_truth_is_plain(rich):
    """It goes through JSON unchanged, and names the world, the seed and the judges."""
    world, simulated = rich

    truth = json.loads(json.dumps(simulated.truth))

    assert truth == simulated.truth
    assert truth["world"]["strengths"] == world.strengths
    assert (truth["seed"], truth["n_votes"]) == (3, 12_000)
    assert [len(names) for names in truth["judges"].values()] == [6, 6]
    assert truth["world"]["corpora"][0]["models"] == ["m02", "m07"]


# ── as published ───────────────────────────────────────────────────────────────────────────


def test_votes_go_through_the_published_form_unchanged(rich):
    """Our own reader knows the 100k form, and finds in it all it can hold."""
    votes = rich[1].votes

    published = to_100k(votes)

    battles = read_battles(published)
    assert battles.formats == ("100k",)
    assert count_pairs(published).sha256() == count_pairs(votes).sha256()
    back = battles.frame.select(pl.exclude("winner"), pl.col("winner").cast(pl.String)).collect()
    kept = [name for name in votes.columns if name != "session"]
    assert back.select(kept).equals(votes.select(kept))


def test_the_published_form_marks_frequent_prompts(rich):
    """The most frequent ones, of which only so many votes are kept as of the cap's own prompt."""
    votes = rich[1].votes

    marked = votes.select("user_text").hstack(
        to_100k(votes).select("dedup_tag").unnest("dedup_tag")
    )

    times = marked.group_by("user_text").agg(
        pl.len(), pl.col("high_freq").first(), pl.col("sampled").sum()
    )
    frequent = times.filter("high_freq")
    assert 0 < frequent.height < 0.001 * times.height + 1
    assert frequent["sampled"].n_unique() == 1
    assert frequent["sampled"].max() < frequent["len"].min()
    rest = times.filter(~pl.col("high_freq"))
    assert rest["sampled"].equals(rest["len"])


def test_votes_without_texts_cannot_be_published():
    """There is nothing to put into the conversations."""
    with pytest.raises(ColumnError, match="votes: no column 'prompt', 'user_text'; simulate"):
        to_100k(drawn(World(LEVEL), 10))


# ── mistakes ───────────────────────────────────────────────────────────────────────────────

TWO = {"x": 0.0, "y": 0.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: World({"x": 0.0}), "strengths: a battle needs two models, here is 1"),
        (lambda: World({"x": 0.0, " ": 0.0}), "strengths: a model has no name; give it one"),
        (lambda: World({"x": 0.0, "y": float("nan")}), "strengths: nan is not a number of points"),
        (lambda: World({"x": 0.0, "y": 5e3}), "strengths: 5000.0 is not .* up to 4,000"),
        (lambda: World(TWO, weights={"x": 1.0}), "weights: must be of the models .* look at 'y'"),
        (
            lambda: World(TWO, weights={"x": 1.0, "y": 0.0}),
            "weights: 0.0 for 'y' will not do; give",
        ),
        (lambda: World(TWO, weights={"x": 99.0, "y": 1.0}), "weights: one model has over 95 %"),
        (lambda: World(TWO, ties=1.0), "ties: 1.0 is not a share from 0 to 0.99"),
        (lambda: World(TWO, both_bad=-0.1), "both_bad: -0.1 is not a share from 0 to 1"),
        (lambda: World(TWO, side_advantage=1e9), "side_advantage: 1000000000.0 is not a number"),
        (lambda: World(TWO, multi_turn=1.4), "multi_turn: 1.4 is not a share from 0 to 1"),
        (lambda: World(TWO, more_turns=1), "more_turns: 1 is not a share from 0 to 0.99"),
        (lambda: World(TWO, multi_turn_shift={"z": 1.0}), "multi_turn_shift: no model 'z' .* 'x'"),
        (lambda: World(TWO, languages={}), "languages: an empty table will not do"),
        (lambda: World(TWO, languages={"English": -1}), "languages: -1 for 'English' will not do"),
        (lambda: World(TWO, end=date(2024, 4, 1)), "end: 2024-04-01 is not after the start"),
        (lambda: Judges(0), "judges.number: 0 is not a whole number from 1 up"),
        (lambda: Judges(taste=-1.0), "judges.taste: -1.0 is not a number from 0 up"),
        (lambda: Judges(careless=2.0), "judges.careless: 2.0 is not a share"),
        (lambda: Judges(careless=0.6, adversarial=0.6, favourite="x"), "together they exceed 1"),
        (lambda: Judges(adversarial=0.1), "judges.favourite: name the model"),
        (
            lambda: World(TWO, judges=Judges(adversarial=0.1, favourite="z")),
            "judges.favourite: no model 'z'",
        ),
        (
            lambda: World(TWO, judges=Judges(10**8, taste=1.0)),
            "judges.taste: 100,000,000 judges .* fewer judges, or taste=0",
        ),
        (lambda: Prompts(code=0.9, math=0.2), "prompts.code, prompts.math, .* exceed 1"),
        (lambda: Prompts(repeated=-1.0), "prompts.repeated: -1.0 is not a share"),
        (lambda: Prompts(popularity=float("inf")), "prompts.popularity: inf is not a number"),
        (lambda: Style({"emoji": 1.0}), "style.effects: no 'emoji'; there are tokens, headers"),
        (lambda: Style(verbosity={"x": 0.0}), "style.verbosity: 0.0 for 'x' is not a factor"),
        (lambda: World(TWO, style=Style(verbosity={"z": 2.0})), "style.verbosity: no model 'z'"),
        (
            lambda: PlantedCorpus("c", "x"),
            r"corpora: 'c' needs a list of models, e.g. \('x', 'y'\)",
        ),
        (lambda: PlantedCorpus("c", ("x",), overlap=1.5), "corpora.overlap: 1.5 is not a share"),
        (
            lambda: PlantedCorpus("c", ("x",), unrelated=-1),
            "corpora.unrelated: -1 is not a whole number",
        ),
        (lambda: World(TWO, corpora=(PlantedCorpus("c", ("z",)),)), "corpora: 'c': no model 'z'"),
        (
            lambda: World(TWO, corpora=(PlantedCorpus("c", ("x",)), PlantedCorpus("c", ("y",)))),
            "corpora: give each a name of its own; here are 'c', 'c'",
        ),
        (lambda: simulate(World(TWO), 0), "n_votes: 0 is not a whole number from 1 up"),
        (lambda: simulate(World(TWO), 2.5), "n_votes: 2.5 is not a whole number"),
        (lambda: simulate(World(TWO), 10, seed=-1), "seed: -1 is not a whole number from 0 up"),
        (
            lambda: simulate(World(TWO, languages={"Finnish": 1.0}), 10),
            "languages: no prompts can be written in 'Finnish', only in English, .* without texts",
        ),
        (
            lambda: simulate(World(TWO, judges=Judges(careless=0.5)), 100),
            "1,000 judges with 40 votes are wanted, and 0 .* take more votes, fewer judges",
        ),
        (
            lambda: strengths_of(pl.DataFrame({"model": ["x"], "rating": [1.0]}), ["y"]),
            "models: the board has no rating for 'y'; it has some for 'x'",
        ),
    ],
)
def test_what_cannot_be_is_named_with_the_way_out(make, message):
    """In one line."""
    with pytest.raises(OptionError, match=message) as refused:
        make()

    assert "\n" not in str(refused.value)


def test_a_board_needs_its_columns():
    """Strengths are taken from a frame with models and ratings, such as a leaderboard's."""
    with pytest.raises(ColumnError, match="board: no column 'rating'; columns are 'model', 'elo'"):
        strengths_of(pl.DataFrame({"model": ["x"], "elo": [1.0]}))


def test_strengths_are_those_of_a_board():
    """In the order asked for; models that are not rated have none."""
    board = arena.rate(drawn(World(STRENGTHS), 5_000)).frame

    found = strengths_of(board, ["m03", "m01"])

    ratings = dict(board.select("model", "rating").iter_rows())
    assert list(found.items()) == [("m03", ratings["m03"]), ("m01", ratings["m01"])]


# ── the shipped sample ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def script():
    """The script that makes the sample."""
    spec = importlib.util.spec_from_file_location("make_sample", SAMPLE / "make_sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample(script):
    """The shipped votes."""
    return pl.read_parquet(SAMPLE / script.VOTES)


def test_the_script_makes_the_shipped_sample(script, sample):
    """The same votes and corpus, and the same truth to the byte."""
    made = script.make_sample()

    assert made.votes.equals(sample)
    assert made.corpora["gemma"].equals(pl.read_parquet(SAMPLE / script.CORPUS))
    assert script.truth_text(made) == (SAMPLE / script.TRUTH).read_text("utf-8")


def test_the_sample_says_that_it_is_synthetic(script, sample):
    """In every file's name, in the metadata, and in every battle's id; and it is small."""
    names = (script.VOTES, script.CORPUS, script.TRUTH)

    assert all("synthetic" in name for name in names)
    for name in names[:2]:
        assert "synthetic" in pl.read_parquet_metadata(SAMPLE / name)["synthetic"]
    assert sample["battle_id"].str.starts_with("synthetic-").all()
    assert sum((SAMPLE / name).stat().st_size for name in names) < 5_000_000


def test_the_sample_shows_what_is_planted(script, sample):
    """Sonnet joins GPT-4o, Opus goes from 8th to 3rd by over three errors, Gemma from 12th to 10th."""
    sonnet, gpt, opus = (
        "claude-3-5-sonnet-20240620",
        "gpt-4o-2024-05-13",
        "claude-3-opus-20240229",
    )
    multi, single = (
        rated(sample.filter(has)) for has in (pl.col("turns") > 1, pl.col("turns") == 1)
    )
    ranks, multi_ranks = (
        {model: rank for rank, model in enumerate(board, 1)} for board in (rated(sample), multi)
    )

    assert sample.height == 50_000
    assert 0.13 < (sample["turns"] > 1).mean() < 0.15
    assert (ranks[gpt], ranks[sonnet], ranks[opus], ranks["gemma-2-27b-it"]) == (1, 2, 8, 12)
    assert {multi_ranks[gpt], multi_ranks[sonnet]} == {1, 2}
    assert abs(multi[gpt][0] - multi[sonnet][0]) < np.hypot(multi[gpt][1], multi[sonnet][1])
    assert (multi_ranks[opus], multi_ranks["gemma-2-27b-it"]) == (3, 10)
    change, error = multi[opus][0] - single[opus][0], np.hypot(multi[opus][1], single[opus][1])
    assert change > 3 * error
    assert abs(change - script.MULTI_TURN_SHIFT[opus]) < 3 * error


def test_the_sample_is_close_to_the_real_board(sample):
    """No model stands more than two places from where all its real votes put it among these."""
    real = strengths_of(arena.rate().frame, sample["model_a"].unique().to_list())

    order = sorted(real, key=real.get, reverse=True)

    for rank, model in enumerate(rated(sample)):
        assert abs(order.index(model) - rank) <= 2, model


def test_the_sample_has_judges_to_find(script, sample):
    """One percent of them, each with at least forty votes."""
    truth = json.loads((SAMPLE / script.TRUTH).read_text("utf-8"))["judges"]
    votes = dict(sample["judge"].value_counts().iter_rows())

    planted = truth["careless"] + truth["adversarial"]

    assert (len(truth["careless"]), len(truth["adversarial"])) == (15, 10)
    assert min(votes[judge] for judge in planted) >= 40


def test_the_corpus_overlaps_an_eighth_of_the_sample(script, sample):
    """Exact copies alone are over half of that."""
    texts = pl.read_parquet(SAMPLE / script.CORPUS)

    truth = json.loads((SAMPLE / script.TRUTH).read_text("utf-8"))
    exact = sample["prompt"].is_in(texts["prompt"].implode()).mean()

    assert abs(truth["overlap"]["gemma"] - 0.12) < 0.005
    assert 0.5 < exact / truth["overlap"]["gemma"] < 0.75
    assert 19_500 < texts.height < 20_500
