"""The page: its numbers are those of the board, its structure holds, and hostile text is text."""

import csv
import io
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from pages import BENIGN, CLOSER, HOSTILE, Reader, data_of, log_of, match_of

from arena.battles import read_battles
from arena.categories import FULL, rate_categories
from arena.comparison import compare
from arena.conditions import language
from arena.display import plain
from arena.errors import OptionError
from arena.filters import select
from arena.html_boards import battles_view, board_view, win_rate_view
from arena.html_contamination import KINDS, examples, kinds_table
from arena.html_data import UNSEEN, gather_page
from arena.html_page import page_manifest, render_page
from arena.html_suppositions import SHARES, UPLIFTS, packed, suppose
from arena.html_tables import axis_over, environment
from arena.html_votes import funnel_steps
from arena.injection import inject
from arena.leaderboard import Scale
from arena.prompt_report import match_sheet
from arena.report import decimals, rated
from arena.uncertainty import Interval
from arena.unseen_filter import unseen
from arena.winrates import battle_matrix

FOREIGN = ("src", "href", "action", "formaction", "srcset", "poster", "data", "style")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def data(folder):
    """All that a page of a harmless log shows."""
    return data_of(BENIGN, folder)


@pytest.fixture(scope="module")
def page(data):
    return Reader(render_page(data))


@pytest.fixture(scope="module")
def hostile(folder):
    """A page whose models, prompts and training texts are hostile."""
    return Reader(render_page(data_of(HOSTILE, folder, CLOSER)))


def supposed(page):
    """What the page's script reads."""
    return json.loads(page.by_id("suppositions")[1])


def rows_of(page, key):
    """The cells of a board's rows, as they are read."""
    text = page.by_id(f"csv-{key}")[1]
    return list(csv.DictReader(io.StringIO(text)))


# ── structure ──────────────────────────────────────────────────────────────────────────────


def test_the_page_is_well_formed(page):
    """Every element is closed where it was opened, and ids are given once."""
    ids = [had["id"] for _, had, _ in page.elements if "id" in had]

    assert page.faults == []
    assert len(set(ids)) == len(ids)
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert page.all("html")[0][0]["lang"] == "en"


def test_headings_leave_out_no_level(page):
    """A heading is at most one level below the one before it."""
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch(r"h\d", tag)]

    assert levels[0] == 1
    assert max(np.diff(levels)) == 1


def test_references_inside_the_page_lead_somewhere(page):
    """Links, labels and what names a region by its heading point to an id that is there."""
    ids = {had["id"] for _, had, _ in page.elements if "id" in had}
    names = ("for", "aria-labelledby", "data-copies")
    asked = [had[name] for _, had, _ in page.elements for name in names if name in had]
    links = [had["href"] for had, _ in page.all("a")]

    assert set(asked) <= ids
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    assert page.all("a")[0] == ({"class": "skip", "href": "#board"}, "Skip to the leaderboard")


def test_tables_say_what_they_are(page):
    """Each has a caption; each heading says whether it heads a row or a column."""
    tables = page.all("table")

    written = [had for had, _ in tables if had.get("id") != "what-grid"]
    assert len(page.all("caption")) == len(written) > 6
    assert all(text.strip() for _, text in page.all("caption"))
    assert {had.get("scope") for had, _ in page.all("th")} == {"row", "col"}
    assert all(text.strip() for _, text in page.all("th"))


def test_controls_and_drawings_have_names(page):
    """Every control has a label or text, every drawing says what it shows."""
    labelled = {had["for"] for had, _ in page.all("label") if "for" in had}
    free = [
        had
        for tag in ("input", "select", "textarea")
        for had, _ in page.all(tag)
        if had.get("type") != "radio" and had["id"] not in labelled
    ]

    assert free == []
    assert all(text.strip() for _, text in page.all("button"))
    assert all(had["role"] == "img" and had["aria-label"] for had, _ in page.all("svg"))
    regions = [had for had, _ in page.all("div", role="region")]
    assert all(had["tabindex"] == "0" and had["aria-label"] for had in regions)


