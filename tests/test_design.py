"""From battles to rows of numbers, with their covariates."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from worlds import battles, log

from arena.battles import read_battles
from arena.design import build_design
from arena.errors import ColumnError, LabelError, NoEstimateError, OptionError
from arena.tally import count_pairs

METADATA = {
    "tokens": ("sum_assistant_{}_tokens", lambda n: n),
    "headers": ("header_count_{}", lambda n: {"h1": n, "h2": 0}),
    "lists": ("list_count_{}", lambda n: {"ordered": 0, "unordered": n}),
    "bold": ("bold_count_{}", lambda n: {"**": n, "__": 0}),
}


def styled(**counts):
    """A log with the metadata of style control: of each count, (a, b) per battle."""
    n = len(next(iter(counts.values())))
    metadata = [
        {
            field.format(side): nested(counts.get(count, [(1, 0)] * n)[i][place])
            for count, (field, nested) in METADATA.items()
            for place, side in enumerate("ab")
        }
        for i in range(n)
    ]
    return log(*[("x", "y", "model_a")] * n).with_columns(conv_metadata=pl.Series(metadata))


def with_counts(frame, seed=0):
    """A log with style counts per side, as small unsigned integers."""
    rng = np.random.default_rng(seed)
    return frame.with_columns(
        pl.Series(f"{count}_{side}", rng.poisson(30 if count == "tokens" else 2, frame.height))
        for count in METADATA
        for side in "ab"
    )


def design_of(frame, *arguments, **options):
    """The design of a frame."""
    return build_design(read_battles(frame), *arguments, **options)


def test_style_of_three_battles_by_hand():
    """Tokens 30 to 10, 10 to 30, none: 20/41, -20/41, 0; mean 0, standard deviation 20/41 √(2/3)."""
    frame = styled(
        tokens=[(30, 10), (10, 30), (0, 0)],
        headers=[(1, 0), (0, 0), (0, 0)],
        lists=[(2, 1), (0, 3), (5, 5)],
        bold=[(0, 1), (1, 0), (0, 1)],
    )

    design = design_of(frame, ["style:tokens", "style:headers"])

    # Headers: 1/2, 0, 0 have mean 1/6 and standard deviation √(1/18).
    np.testing.assert_allclose(design.covariates[:, 0], np.array([1, -1, 0]) * np.sqrt(1.5))
    np.testing.assert_allclose(design.covariates[:, 1], np.array([2, -1, -1]) / np.sqrt(2))


def test_style_is_four_ratios_less_their_mean_over_their_spread():
    """Battle by battle as published: difference over sum plus one, then z-scored."""
    frame = with_counts(battles(5, 300))
    counts = frame.select(f"{c}_{s}" for s in "ab" for c in METADATA).to_numpy().astype(float)
    ratio = (counts[:, :4] - counts[:, 4:]) / (counts[:, :4] + counts[:, 4:] + 1)

    design = design_of(frame, ["style"])

    assert design.names == ("style:tokens", "style:headers", "style:lists", "style:bold")
    expected = (ratio - ratio.mean(axis=0)) / ratio.std(axis=0)
    np.testing.assert_allclose(design.covariates, expected, rtol=1e-12, atol=1e-14)


def test_style_of_counted_rows_is_that_of_the_votes():
    """A row of three votes enters mean and spread three times."""
    once = styled(tokens=[(30, 10), (10, 30), (0, 0)]).with_columns(n=pl.Series([3, 1, 1]))
    thrice = pl.concat([once[:1], once[:1], once])

    counted = build_design(read_battles(once, columns={"votes": "n"}), ["style:tokens"])

    assert counted.n_battles == 5
    repeated = design_of(thrice, ["style:tokens"])
    np.testing.assert_allclose(counted.covariates, repeated.covariates[2:], rtol=1e-12)


def test_style_is_over_the_battles_that_count():
    """A row nobody may count moves neither mean nor spread."""
    frame = with_counts(battles(5, 300))
    spoilt = pl.concat(
        [frame, frame[:1].with_columns(winner=pl.lit(None), tokens_a=10**6)], how="vertical_relaxed"
    )

    design = design_of(spoilt, ["style"])

    np.testing.assert_array_equal(design.covariates, design_of(frame, ["style"]).covariates)


def test_an_outcome_is_what_model_a_got():
    """A tie and both-bad are half a win each, however they are spelt."""
    votes = ["model_a", "model_b", "tie", "both_bad", "tie (bothbad)"]

    design = design_of(log(*[("y", "x", vote) for vote in votes]))

    assert design.points.tolist() == [1.0, 0.0, 0.5, 0.5, 0.5]
    assert (design.models, design.left[0], design.right[0]) == (("x", "y"), 1, 0)


def test_a_difference_of_unsigned_counts_can_be_negative():
    """Shorter by five is minus five, not four billion."""
    frame = log(("x", "y", "tie"), ("y", "x", "tie")).with_columns(
        tokens_a=pl.Series([5, 12], dtype=pl.UInt32), tokens_b=pl.Series([10, 1], dtype=pl.UInt32)
    )

    design = design_of(frame, ["tokens"])

    assert design.covariates[:, 0].tolist() == [-5.0, 11.0]


def test_covariates_come_in_the_order_asked():
    """A column as it stands, the side, a flag, an expression under its own name."""
    frame = log(*[("x", "y", "tie")] * 4).with_columns(
        turns=pl.Series([1, 2, 5, 3]), is_code=pl.Series([True, False, False, False])
    )

    design = design_of(frame, ["turns", "side", "is_code", (pl.col("turns") > 4).alias("long")])

    assert design.names == ("turns", "side", "is_code", "long")
    assert design.covariates.tolist() == [[1, 1, 1, 0], [2, 1, 0, 0], [5, 1, 0, 1], [3, 1, 0, 0]]


def test_covariates_can_be_named_expressions():
    """A mapping says what each covariate is."""
    frame = log(("x", "y", "tie"), ("y", "x", "tie")).with_columns(turns=pl.Series([1, 2]))

    design = design_of(frame, {"log turns": pl.col("turns").log()})

    assert design.names == ("log turns",)
    np.testing.assert_allclose(design.covariates[:, 0], np.log([1, 2]))


def test_the_counts_of_a_design_are_those_of_the_log():
    """Rejected and set-aside rows are in neither."""
    frame = pl.concat(
        [battles(6, 400), log(("x", "x", "tie"), ("x", "", "tie"), ("x", "y", None))]
    ).with_columns(anony=pl.int_range(pl.len()) != 7)

    counts = design_of(frame).counts

    direct = count_pairs(frame)
    assert counts.models == direct.models
    np.testing.assert_array_equal(counts.pairs, direct.pairs)
    np.testing.assert_array_equal(counts.outcomes[:, :2], direct.outcomes[:, :2])
    np.testing.assert_array_equal(counts.outcomes[:, 2], direct.outcomes[:, 2:].sum(axis=1))


def test_a_counts_file_is_a_design_too():
    """Each count is one row that stands for so many votes."""
    counts = count_pairs(battles(5, 500))

    design = design_of(counts.frame(), ["side"])

    assert design.n_battles == 500
    assert design.points.size < 500
    np.testing.assert_array_equal(design.counts.cells.left, counts.cells.left)


def test_weights_are_those_of_the_counts():
    """What each vote counts, and how many votes a row stands for, are told apart."""
    rng = np.random.default_rng(3)
    frame = battles(5, 300).with_columns(
        w=pl.Series(rng.gamma(2.0, 1.0, 300)), n=pl.Series(rng.integers(1, 4, 300))
    )
    weighed = read_battles(frame, columns={"weight": "w", "votes": "n"})

    design = build_design(weighed, ["side"])

    direct = count_pairs(weighed)
    assert design.n_battles == frame["n"].sum()
    for name in ("outcomes", "squares"):
        mine, theirs = getattr(design.counts, name), getattr(direct, name)
        np.testing.assert_allclose(mine[:, :2], theirs[:, :2], rtol=1e-12)
        np.testing.assert_allclose(mine.sum(axis=1), theirs.sum(axis=1), rtol=1e-12)


def test_unknown_label_is_not_a_tie():
    """A misspelt label raises and is quoted back."""
    frame = log(("x", "y", "model_a"), ("x", "y", "Model_A"))

    with pytest.raises(LabelError, match=r"unknown vote 'Model_A' \(1 vote\)"):
        design_of(frame)


def test_a_weight_that_is_none_is_refused():
    """A missing or negative weight is an error, as it is when counting."""
    frame = log(("x", "y", "tie"), ("x", "y", "tie")).with_columns(n=pl.Series([1.0, None]))

    with pytest.raises(ColumnError, match="1 row with a value that is empty"):
        build_design(read_battles(frame, columns={"weight": "n"}))


@pytest.mark.parametrize(
    ("covariates", "lacking"),
    [
        (["style"], "covariate 'style:tokens': the votes have no column 'tokens_a', 'tokens_b'"),
        (["length"], "covariate 'length': the votes have no column 'length'"),
        ([pl.col("mood").alias("x")], "covariate 'x': the votes have no column 'mood'"),
    ],
    ids=["style", "name", "expression"],
)
def test_a_missing_column_is_named(covariates, lacking):
    """The error says which column, what for, and what there is."""
    with pytest.raises(ColumnError) as raised:
        design_of(battles(3, 20), covariates)

    assert lacking in str(raised.value)
    assert "there are 'model_a', 'model_b', 'winner'" in str(raised.value)


def test_a_text_column_is_no_covariate():
    """The error says how to make numbers of it."""
    frame = battles(3, 20).with_columns(language=pl.lit("English"))

    with pytest.raises(ColumnError, match=r"'language' is string, not a number; .*pl.col"):
        design_of(frame, ["language"])


def test_a_missing_value_is_not_zero():
    """Null, infinite and not-a-number values raise, and are counted by covariate."""
    frame = battles(3, 20).with_columns(
        turns=pl.Series([None, 1, 2, 4] * 5), is_code=pl.Series([None, True] + [False] * 18)
    )
    inverse = (1 / (pl.col("turns") - 4)).alias("inverse")

    with pytest.raises(ColumnError) as raised:
        design_of(frame, ["is_code", inverse])

    assert "20 battles" in str(raised.value)
    assert "covariate 'is_code' (1), covariate 'inverse' (10)" in str(raised.value)


def test_battles_with_missing_values_can_be_dropped_and_are_counted():
    """What is left is the design of the other battles."""
    frame = battles(3, 40).with_columns(turns=pl.Series([None, 1, 2, 3] * 10))

    design = design_of(frame, ["turns"], missing="drop")

    whole = design_of(frame.drop_nulls("turns"), ["turns"])
    assert (design.n_missing, whole.n_missing) == (10, 0)
    np.testing.assert_array_equal(design.covariates, whole.covariates)


def test_a_log_that_lacks_the_column_of_another_has_missing_values():
    """Two logs together have a covariate only where both have it."""
    frame = battles(3, 20)

    with pytest.raises(ColumnError, match=r"30 battles.* covariate 'turns' \(10\)"):
        design_of([frame.with_columns(turns=pl.Series([1, 2] * 10)), frame[:10]], ["turns"])


def test_nothing_left_is_no_design():
    """A log without votes, or without a battle that has all covariates, raises."""
    empty = log(("x", "y", None), ("x", "", "tie"))
    bare = log(("x", "y", "tie")).with_columns(turns=pl.lit(None, pl.Int64))

    with pytest.raises(NoEstimateError, match="no votes to rate"):
        design_of(empty)
    with pytest.raises(NoEstimateError, match="no battle has all covariates: 1 lack one"):
        design_of(bare, ["turns"], missing="drop")


def test_a_constant_covariate_is_named():
    """Whatever is the same in all battles explains no vote."""
    frame = battles(3, 20).with_columns(turns=pl.lit(1))

    with pytest.raises(NoEstimateError, match="'turns' is 1 in every battle"):
        design_of(frame, ["side", "turns"])
    with pytest.raises(NoEstimateError, match=r"'style:headers' is 0.5 in every battle"):
        design_of(styled(tokens=[(3, 1), (1, 3)]), ["style:headers"])


def test_a_combination_of_covariates_is_named():
    """The sum of two others has no coefficient of its own, whatever its units."""
    frame = with_counts(battles(3, 50))
    both = ((pl.col("tokens_a").cast(float) - pl.col("tokens_b")) * 1e6 + 3).alias("both")

    with pytest.raises(NoEstimateError, match=r"'both' is a combination of 'tokens', 'side'"):
        design_of(frame, ["tokens", "side", both])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["side", "side"],), "'side' is asked for twice"),
        (("style",), "give a list"),
        ((["style:colour"],), "no style 'colour'; they are tokens, headers, lists, bold"),
    ],
    ids=lambda value: str(value),
)
def test_covariates_that_make_no_sense_are_refused(arguments, message):
    """The error says what is wrong with them."""
    with pytest.raises(OptionError, match=message):
        design_of(battles(3, 20), *arguments)


def test_an_unknown_way_with_missing_values_is_refused():
    """The error lists the ways."""
    with pytest.raises(OptionError, match="'zero' is not one of error, drop"):
        design_of(battles(3, 20), missing="zero")


def test_clusters_are_codes_of_a_column():
    """Battles of the same judge have the same code."""
    frame = battles(3, 5).with_columns(judge=pl.Series(["u2", "u1", "u2", "u9", "u1"]))

    design = design_of(frame, cluster="judge")

    assert (design.cluster, design.clusters.tolist()) == ("judge", [1, 0, 1, 2, 0])


def test_days_end_at_midnight_utc():
    """Two minutes around midnight are two days."""
    times = [datetime(2024, 5, 1, 23, 59, tzinfo=UTC), datetime(2024, 5, 2, 0, 1, tzinfo=UTC)]
    frame = battles(3, 4).with_columns(tstamp=pl.Series(times * 2))

    design = design_of(frame, cluster="day")

    assert design.clusters.tolist() == [0, 1, 0, 1]


def test_a_battle_without_a_cluster_is_missing_something():
    """An unknown judge is no judge, nor one judge."""
    frame = battles(3, 5).with_columns(judge=pl.Series(["u2", None, "u2", None, "u1"]))

    design = design_of(frame, cluster="judge", missing="drop")

    assert (design.n_missing, design.clusters.tolist()) == (2, [1, 1, 0])
    with pytest.raises(ColumnError, match=r"clusters by judge \(2\)"):
        design_of(frame, cluster="judge")
    with pytest.raises(ColumnError, match="clusters by day: the votes have no column 'tstamp'"):
        design_of(frame, cluster="day")


def test_only_the_columns_needed_are_read():
    """A column that cannot be computed does not matter unless it is asked for."""
    broken = pl.col("winner").map_batches(lambda _: 1 / 0, return_dtype=pl.String)
    frame = battles(3, 20).lazy().with_columns(prompt=broken)

    design = design_of(frame, ["side"])

    assert design.points.size == 20


def test_a_restricted_design_has_only_the_battles_among_its_models():
    """As if the log had held no others."""
    names = battles(6, 300)["model_a"].unique().sort()[:4]
    frame = battles(6, 300).with_columns(
        turns=pl.Series(range(300)), judge=pl.Series([f"u{i % 37}" for i in range(300)])
    )

    few = design_of(frame, ["turns"], cluster="judge").restrict(names)

    among = frame.filter(pl.col("model_a").is_in(names), pl.col("model_b").is_in(names))
    direct = design_of(among, ["turns"], cluster="judge")
    assert few.models == direct.models
    for name in ("left", "right", "points", "covariates", "clusters"):
        np.testing.assert_array_equal(getattr(few, name), getattr(direct, name))


def test_a_design_cannot_be_changed():
    """Its arrays are read-only."""
    design = design_of(battles(3, 20), ["side"])

    with pytest.raises(ValueError, match="read-only"):
        design.covariates[0, 0] = 2.0


@pytest.mark.parametrize("n_votes", [12, 4_000])
def test_counts_of_a_design_are_those_of_the_log(n_votes):
    """Whether there are more votes than pairs of models or fewer; both-bad among the ties."""
    frame = battles(20, n_votes, seed=2)

    found = build_design(read_battles(frame)).counts

    counts = count_pairs(frame)
    assert found.models == counts.models
    np.testing.assert_array_equal(found.pairs, counts.pairs)
    both = np.column_stack([counts.outcomes[:, :2], counts.outcomes[:, 2:].sum(axis=1)])
    np.testing.assert_array_equal(found.outcomes[:, :3], both)
