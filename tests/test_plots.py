"""The house style: what is said above a picture, on which paper, and into which file."""

import re
import warnings

import pytest
from logs import EVIL, MARKUP
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from pictures import bytes_of, said

from arena.display import plain
from arena.errors import OptionError
from arena.palette import DARK, LIGHT, style_of
from arena.plots import Picture, canvas, escaped, foot, head, save_picture, shown_name


def luminance(color):
    """Relative luminance, as WCAG 2 has it."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def picture(headline="What is seen", detail="how to read it", dark=False):
    figure, ax = canvas(None, 3.0, style_of(dark))
    ax.plot([0, 1], [0, 1])
    head(ax, style_of(dark), headline, detail)
    return figure


# ── style ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_the_paper(style):
    """Text has the contrast that WCAG asks for, 4.5; marks have 2 at the least."""
    assert contrast(style.ink, style.paper) > 12
    assert contrast(style.soft, style.paper) > 4.5
    assert min(contrast(color, style.paper) for color in (style.up, style.down)) > 3
    assert min(contrast(color, style.paper) for color in style.series) > 2
    assert len(set(style.series)) == len(style.series)


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_up_and_down_differ_without_red_and_green(style):
    """Who tells red from green no better than not at all still sees blue against orange."""
    up, down = to_rgb(style.up), to_rgb(style.down)

    assert up[2] - down[2] > 0.4
    assert down[0] - up[0] > 0.4


def test_a_figure_is_of_the_paper_asked_for():
    """Dark paper is dark all over, the Axes and the figure."""
    for dark, style in ((False, LIGHT), (True, DARK)):
        figure = picture(dark=dark)

        assert figure.get_facecolor() == to_rgba(style.paper)
        assert figure.axes[0].get_facecolor() == to_rgba(style.paper)


def test_axes_of_others_keep_their_figure():
    """On Axes that are given, nothing but these is touched, and the heading is theirs."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    paper = figure.get_facecolor()

    returned, ax = canvas(right, 9.0, DARK)
    head(ax, DARK, "What is seen", "how to read it")

    assert (returned, ax) == (figure, right)
    assert figure.get_facecolor() == paper
    assert right.get_title(loc="left") == "What is seen\nhow to read it"
    assert left.get_title(loc="left") == ""
    assert figure.get_suptitle() == ""


def test_axes_without_a_figure_are_refused():
    """Axes that were removed cannot be drawn on."""
    ax = Figure().add_subplot()
    ax.remove()

    with pytest.raises(OptionError, match="removed from its figure"):
        canvas(ax, 3.0, LIGHT)


# ── text ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["$x$", "a$b", r"\frac{a}{b}$", r"a\$b$", "x_{1}^2", EVIL, MARKUP, "%s {}", "модель"]
)
def test_text_is_shown_as_it_is(name):
    """No name is mathematics, in heading or foot, nor breaks a line, nor colours a terminal."""
    figure = picture(name, f"of {name}")
    foot(figure, f"under {name}")

    shown = bytes_of(figure)

    assert shown
    assert figure.get_suptitle() == escaped(plain(name))
    assert "$" not in figure.get_suptitle().replace(r"\$", "")
    assert figure.axes[0].get_title(loc="left") == f"of {escaped(plain(name))}"
    assert figure.get_supxlabel() == f"under {escaped(plain(name))}"


def test_a_long_name_is_cut_and_a_long_heading_is_broken():
    """Neither leaves the figure."""
    figure = picture("word " * 40, "detail " * 60)
    figure.draw_without_rendering()

    box = figure._suptitle.get_window_extent()

    assert len(shown_name("x" * 1_000)) == 40
    assert figure.get_suptitle().count("\n") >= 2
    assert box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_tightbbox().y1 <= box.y0


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
@pytest.mark.parametrize("name", ["模型-七", "🤖", "نموذج", "मॉडल"])
def test_a_script_that_no_font_has_is_no_reason_to_warn(name, form):
    """Drawn by whatever means, its characters are boxes where no font has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert bytes_of(picture(name), form)


# ── files ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_same_picture_is_the_same_file(tmp_path, form):
    """No date, no random identifiers."""
    one, two = tmp_path / f"one.{form}", tmp_path / f"two.{form}"

    for path in (one, two):
        save_picture(picture("模型 and $x$"), path)

    assert one.read_bytes() == two.read_bytes()


def test_text_in_svg_stays_text(tmp_path):
    """It can be searched, is sharp, and a reader's own font shows scripts that ours lack."""
    path = tmp_path / "one.svg"

    save_picture(picture("模型-七 <b>"), path, "said of it")

    text = path.read_text("utf-8")
    assert re.search(r"<text[^>]*>模型-七 &lt;b&gt;</text>", text)
    assert "<dc:description>said of it</dc:description>" in text
    assert "<dc:date>" not in text
    assert "sans-serif" in text


def test_a_png_can_be_printed(tmp_path):
    """Two hundred dots per inch at least."""
    figure, path = picture(), tmp_path / "one.png"

    save_picture(figure, path)

    width = int.from_bytes(path.read_bytes()[16:20], "big")
    assert width / figure.get_figwidth() >= 200


def test_a_picture_is_a_figure_as_any_other():
    """Whoever knows matplotlib can go on from it."""
    figure = picture()

    assert isinstance(figure, Picture)
    assert isinstance(figure, Figure)
    assert "What is seen" in said(figure)
