"""The page in a real browser: what a reader can do with it, by mouse and by keyboard.

Runs where Chromium is installed (Debian: `apt-get install chromium`), and is skipped elsewhere.
"""

import itertools
import json

import pytest
from browser import CHROMIUM, Browser
from pages import BENIGN, CLOSER, HOSTILE, data_of

from arena.display import plain
from arena.html_page import render_page
from arena.html_suppositions import SHARES, UPLIFTS
from arena.report import rated

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine; Debian has it as chromium"
)

BY_NAME = sorted(BENIGN, key=str.casefold)
VISIBLE = (
    "[...document.querySelectorAll('.board:not([hidden]) tbody tr')].filter(r => !r.hidden)"
    ".map(r => r.querySelector('th').textContent.trim())"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def data(folder):
    return data_of(BENIGN, folder)


@pytest.fixture(scope="module")
def files(folder, data):
    """A harmless page and a hostile one."""
    (folder / "page.html").write_text(render_page(data), "utf-8")
    hostile = render_page(data_of(HOSTILE, folder, CLOSER))
    (folder / "hostile.html").write_text(hostile, "utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def page(browser, files):
    """The harmless page, just opened; whatever is done to it, it may not complain or ask."""
    browser.open(files / "page.html")
    yield browser
    assert browser.complaints == []
    assert browser.requests == []


def head(name, board="full"):
    """Where the button that sorts a board by a column is, as a selector."""
    number = {"rank": 1, "model": 2, "rating": 3}[name]
    return f".board[data-board={board}] thead th:nth-child({number}) button"


def text_of(page, selector):
    return page.value(f"document.querySelector({json.dumps(selector)}).textContent")


def focused(page):
    """The id, or else the text, of what has the focus."""
    return page.value("document.activeElement.id || document.activeElement.textContent.trim()")


# ── the board ──────────────────────────────────────────────────────────────────────────────


def test_a_click_sorts_and_another_turns_it_round(page, data):
    """By name, and back by rating; the heading says which way to who cannot see the arrow."""
    by_rank = rated(data.board)["model"].to_list()
    assert page.value(VISIBLE) == by_rank

    page.click(head("model"))
    by_name = page.value(VISIBLE)
    page.click(head("model"))
    turned = page.value(VISIBLE)
    state = page.value(f"document.querySelector('{head('model')}').parentElement.ariaSort")
    page.click(head("rating"))
    by_rating = page.value(VISIBLE)

    assert by_name == BY_NAME
    assert turned == BY_NAME[::-1]
    assert state == "descending"
    assert by_rating == by_rank
    assert page.value("document.querySelectorAll('.board:not([hidden]) [aria-sort]').length") == 1


def test_searching_leaves_the_rows_that_fit(page):
    """As one types, in any case; how many are left is said."""
    page.click("#find")
    page.write("zE")
    found, said = page.value(VISIBLE), text_of(page, "#found")
    page.value(
        "(() => { const f = document.querySelector('#find'); f.value = '';"
        "f.dispatchEvent(new Event('input')); })()"
    )

    assert found == ["Zeta"]
    assert said == "1 of 6 models"
    assert len(page.value(VISIBLE)) == len(BENIGN)


def test_one_board_at_a_time(page, data):
    """Each choice shows its own board and no other, in its own order."""
    shown = (
        "[...document.querySelectorAll('.board')].filter(b => !b.hidden).map(b => b.dataset.board)"
    )
    seen = {}

    for key in data.boards:
        page.click(f"input[name=board][value={key}]")
        seen[key] = (page.value(shown), page.value(VISIBLE))

    for key, board in data.boards.items():
        assert seen[key] == ([key], rated(board)["model"].to_list())


def test_a_search_holds_for_the_next_board(page):
    """Who looks for a model finds it on each board."""
    page.click("#find")
    page.write("gam")

    page.click("input[name=board][value=coding]")

    assert page.value(VISIBLE) == ["gamma"]


# ── what if ────────────────────────────────────────────────────────────────────────────────


def test_what_if_follows_the_choice(page, data):
    """Rank and rating are those computed, for each share and each gain; none is no change."""
    one = data.suppositions[2]
    place = next(i for i, s in enumerate(data.suppositions) if s.model == one.model)

    said = {}
    for i, j in itertools.product((0, 1, len(SHARES)), (0, 1, len(UPLIFTS))):
        page.value(
            f"(() => {{ for (const [id, v] of [['what-model', {place}], ['what-share', {i}],"
            f"['what-uplift', {j}]]) {{ const e = document.getElementById(id); e.value = v;"
            "e.dispatchEvent(new Event('input')); } })()"
        )
        said[i, j] = (text_of(page, "#what-rank"), text_of(page, "#what-rating"))

    for (i, j), (rank, rating) in said.items():
        cell = one.cells[(i - 1) * len(UPLIFTS) + j - 1] if i and j else (one.rating, one.rank)
        assert rank == f"Rank {one.rank} → {cell[1]}"
        assert rating == f"{one.rating:,.1f} → {cell[0]:,.1f}"
    assert page.value("document.querySelectorAll('#what-grid td').length") == 25
    assert page.value("document.querySelectorAll('#what-grid td.chosen').length") == 1


def test_sliders_move_by_keys(page):
    """An arrow key moves the share by a step, and what is said follows."""
    before = text_of(page, "#what-share-value")
    page.value("document.querySelector('#what-share').focus()")

    page.press("ArrowRight")

    assert (before, text_of(page, "#what-share-value")) == ("10%", "20%")
    assert page.value("document.querySelector('#what-share').ariaValueText") == "20%"
    assert "supposition" in text_of(page, "#what-if .lead")


# ── by keyboard ────────────────────────────────────────────────────────────────────────────


def test_everything_is_reached_by_keyboard(page):
    """Tab comes first to the skip link, and then to each kind of control; the focus is seen."""
    page.press("Tab")
    first = focused(page)
    page.press("Enter", "Tab")
    after_skip = page.value("document.activeElement.name")
    page.press("ArrowRight")
    board = page.value("document.querySelector('.board:not([hidden])').dataset.board")
    page.press("Tab", "Tab", "Tab")
    button = focused(page)
    outline = page.value("getComputedStyle(document.activeElement).outlineStyle")
    page.press("Tab", "Space")

    assert first == "Skip to the leaderboard"
    assert after_skip == "board"
    assert board == "unseen"
    assert (button, outline) == ("rank", "solid")
    assert page.value(VISIBLE) == BY_NAME


def test_csv_is_copied(page, data):
    """The button copies what stands in the box."""
    page.value("document.querySelector('.board details').open = true")

    page.click("button[data-copies=csv-full]")
    said = "document.querySelector('.board [role=status]').textContent"
    page.value(
        "new Promise(done => { const look = () => "
        f"{said} ? done() : setTimeout(look, 20); look(); }})"
    )

    assert page.value("document.activeElement.id") == "csv-full"
    chosen = page.value("getSelection().toString() || document.activeElement.value")
    assert chosen.splitlines()[0].startswith("rank,model,rating")
    assert len(chosen.splitlines()) == 1 + len(BENIGN)


# ── looks ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_the_page_is_no_wider_than_the_window(browser, files, width):
    """On a phone only tables scroll sideways, inside their frames."""
    browser.open(files / "page.html", width, 800)

    assert browser.value("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(browser, files, dark):
    """Light or dark, ordinary and quiet text have a contrast of at least 4.5 to 1 (WCAG AA)."""
    browser.open(files / "page.html", dark=dark)

    ratios = browser.value(CONTRAST)

    assert len(ratios) >= 8
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
    return rgb('Canvas'); };
  const found = {};
  for (const s of ['h1', '.head', '.lead', '.facts dt', '.facts .aside', 'nav a', '.choices span',
      'caption', 'thead th', 'tbody th', '.tag', '.said p', 'summary', '.heat .w10', '.heat .l10',
      '.heat .n10', '.under', 'footer', '#theme']) {
    const e = document.querySelector(s); if (!e) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
    found[s] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
})()"""


def test_the_reader_chooses_light_or_dark(page):
    """The button goes against what the system prefers, and says what comes next."""
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.value(ground)

    page.click("#theme")

    assert page.value(ground) != light
    assert text_of(page, "#theme") == "Light"
    page.click("#theme")
    assert page.value(ground) == light


def test_without_a_script_all_boards_are_read(browser, files, data):
    """Nothing that is read needs the script; what needs it is not offered."""
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files / "page.html")
        shown = browser.value("document.querySelectorAll('.board:not([hidden])').length")
        offered = browser.value("document.querySelector('#find').getClientRects().length")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)

    assert shown == len(data.boards)
    assert offered == 0


def test_it_can_be_printed(page):
    """On paper there are no controls, the ground is white, and tables are whole."""
    page.send("Emulation.setEmulatedMedia", media="print")

    try:
        offered = page.value("document.querySelector('#find').getClientRects().length")
        overflow = page.value("getComputedStyle(document.querySelector('.scroll')).overflowX")
        ground = page.value("getComputedStyle(document.body).backgroundColor")
    finally:
        page.send("Emulation.setEmulatedMedia", media="")

    assert (offered, overflow, ground) == (0, "visible", "rgb(255, 255, 255)")


# ── hostile text ───────────────────────────────────────────────────────────────────────────


def test_hostile_text_does_nothing(browser, files):
    """No dialog, no request, no error; the names are read, also where the script writes them."""
    browser.open(files / "hostile.html")

    names = {plain(name) for name in HOSTILE}
    assert set(browser.value(VISIBLE)) == names
    options = browser.value(
        "[...document.querySelectorAll('#what-model option')].map(o => o.textContent)"
    )
    assert {option.split("  ", 1)[1] for option in options} == names
    browser.value("document.querySelector('#what-model').dispatchEvent(new Event('input'))")
    browser.click(head("model"))
    assert browser.value("document.querySelectorAll('img, main script:not([type])').length") == 0
    assert browser.complaints == []
    assert browser.requests == []


def test_the_policy_stops_what_markup_would_do(browser, files):
    """Even markup that came through could neither run nor load: the page forbids it."""
    browser.open(files / "page.html")

    browser.value(
        "(() => { const d = document.createElement('div');"
        "d.innerHTML = '<img src=x onerror=\"window.owned = 1\">'; document.body.append(d);"
        "const s = document.createElement('script'); s.textContent = 'window.owned = 2';"
        "document.body.append(s); })()"
    )

    assert browser.value("window.owned === undefined")
    assert any("Content Security Policy" in said for said in browser.complaints)