# ── nothing from outside, nothing that acts ────────────────────────────────────────────────


def test_the_page_asks_for_nothing(page):
    """No element names an address; what the page may do is its own style sheet and script."""
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    (style,) = (text for _, text in page.all("style"))
    (script,) = (text for had, text in page.all("script") if "type" not in had)

    addresses = [
        (tag, had) for tag, had, _ in page.elements if tag != "a" and set(had) & set(FOREIGN)
    ]
    assert addresses == []
    assert "url(" not in style
    assert "@import" not in style
    for text, kind in ((style, "style"), (script, "script")):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_the_script_makes_no_markup():
    """It writes text, never markup, and evaluates nothing."""
    script = environment().get_template("page.js").render()

    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script


def test_hostile_text_makes_no_element(page, hostile):
    """With hostile models, prompts and training texts there are the same kinds of element."""
    kinds = {tag for tag, _, _ in page.elements}

    assert hostile.faults == []
    assert {tag for tag, _, _ in hostile.elements} == kinds
    assert "img" not in kinds
    assert len(hostile.all("script")) == 2
    assert not any(name.startswith("on") for _, had, _ in hostile.elements for name in had)


def test_hostile_names_are_shown_as_they_are(hostile):
    """Each is read in the board, in the script's data and in the CSV, where none is a formula."""
    names = {plain(name) for name in HOSTILE}

    heads = {text for had, text in hostile.all("th", scope="row", **{"class": "name"})}
    assert names <= heads
    assert {model["name"] for model in supposed(hostile)["models"]} == names
    cells = [row["model"] for row in rows_of(hostile, FULL)]
    assert {cell.removeprefix("'") for cell in cells} == names
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_hostile_prompts_are_shown_as_they_are(hostile):
    """An example reads as the prompt does."""
    prompts = [text for had, text in hostile.all("bdi", dir="auto")]

    assert any(text.startswith(CLOSER) for text in prompts)


# ── numbers ────────────────────────────────────────────────────────────────────────────────


def test_the_boards_are_those_of_their_votes(data, folder):
    """All votes, each category, and the votes on unseen prompts, each rated by itself."""
    log = read_battles(log_of(BENIGN))
    plain_boards = rate_categories(log, ["multiturn", "coding"]).boards

    assert list(data.boards) == [FULL, UNSEEN, "multiturn", "coding"]
    for key, board in plain_boards.items():
        assert data.boards[key].frame.equals(board.frame)
    kept = select(log, unseen(match_of(log, folder))).kept
    alone = rate_categories(kept, []).boards[FULL].frame
    shown = data.boards[UNSEEN].frame
    assert shown["model"].to_list() == alone["model"].to_list()
    np.testing.assert_allclose(shown["rating"], alone["rating"], atol=1e-6)
    np.testing.assert_allclose(shown["rating_lower"], alone["rating_lower"], atol=1e-6)


def test_rows_read_as_the_board_does(data, page):
    """Rank, name and rating of every row, in order; the CSV has them at full precision."""
    board = rated(data.board)
    rows = rows_of(page, FULL)

    assert [row["model"] for row in rows] == board["model"].to_list()
    assert [float(row["rating"]) for row in rows] == board["rating"].to_list()
    shown = [text for had, text in page.all("th", scope="row", **{"class": "name"})]
    assert shown[: board.height] == board["model"].to_list()
    orders = [
        float(had["data-order"])
        for had, _ in page.all("td", **{"class": "draw"})
        if "data-order" in had
    ]
    assert orders[: board.height] == pytest.approx(board["rating"].to_list(), rel=1e-5)


