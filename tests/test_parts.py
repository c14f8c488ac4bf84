"""A log in two parts has every vote in one of them, in the row of its pair and stratum."""

import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.conditions import multi_turn
from arena.errors import ColumnError, OptionError
from arena.filters import select, where
from arena.parts import KEPT, REST, count_part_clusters, count_parts
from arena.tally import count_pairs, tally_votes

NOT_FRENCH = where("not French", pl.col("language") != "fr")
"""What both parts have to meet."""
COLUMNS = {
    "plain": {},
    "votes": {"votes": "number"},
    "weights": {"weight": "w"},
    "votes and weights": {"votes": "number", "weight": "w"},
}
WITHIN = [(), ("language",), ("month",), ("language", "month")]


def diary(n_battles=400, seed=3):
    """A log with turns, languages, months and judges, some of them unknown, and with weights."""
    rng = np.random.default_rng(seed)

    def drawn(values):
        return pl.Series([values[i] for i in rng.integers(0, len(values), n_battles)])

    days = rng.permutation(np.linspace(0, 80, n_battles))
    return battles(5, n_battles, seed=seed).with_columns(
        turns=drawn([None, 1, 1, 2, 3]),
        language=drawn([None, "de", "en", "fr"]),
        judge=drawn([None, "j1", "j2", "j3", "j4"]),
        tstamp=pl.Series([dt.datetime(2024, 1, 9, tzinfo=dt.UTC) + dt.timedelta(d) for d in days]),
        number=drawn([1, 2, 3]),
        w=drawn([0.5, 1.0, 2.5]),
    )


def filtered(frame, columns=None):
    """The battles of a log, French ones left out of both parts, kept if they have two turns."""
    given = select(read_battles(frame, columns=columns), NOT_FRENCH).kept
    return select(given, multi_turn()).kept


def part_of(row):
    """Kept, rest, or neither."""
    if row["language"] in (None, "fr"):
        return None
    return KEPT if (row["turns"] or 0) >= 2 else REST


def kind_of(row):
    """The pair by name, and 0, 1 or 2: its first model won, its second, neither."""
    pair = tuple(sorted((row["model_a"], row["model_b"])))
    winner = row.get(row["winner"])
    return pair, 2 if winner is None else pair.index(winner)


def slowly(frame, columns, within):
    """Pair → stratum → weights and numbers of votes, [2, 3] each, one vote at a time."""
    found = {}
    for row in frame.iter_rows(named=True):
        row["month"] = (row["tstamp"].year, row["tstamp"].month)
        if (part := part_of(row)) is None:
            continue
        pair, kind = kind_of(row)
        stratum = tuple(row[name] for name in within)
        tables = found.setdefault(pair, {}).setdefault(stratum, np.zeros((2, 2, 3)))
        number = row["number"] if "votes" in columns else 1
        tables[:, part, kind] += number * np.array([row["w"] if "weight" in columns else 1, 1])
    return found


@pytest.mark.parametrize("within", WITHIN, ids=lambda within: " ".join(within) or "no strata")
@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_each_row_holds_the_votes_of_a_pair_and_a_stratum(columns, within):
    """Both sides of a pair together, both-bad among the ties, unknown turns among the rest."""
    frame = diary()

    parts = count_parts(filtered(frame, columns), common=1, within=within)

    found = {}
    tables = np.stack([parts.sums, parts.votes])
    for row, ends in enumerate(zip(parts.left, parts.right, strict=True)):
        pair = tuple(parts.models[i] for i in ends)
        found.setdefault(pair, []).append(tables[..., row].ravel().tolist())
    expected = slowly(frame, columns, within)
    assert {pair: sorted(rows) for pair, rows in found.items()} == {
        pair: sorted(rows.ravel().tolist() for rows in strata.values())
        for pair, strata in expected.items()
    }
    assert (parts.votes is parts.sums) == ("weight" not in columns)


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_the_parts_are_counted_as_logs_of_their_own(columns):
    """Kept and rest are what logs of only these votes give, and all is both."""
    frame = diary().filter(pl.col("language") != "fr")
    long = (pl.col("turns") >= 2).fill_null(value=False)

    parts = count_parts(filtered(frame, columns), common=1)

    logs = {"kept": frame.filter(long), "rest": frame.filter(~long), "all": frame}
    for name, votes in logs.items():
        found, expected = getattr(parts, name), count_pairs(read_battles(votes, columns=columns))
        assert found.models == expected.models
        np.testing.assert_array_equal(found.pairs, expected.pairs)
        np.testing.assert_allclose(found.outcomes, expected.outcomes, rtol=1e-12)
        np.testing.assert_allclose(found.squares, expected.squares, rtol=1e-12)


