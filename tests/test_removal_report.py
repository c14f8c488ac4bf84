"""What is said of doses and of the fewest votes, in tables and sentences."""

import numpy as np
import polars as pl
import pytest
from seen_world import match_of, world
from worlds import battles, log, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.dosing import dose
from arena.removal_report import dose_sheet, fewest_votes_sheet, random_removal_sheet
from arena.tables import frame_json, frame_markdown
from arena.tally import count_pairs
from arena.vote_influence import fewest_votes


@pytest.fixture(scope="module")
def doses():
    """Of a log in which one model gains."""
    frame, _ = world(1_500, uplift=1.5)
    return dose(read_battles(frame), match_of(frame), orders=20)


@pytest.fixture(scope="module")
def duel():
    """Two models of which the second needs 21 votes less of the first's."""
    return fewest_votes(
        fit_bradley_terry(count_pairs(log(*won("a", "b", 60), *won("b", "a", 40)))),
        most=0.5,
        draws=50,
    )


def said(sheet):
    """Title and lines as one text."""
    return " ".join([sheet.title, *sheet.lines])


def test_a_dose_is_shown_as_a_row_per_model_with_a_few_shares(doses):
    """Of eleven five; the file has all of them."""
    sheet = dose_sheet(doses)

    shares = [name for name in sheet.summary.columns if name.endswith("% in")]
    assert shares == ["0% in", "20% in", "50% in", "70% in", "100% in"]
    assert sheet.summary.height == 5
    assert sheet.frame.height == 55
    first = doses.frame.filter(model=sheet.summary["model"][0])
    assert sheet.summary["50% in"][0] == pytest.approx(first["rating"][5], abs=0.05)
    assert sheet.head(2).frame["model"].n_unique() == 2


def test_what_chance_does_not_make_is_named(doses):
    """With how many it would name by itself, and what it does not prove."""
    text = said(dose_sheet(doses))

    assert "m000" in text
    assert f"{doses.n_seen:,.0f} battles of 1,500 on {doses.prompts:,} prompts" in text
    assert "not why" in text


def test_a_set_is_told_with_its_size_its_refit_and_its_random_counterpart(duel):
    """And with what it does not mean."""
    sheet = fewest_votes_sheet(duel)

    assert sheet.title.startswith("Without 21 of 100 votes (21%), first place goes to another: a")
    assert sheet.summary.drop("points each").rows() == [("a", "beat", "b", 21, 60)]
    text = said(sheet)
    assert f"b stands {-duel.gap_after:.2f} points above a: an exact refit" in text
    assert "As many removed at random change the order in" in text
    assert "does not prove that there is none" in text
    assert "not that somebody tampered" in text


def test_no_set_is_a_result_as_well():
    """The title says so, and the random curve stands under it."""
    fit = fit_bradley_terry(count_pairs(log(*won("a", "b", 90), *won("b", "a", 10))))

    sheet = fewest_votes_sheet(fewest_votes(fit, draws=10))

    assert sheet.title.startswith("No set of up to 30 of 100 votes was found: a stands")
    assert sheet.summary.is_empty()
    assert "gone at random" in said(sheet)
    assert "tampered" not in said(sheet)


@pytest.mark.parametrize(("wins", "settled"), [(60, False), (90, True)])
def test_a_gap_whose_interval_holds_zero_is_called_unsettled(wins, settled):
    """There the fewest votes say little that the interval does not."""
    fit = fit_bradley_terry(count_pairs(log(*won("a", "b", wins), *won("b", "a", 50))))

    text = said(fewest_votes_sheet(fewest_votes(fit, most=0.9, draws=5)))

    assert ("do not settle" in text) is not settled


def test_judges_are_named_by_their_column():
    """As rows of their own, with their votes."""
    frame = battles(4, 600, seed=4, spread=0.3).with_columns(
        judge=pl.Series([f"j{i % 40:02d}" for i in range(600)])
    )
    clusters = count_clusters(read_battles(frame), "judge")
    found = fewest_votes(fit_bradley_terry(clusters.counts), clusters, draws=5)

    sheet = fewest_votes_sheet(found)

    assert sheet.frame.columns == ["judge", "votes", "effect"]
    assert sheet.summary.columns == ["judge", "votes", "points each"]
    assert f"of 40 judges ({100 * found.share:.2g}%)" in sheet.title
    assert f"which hold {found.votes:,.0f} votes" in said(sheet)
    assert sheet.head(1).frame.height == sheet.head(1).summary.height == 1


def test_the_random_curve_is_a_table_of_its_own(duel):
    """In percent on the screen, as probabilities in the file."""
    sheet = random_removal_sheet(duel)

    assert sheet.frame.equals(duel.random)
    np.testing.assert_allclose(
        sheet.summary["% changed"], 100 * duel.random["probability"], atol=0.051
    )


def test_every_sheet_can_be_written(doses, duel):
    """As Markdown, and as JSON with what is needed to make it again."""
    for sheet in (dose_sheet(doses), fewest_votes_sheet(duel), random_removal_sheet(duel)):
        assert sheet.title in frame_markdown(sheet.summary, sheet.title, sheet.lines)
        assert frame_json(sheet.frame, sheet.name, sheet.manifest)
        assert all("\n" not in line for line in (sheet.title, *sheet.lines))