def test_cells_are_read_as_the_board_says(data):
    """Each cell of a row: rank, rating, half the interval, the ranks it could be, and votes."""
    digits = decimals(data.board)
    axis = axis_over([900.0, 1100.0])

    view = board_view(data.board, axis=axis)

    assert [head.text for head in view.heads] == [
        *("rank", "model", "rating", "interval", "±", "could be", "battles"),
        *("wins", "losses", "ties"),
    ]
    for cells, row in zip(view.rows, rated(data.board).iter_rows(named=True), strict=True):
        half = (row["rating_upper"] - row["rating_lower"]) / 2
        ranks = sorted({row["rank_best"], row["rank_worst"]})
        lower, upper = (f"{row[f'rating_{side}']:,.{digits}f}" for side in ("lower", "upper"))
        assert [cell.text for cell in cells] == [
            str(row["rank"]),
            row["model"],
            f"{row['rating']:,.{digits}f}",
            f"{lower} to {upper}",
            f"{half:.{digits}f}",
            "–".join(map(str, ranks)),
            *(f"{row[name]:,}" for name in ("battles", "wins", "losses", "ties")),
        ]
        drawing = cells[3].drawing
        assert drawing.dot == axis.place(row["rating"])
        assert drawing.line == (axis.place(row["rating_lower"]), axis.place(row["rating_upper"]))


def test_places_risen_are_against_all_votes(data):
    """With all votes turned round, who is last there is first here, five places risen."""
    turned = log_of(BENIGN).rename({"model_a": "model_b", "model_b": "model_a"})
    board = rate_categories(read_battles(turned), []).boards[FULL]
    order = rated(data.board)["model"].to_list()

    view = board_view(board, beside=data.board)

    assert [cells[1].text for cells in view.rows] == order[::-1]
    assert view.heads[3].text == "risen"
    assert [cells[3].text for cells in view.rows] == ["+5", "+3", "+1", "-1", "-3", "-5"]


def test_heat_maps_hold_win_rates_and_battles(data):
    """P(i beats j) is the logistic of the rating gap; the votes of a pair are those of the log."""
    log = log_of(BENIGN)
    names = rated(data.board)["model"].to_list()
    rating = dict(rated(data.board).select("model", "rating").iter_rows())

    rates, met = win_rate_view(data.board), battles_view(data.board)

    assert rates.names == met.names == tuple(names)
    for i, one in enumerate(names):
        for j, two in enumerate(names):
            if i == j:
                assert rates.cells[i][j] == met.cells[i][j] == ("", "self")
                continue
            p = 1 / (1 + 10 ** ((rating[two] - rating[one]) / 400))
            pair = pl.col("model_a").is_in([one, two]) & pl.col("model_b").is_in([one, two])
            assert rates.cells[i][j][0] == f"{100 * p:.0f}"
            assert rates.cells[i][j][1][0] == ("w" if p >= 0.5 else "l")
            assert met.cells[i][j][0] == f"{log.filter(pair).height:.0f}"
    most = np.unravel_index(np.argmax(battle_matrix(data.board.fit.counts)), (6, 6))
    shades = [[shade for _, shade in row] for row in met.cells]
    first, second = (names.index(data.board.fit.models[i]) for i in most)
    assert shades[first][second] == "n10"


def test_suppositions_are_those_of_injection(data, page):
    """Each cell is the rating and rank that `inject` gives, ratings to a tenth."""
    told = supposed(page)

    assert told["shares"] == list(SHARES)
    assert told["uplifts"] == list(UPLIFTS)
    for model in told["models"]:
        frame = inject(data.board, model["name"], SHARES, UPLIFTS).frame
        columns = frame.select(pl.col("rating").round(1), "rank", "rank_lower", "rank_upper")
        assert [tuple(cell) for cell in model["cells"]] == columns.rows()
    assert told["models"][told["first"]]["name"] == BENIGN[0]


def test_an_anchor_gains_nothing():
    """A model that is held in place is not among those supposed to gain."""
    board = rate_categories(read_battles(log_of(BENIGN)), [], interval=Interval("none")).boards[
        FULL
    ]
    anchored = replace(board, scale=replace(board.scale, anchor=("alpha", 1000.0)))

    found = suppose(anchored, [0.1], [50.0])

    assert {one.model for one in found} == set(BENIGN[1:])
    assert found[0].cells[0][2:] == (None, None)
    assert packed(found, "beta")["first"] == [one.model for one in found].index("beta")