def test_a_row_forgets_the_sides():
    """However a pair was shown, its first model by name is on the left."""
    rows = [*won("b", "a", 2), ("a", "b", "model_b"), *won("a", "b", 4), ("b", "a", "model_b")]
    ties = [*tied("b", "a", 3), ("a", "b", "both_bad")]
    frame = log(*rows, *ties).with_columns(turns=pl.lit(2))

    parts = count_parts(select(read_battles(frame), multi_turn()).kept)

    assert (parts.models, parts.left.tolist(), parts.right.tolist()) == (("a", "b"), [0], [1])
    assert parts.sums[..., 0].tolist() == [[5, 3, 4], [0, 0, 0]]


def test_rows_are_in_the_order_of_their_pairs():
    """Which is what looking them up relies on."""
    for within in WITHIN:
        parts = count_parts(filtered(diary()), common=1, within=within)
        key = parts.left * len(parts.models) + parts.right
        assert (parts.left < parts.right).all()
        assert (np.diff(key) >= (0 if within else 1)).all()


def test_a_stratum_that_is_not_known_is_one_of_its_own():
    """Votes without a language are compared with each other."""
    frame = log(*won("a", "b", 5)).with_columns(
        turns=pl.Series([1, 2, 1, 2, 2]), language=pl.Series(["de", "de", None, None, None])
    )

    parts = count_parts(select(read_battles(frame), multi_turn()).kept, within=["language"])

    assert sorted(parts.sums[:, 0].T.tolist()) == [[1, 1], [2, 1]]


def test_months_are_those_of_the_calendar_in_utc():
    """A vote late on the first of May in Tokyo is one of April's."""
    tokyo = dt.timezone(dt.timedelta(hours=9))
    times = [dt.datetime(2024, 5, 1, 8, tzinfo=tokyo), dt.datetime(2024, 4, 1, 9, tzinfo=tokyo)]
    times += [dt.datetime(2024, 5, 1, 10, tzinfo=tokyo), dt.datetime(2023, 4, 9, tzinfo=tokyo)]
    frame = log(*won("a", "b", 4)).with_columns(turns=pl.lit(2), tstamp=pl.Series(times))

    parts = count_parts(select(read_battles(frame), multi_turn()).kept, within=["month"])

    assert sorted(parts.sums[KEPT, 0].tolist()) == [1, 1, 2]


def test_the_account_is_that_of_the_battles_kept():
    """Every row of the log, and what every condition dropped, the common ones included."""
    given = filtered(diary(), COLUMNS["votes"])
    expected = tally_votes(given)

    for within in WITHIN:
        tally = count_parts(given, common=1, within=within).tally
        assert tally.funnel.rows() == expected.funnel.rows()
        assert tally.readings == expected.readings
        assert tally.counts.frame().rows() == expected.counts.frame().rows()


@pytest.mark.parametrize("chosen", [(0, 1, 2, 3, 4), (0, 2, 3), (1, 4), (3,)])
@pytest.mark.parametrize("within", WITHIN[:2], ids=["no strata", "strata"])
def test_rows_find_the_pairs_of_a_fit(chosen, within):
    """One where a row is of a pair; nothing for models that the fit lacks, or the log."""
    parts = count_parts(filtered(diary()), common=1, within=within)
    models = ("a guest", *(parts.models[i] for i in chosen), "z guest")
    pairs = list(itertools.combinations(range(len(models)), 2))[::2]
    left, right = np.array(pairs).T

    cells = parts.cells(models, left, right).toarray()

    for (i, j), found in zip(pairs, cells, strict=True):
        for row, ends in enumerate(zip(parts.left, parts.right, strict=True)):
            assert found[row] == ({parts.models[k] for k in ends} == {models[i], models[j]})


# ── clusters ───────────────────────────────────────────────────────────────────────────────

KEYS = {
    "judge": lambda row: row["judge"],
    "day": lambda row: row["tstamp"].date(),
    "language": lambda row: row["language"],
}


