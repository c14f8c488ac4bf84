"""arena report, from the command line."""

import pytest
from pages import BENIGN, Reader, log_of, match_of

from arena.battles import read_battles

FEW = ("--draws", "20", "--rounds", "20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Votes, a match of them, and a match of other votes."""
    here = tmp_path_factory.mktemp("report")
    log_of(BENIGN).write_parquet(here / "votes.parquet")
    match_of(read_battles(here / "votes.parquet"), here, BENIGN[:1]).write(here / "match.parquet")
    other = read_battles(log_of(BENIGN, prompt="quite other words"))
    match_of(other, here).write(here / "other.parquet")
    return here


@pytest.fixture
def report(arena, folder, tmp_path):
    """`arena report` on these votes: more arguments in; the result, and the page or None, out."""

    def run(*more, votes="votes.parquet"):
        target = tmp_path / "report.html"
        result = arena("report", folder / votes, "-o", target, *FEW, *more)
        return result, Reader(target.read_text("utf-8")) if target.exists() else None

    return run


def boards(page):
    return [had["data-board"] for had, _ in page.all("div", **{"class": "board"})]


def test_votes_become_a_page(report, folder):
    """Without a match or categories: the board, and that of multi-turn battles."""
    result, page = report()

    assert (result.code, result.out) == (0, "")
    assert (
        result.err.splitlines()[0]
        == f"arena: {folder / 'votes.parquet'}: plain format, 1,500 votes"
    )
    assert "not on the page: seen prompts: no match was given" in result.err
    assert boards(page) == ["full", "multiturn"]
    assert page.faults == []


def test_a_match_and_categories_add_their_boards(report, folder):
    """In the order in which they were asked for, unseen prompts first."""
    result, page = report("--match", folder / "match.parquet", "--categories", "english,coding")

    assert result.code == 0
    assert boards(page) == ["full", "unseen", "multiturn", "english", "coding"]
    assert "not on the page" not in result.err


def test_a_category_that_the_votes_do_not_tell_is_left_out_and_said(report):
    """The page is made all the same, with the reason on it and on the terminal."""
    result, page = report("--categories", "math,english")

    assert result.code == 0
    assert boards(page) == ["full", "multiturn", "english"]
    assert "not on the page: the board math: no column 'is_math'" in result.err
    assert any(text.startswith("the board math: no column") for _, text in page.all("li"))


def test_filters_are_in_the_funnel(report):
    """A filter counts for the whole page, and its losses are shown."""
    result, page = report("--language", "German", "-q")

    assert (result.code, result.out, result.err) == (0, "", "")
    steps = [text for _, text in page.all("th", scope="row")]
    assert "language is German" in steps
    assert "750 votes, 6 models" in page.all("caption")[0][1]


def test_filters_hold_for_the_match_too(report, folder):
    """Classes and shares are those of the votes on the page, not of all that were matched."""
    _, page = report("--match", folder / "match.parquet", "--language", "German", "-q")

    rows = {text: i for i, (_, text) in enumerate(page.all("th", scope="row"))}
    assert "unseen" in rows
    kinds = page.all("table", **{"class": "data kinds"})[0][1]
    assert "seen240240" in kinds.replace("\n", "")  # every sixth of 1,500, but for the stock


def test_options_reach_the_board(report):
    """Anchor, ties and level are those asked for."""
    _, page = report("--anchor", "beta=1200", "--ties", "drop", "--level", "0.9")

    head = page.all("p", **{"class": "head"})[0][1]
    assert "90% sandwich intervals" in head
    assert "beta = 1200" in head
    assert "ties dropped" in head
    assert any("held at 1200: beta" in text for _, text in page.all("dd"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--categories", "codding"), "category: no 'codding'"),
        (("--match", "{folder}/other.parquet"), "prompts of these votes; it was made from"),
        (("--match", "{folder}/votes.parquet"), "is no match; make one with arena match"),
        (("--counts",), "--counts: reads the shipped counts"),
        (("--level", "2"), "level: 2.0 is not between 0 and 1"),
        (("--language", "Klingon"), "drops all 1,500 votes"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(report, folder, more, said):
    """One line that names the culprit, exit code 2, and no file."""
    result, page = report(*(one.format(folder=folder) for one in more))

    assert result.code == 2
    assert said in result.err.splitlines()[-1]
    assert "Traceback" not in result.err
    assert page is None


@pytest.mark.parametrize("target", ["report.pdf", "nowhere/report.html"])
def test_a_path_that_cannot_be_is_refused_at_once(arena, tmp_path, target):
    """Before any vote is read."""
    result = arena("report", tmp_path / "no-votes.csv", "-o", tmp_path / target)

    assert result.code == 2
    assert "no-votes" not in result.err


def test_the_page_needs_a_name(arena):
    """There is no file that is written to without being named."""
    result = arena("report")

    assert result.code == 2
    assert "'-o'" in result.err


def test_without_votes_it_is_the_synthetic_sample_and_its_corpus(arena, tmp_path):
    """The page has every part, says that nobody cast the votes, and stays small."""
    target = tmp_path / "report.html"

    result = arena("report", "-o", target, *FEW)

    page = Reader(target.read_text("utf-8"))
    assert result.code == 0
    assert "no real votes" in result.err
    assert boards(page) == ["full", "unseen", "multiturn"]
    assert "Synthetic votes" in page.all("title")[0][1]
    tagged = [text for _, text in page.all("span", **{"class": "tag"})]
    assert sum("trained on it" in text for text in tagged) == 2
    assert target.stat().st_size < 1_000_000
    assert page.faults == []


def test_the_shipped_counts_make_a_page(arena, tmp_path):
    """Of counts, what needs rows is left out; these votes are not synthetic."""
    few = "chatgpt-4o-latest,gemma-2-27b-it,llama-3-70b-instruct"
    target = tmp_path / "report.html"

    result = arena("report", "--counts", "-o", target, "--only-models", few, "-q")

    page = Reader(target.read_text("utf-8"))
    assert result.code == 0
    assert boards(page) == ["full"]
    assert "Synthetic" not in page.all("title")[0][1]