def test_whom_the_panel_leaves_out_is_said():
    """That the anchor is not among the models to choose from stands on the page."""
    data = gather_page(read_battles(log_of(BENIGN)), scale=Scale(anchor=("alpha", 1000.0)))

    assert len(data.suppositions) == len(BENIGN) - 1
    assert any(reason.startswith("what if: for 1 model: the anchor") for reason in data.left_out)


def test_the_board_without_seen_prompts_is_compared_as_asked(data):
    """Every option of `compare` reaches it: the page has the table that it gives by itself."""
    log = read_battles(log_of(BENIGN))
    asked = {"against": "rest", "within": ["language"], "cluster": "language", "draws": 7}
    asked |= {"rounds": 5, "level": 0.8, "seed": 3, "ties": "drop", "scale": Scale(init=500.0)}

    told = gather_page(log, data.match, **asked).comparison

    alone = compare(log, unseen(data.match), **asked)
    assert told.frame.equals(alone.frame)
    assert told.options == alone.options


def test_the_classes_add_up(data, folder):
    """Battles by class are those that `arena match` counts, and together all with a prompt."""
    log = read_battles(log_of(BENIGN))
    counted = match_sheet(data.match, log).frame.row(0, named=True)

    table = kinds_table(data.match)

    assert table["prompts"].to_list() == list(KINDS)
    assert table["battles"].to_list() == [counted[kind] for kind in KINDS]
    assert table["battles"].sum() == 1_500
    assert table["share of battles"].sum() == pytest.approx(1.0)
    assert table.filter(prompts="seen")["battles"].item() == 490  # every third, but for the stock
    assert table.filter(prompts="stock")["battles"].item() == 30  # every 50th


def test_examples_are_of_every_class(data):
    """Each class that there is has some, none twice; seen ones come with what was found."""
    found = examples(data.match)

    assert {one.kind for one in found} == {"seen", "unseen", "stock"}
    assert len({(one.kind, one.prompt) for one in found}) == len(found) <= 9
    seen = [one for one in found if one.kind == "seen"]
    assert all(one.text and one.where.startswith("corpus.parquet, row ") for one in seen)


def test_the_comparison_is_shown_with_its_placebo(data, page):
    """Every model's change, in points, and what chance would do beside it."""
    log = read_battles(log_of(BENIGN))
    told = compare(log, unseen(data.match), draws=40, rounds=40).frame

    rows = list(csv.DictReader(io.StringIO(page.by_id("csv-comparison")[1])))

    assert [float(row["change"]) for row in rows] == told["change"].to_list()
    assert [float(row["null_lower"]) for row in rows] == told["null_lower"].to_list()
    drawings = [had["aria-label"] for had, _ in page.all("svg") if "by chance" in had["aria-label"]]
    assert len(drawings) == len(BENIGN)
    row = told.row(0, named=True)
    assert drawings[0].startswith(f"change {row['change']:+.1f}, {row['change_lower']:+.1f} to ")
    tags = [text for _, text in page.all("span", **{"class": "tag"})]
    assert sum(tag.startswith("trained on it") for tag in tags) == 1


def test_the_funnel_adds_up():
    """From rows read, each step's loss leads to the next, and the last one to the votes rated."""
    frame = log_of(BENIGN)
    bad = frame.head(3).with_columns(winner=pl.lit(None, pl.String))
    lonely = pl.DataFrame([{**frame.row(0, named=True), "model_a": "x", "model_b": "y"}])
    log = read_battles(pl.concat([frame, bad, lonely.cast(frame.schema)]))

    data = gather_page(select(log, language("German")).kept, draws=2, rounds=2)

    steps = funnel_steps(data.tally, data.board)
    left = [step[3] for step in steps]
    assert [(what, lost) for _, what, lost, _ in steps] == [
        ("rows read", 0.0),
        ("no winner", 3),
        ("language is German", 751),
    ]
    assert left == [1504, 1501, 750]
    assert left[-1] == data.board.fit.counts.n_battles