def slowly_by(frame, parts, columns, key):
    """Cluster → weights [2, 3, R] of its votes; a vote without a value is a cluster alone."""
    rows = {
        (parts.models[i], parts.models[j]): row
        for row, (i, j) in enumerate(zip(parts.left, parts.right, strict=True))
    }
    found = {}
    for number, row in enumerate(frame.iter_rows(named=True)):
        if (part := part_of(row)) is None:
            continue
        pair, kind = kind_of(row)
        for vote in range(row["number"] if "votes" in columns else 1):
            value = key(row) or f"alone {number} {vote}"
            table = found.setdefault(value, np.zeros((2, *parts.sums.shape[1:])))
            table[part, kind, rows[pair]] += row["w"] if "weight" in columns else 1
    return found


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("column", KEYS)
def test_clusters_hold_both_parts_votes_of_one_value(column, columns):
    """Counted vote by vote; the same row is the same cluster in both parts."""
    frame = diary().with_columns(w=pl.when(pl.col("judge").is_null()).then(2.0).otherwise("w"))
    given = filtered(frame, columns)
    parts = count_parts(given, common=1)

    clusters = count_part_clusters(given, parts, column, 1)

    tables = np.hstack([clusters.kept.toarray(), clusters.rest.toarray()])
    expected = slowly_by(frame, parts, columns, KEYS[column]).values()
    assert clusters.column == column
    assert sorted(tables.tolist()) == sorted(table.ravel().tolist() for table in expected)


def test_all_clusters_together_are_the_parts():
    """No vote is lost, and none counted twice."""
    for columns in COLUMNS.values():
        given = filtered(diary(), columns)
        parts = count_parts(given, common=1)

        clusters = count_part_clusters(given, parts, "judge", 1)

        for part, table in ((KEPT, clusters.kept), (REST, clusters.rest)):
            total = np.asarray(table.sum(axis=0)).reshape(3, -1)
            np.testing.assert_allclose(total, parts.sums[part], rtol=1e-12)


def test_votes_of_nobody_are_clusters_of_one_vote():
    """However alike they are, and however many of them one row stands for."""
    frame = log(*won("a", "b", 4), *won("b", "a", 3)).with_columns(
        turns=pl.Series([1, 2] * 3 + [2]), judge=pl.lit(None, pl.String), number=pl.lit(2)
    )
    given = select(read_battles(frame, columns=COLUMNS["votes"]), multi_turn()).kept

    clusters = count_part_clusters(given, count_parts(given), "judge", 0)

    kept, rest = (table.toarray().sum(axis=1) for table in (clusters.kept, clusters.rest))
    assert (kept.sum(), rest.sum()) == (8, 6)
    assert (kept + rest).tolist() == [1] * 14


# ── refusing ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["country", "winner", "model_a", "model_b", "month"])
def test_strata_are_made_of_columns_that_are_there(name):
    """The error lists them; the models and the vote are no strata; a month needs times."""
    frame = diary().drop("tstamp")

    with pytest.raises(ColumnError, match=f"within: no column '{name}' in these votes, which") as e:
        count_parts(filtered(frame), 1, [name])

    assert "model_a, model_b, winner, judge, language, turns; 'month' stands for" in str(e.value)


@pytest.mark.parametrize(("within", "same"), [(["turns", "turns"], ["turns"]), (["anony"], [])])
def test_strata_that_are_there_already_make_no_difference(within, same):
    """A column that is named twice, or one that decides what counts and so is always true."""
    given = filtered(diary().with_columns(anony=pl.lit(value=True)))

    one, other = (count_parts(given, 1, names) for names in (within, same))

    np.testing.assert_array_equal(one.sums, other.sums)


@pytest.mark.parametrize("column", ["votes", "weight"])
def test_the_number_of_votes_and_their_weight_are_no_strata(column):
    """They are refused as the winner is: a row is so many votes, whatever stratum they are in."""
    given = filtered(diary(), COLUMNS["votes and weights"])

    with pytest.raises(ColumnError, match=f"within: no column '{column}' in these votes"):
        count_parts(given, 1, [column])


def test_without_a_filter_there_is_no_second_part():
    """The error shows one."""
    with pytest.raises(OptionError, match="compare: no filter, so nothing to compare"):
        count_parts(read_battles(diary()))