def test_models_without_a_rating_are_said():
    """Two models that only met each other are left out, and the page says which and why."""
    frame = log_of(BENIGN)
    apart = pl.DataFrame([{**frame.row(0, named=True), "model_a": "x", "model_b": "y"}] * 2)

    data = gather_page(
        read_battles(pl.concat([frame, apart.cast(frame.schema)])), draws=2, rounds=2
    )

    who, _, lost, left = funnel_steps(data.tally, data.board)[-1]
    assert (who, lost, left) == ("fit", 2, 1500)
    text = render_page(data)
    assert "Not rated: x:" in text
    assert "2 more not rated" in text


# ── what is there, and what is not ─────────────────────────────────────────────────────────


def test_the_same_votes_give_the_same_page(data, folder, page):
    """Made anew from the same votes, match and seed, the page is the same to the letter."""
    again = data_of(BENIGN, folder)

    assert render_page(again) == render_page(data)


def test_counts_have_the_parts_that_need_no_rows():
    """Of counts there is a board, what-if and pairs; the rest is said to be missing, with why."""
    frame = (
        log_of(BENIGN)
        .group_by("model_a", "model_b")
        .agg(
            *(
                (pl.col("winner") == winner).sum().alias(name)
                for winner, name in (
                    ("model_a", "wins_a"),
                    ("model_b", "wins_b"),
                    ("tie", "ties"),
                    ("both_bad", "both_bad"),
                )
            )
        )
    )

    data = gather_page(read_battles(frame), None, ["coding"])
    page = Reader(render_page(data))

    assert list(data.boards) == [FULL]
    assert data.board.fit.counts.n_battles == 1_500
    said = [text for _, text in page.all("li")]
    for missing in ("the board multiturn: no column 'turns'", "the board coding:", "seen prompts:"):
        assert any(text.startswith(missing) for text in said)
    assert page.faults == []
    assert "seen" not in {had.get("id") for had, _ in page.all("section")}
    assert len(supposed(page)["models"]) == len(BENIGN)
    assert not page.all("input", type="radio")


def test_a_match_without_seen_prompts_compares_nothing(tmp_path):
    """The classes are shown, and why there is no second board."""
    log = read_battles(log_of(BENIGN))
    match = match_of(log, tmp_path, prompt="something else altogether that nobody asked for")

    data = gather_page(log, match)
    page = Reader(render_page(data))

    assert data.comparison is None
    assert UNSEEN not in data.boards
    assert any("no seen prompt" in reason for reason in data.left_out)
    assert page.by_id("seen")
    assert page.faults == []


def test_a_category_that_nobody_knows_is_refused():
    """It is a mistake of spelling, not something that the votes lack."""
    with pytest.raises(OptionError, match="no 'codding'"):
        gather_page(read_battles(log_of(BENIGN)), None, ["codding"])


def test_one_axis_for_all_boards(page):
    """A drawing's place means the same rating on each board."""
    ends = {text for had, text in page.all("span", **{"class": "ends"}) if "+" not in text}

    assert len(ends - {"0 to all"}) == 1


def test_synthetic_votes_are_called_so(tmp_path):
    """Where nobody cast the votes, title and first line say so; elsewhere they do not."""
    frame = log_of(BENIGN)
    pages = []
    for name in ("synthetic_votes.parquet", "votes.parquet"):
        frame.write_parquet(tmp_path / name)
        pages.append(Reader(render_page(gather_page(read_battles([tmp_path / name])))))

    said = [page.all("div", role="note") for page in pages]
    assert "Nobody cast them" in said[0][0][1]
    assert said[1] == []
    titles = [page.all("title")[0][1] for page in pages]
    assert titles == [
        "Synthetic votes; Ratings from synthetic_votes.parquet",
        "Ratings from votes.parquet",
    ]


def test_the_manifest_is_on_the_page(data, page):
    """With the inputs' hashes, each board's counts, the match and the comparison."""
    (text,) = (text for _, text in page.all("pre"))

    held = json.loads(text)
    assert held == json.loads(json.dumps(page_manifest(data), default=str))
    assert held["board"]["counts_sha256"] == data.tally.counts.sha256()
    assert held["comparison"]["options"]["draws"] == 40
    assert set(held["boards"]) == set(data.boards)
    assert held["trained"] == {"corpus.parquet": [BENIGN[0]]}
