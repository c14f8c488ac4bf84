"""What pictures are drawn with, and their house style. Alone in importing matplotlib.

Everything works without a screen. Colours are those of `arena.palette`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import blended_transform_factory

from arena.display import plain
from arena.errors import OptionError
from arena.palette import DARK, LIGHT, Style, style_of

WIDTH = 8.0
"""Inches."""
NAME_WIDTH = 40
"""Terminal cells of a name that are shown."""
DPI = 220
SMALL = 7.5
"""Points, of text within a picture."""
MARGIN = 0.012
"""Of a figure's width, left of its heading."""
SPOKEN = ("DejaVu Sans", "Verdana", "Arial", "sans-serif")
SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Droid Sans Fallback",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Arial Unicode MS",
)
"""Fonts of other scripts; those installed are used for what the first font lacks."""


# ── canvas ─────────────────────────────────────────────────────────────────────────────────


class Picture(Figure):
    """A figure that draws what no installed font has as boxes, without a warning for each."""

    def draw(self, renderer: Any) -> None:
        """Draw on a renderer."""
        with _any_script():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **options: Any) -> Any:
        """The box around everything drawn."""
        with _any_script():
            return super().get_tightbbox(*args, **options)


@contextmanager
def _any_script() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
        yield


def canvas(
    ax: Axes | None, height: float, style: Style, *, width: float = WIDTH
) -> tuple[Figure, Axes]:
    """The Axes given and their figure, or Axes of their own on a figure of this size in inches.

    Raises:
        OptionError: Axes that were removed from their figure.
    """
    if ax is None:
        figure: Figure = Picture(figsize=(width, height), layout="constrained")
        figure.set_facecolor(style.paper)
        ax = figure.add_subplot()
    else:
        root = ax.get_figure(root=True)
        if root is None:
            raise OptionError("ax: has been removed from its figure")
        figure = root
    dress(ax, style)
    return figure, ax


def grid_of_canvases(
    n: int, columns: int, style: Style, side: float, *, same_y: bool = True
) -> tuple[Figure, list[Axes]]:
    """A figure with n Axes of the same limits, each about `side` inches wide and high."""
    rows = -(-n // columns)
    figure: Figure = Picture(figsize=(side * columns, side * rows + 0.7), layout="constrained")
    figure.set_facecolor(style.paper)
    found = figure.subplots(rows, columns, sharex=True, sharey=same_y, squeeze=False).ravel()
    for ax in found[n:]:
        ax.remove()
    for ax in found[:n]:
        dress(ax, style)
    return figure, list(found[:n])


def dress(ax: Axes, style: Style) -> None:
    """Give Axes the house style: no frame, a faint grid behind."""
    ax.set_facecolor(style.paper)
    ax.spines[:].set_visible(False)
    ax.grid(color=style.grid, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, labelsize=8, colors=style.soft)
    ax.xaxis.label.set(color=style.soft, fontsize=8.5)
    ax.yaxis.label.set(color=style.soft, fontsize=8.5)


def head(ax: Axes, style: Style, headline: str, detail: str = "", *, room: float = 0.0) -> None:
    """Say above what is seen, and under that, smaller, how to read it.

    On a figure of ours both begin at its left edge, else at that of the Axes. `room` is left
    under them, in points.
    """
    figure = ax.get_figure(root=True)
    headline, said = plain(headline), [plain(line) for line in detail.split("\n") if line]
    if not isinstance(figure, Picture):
        text = escaped("\n".join([headline, *said]))
        ax.set_title(text, loc="left", fontsize=9, color=style.ink, pad=6 + room)
        return
    wide = figure.get_figwidth()
    figure.suptitle(
        escaped(broken(headline, wide - 0.3, 12, bold=True)),
        x=MARGIN * WIDTH / wide,
        ha="left",
        fontsize=12,
        fontweight="bold",
        color=style.ink,
    )
    lines = [broken(line, wide - 0.3, 8.5) for line in said]
    # The layout would make room for a text wider than the first of several Axes beside it.
    several = len(figure.axes) > 1
    title = ax.set_title(
        "\n" * (len(lines) - 1) + " " if several else escaped("\n".join(lines)),
        loc="left",
        fontsize=8.5,
        color=style.soft,
        linespacing=1.35,
        pad=6 + room,
    )
    title.set_x(MARGIN * WIDTH / wide)
    at = blended_transform_factory(figure.transFigure, ax.transAxes)
    title.set_transform(at + ax.titleOffsetTrans)  # type: ignore[attr-defined]
    if several:
        said_beside = ax.text(
            MARGIN * WIDTH / wide,
            1.0,
            escaped("\n".join(lines)),
            transform=title.get_transform(),
            fontsize=8.5,
            color=style.soft,
            linespacing=1.35,
            va="baseline",
        )
        said_beside.set_in_layout(False)


def foot(figure: Figure, text: str, dark: bool = False) -> None:
    """Put a line of explanation under a figure."""
    wide = figure.get_figwidth()
    figure.supxlabel(
        escaped(broken(plain(text), wide - 0.3, 7)),
        x=MARGIN * WIDTH / wide,
        ha="left",
        fontsize=7,
        color=style_of(dark).soft,
        linespacing=1.3,
    )


def broken(text: str, inches: float, size: float, *, bold: bool = False) -> str:
    """Text with lines no wider than so many inches, unless a word is."""
    font: Any = FontProperties(size=size, weight="bold" if bold else "normal")

    def width(words: list[str]) -> float:
        measured: Any = text_to_path
        points, *_ = measured.get_text_width_height_descent(" ".join(words), font, False)
        return float(points) / 72.0

    lines: list[list[str]] = [[]]
    with _any_script():
        for word in text.split():
            if lines[-1] and width([*lines[-1], word]) > inches:
                lines.append([])
            lines[-1].append(word)
    return "\n".join(map(" ".join, lines))


def escaped(text: str) -> str:
    r"""Text in which no dollar sign starts mathematics; names are anybody's.

    >>> escaped("a$b$")
    'a\\$b\\$'
    """
    return text.replace("$", r"\$")


def shown_name(name: str, width: int = NAME_WIDTH) -> str:
    """A model's name as a label: harmless, and cut to a width."""
    return escaped(plain(name, width))


def save_picture(
    figure: Figure, path: str | Path, description: str = "", *, form: str | None = None
) -> None:
    """Save a figure at print quality, as its path's suffix or `form` says: png, svg or pdf.

    The same picture is the same file. In SVG text stays text.
    """
    form = form or Path(path).suffix[1:].lower()
    known = set(fontManager.get_font_names())
    families = [name for name in (*SPOKEN[:1], *SCRIPTS) if name in known]
    for text in figure.findobj(Text):
        text.set_fontfamily([*families, "sans-serif"])
    own: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "arena", "Description": description or None},
        "pdf": {"CreationDate": None, "Creator": "arena", "Subject": description or None},
        "png": {"Software": "arena", **({"Description": description} if description else {})},
    }
    keeping: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "arena",
        "pdf.fonttype": 42,
        "font.family": [*families, "sans-serif"],
        "font.sans-serif": list(SPOKEN[:-1]),
    }
    with mpl.rc_context(keeping), _any_script():
        figure.savefig(path, dpi=DPI, format=form, metadata=own[form])


# ── scales ─────────────────────────────────────────────────────────────────────────────────


def diverging(style: Style) -> Colormap:
    """From down over the paper's own colour to up."""
    middle = "#f4f4f2" if style is LIGHT else "#2a2e33"
    ends = ("#8c3d00", "#e08a3c", middle, "#4a9fd4", "#004c7a")
    if style is DARK:
        ends = ("#ffd08a", "#c9781f", middle, "#2f86bd", "#a5d8f7")
    made: Colormap = LinearSegmentedColormap.from_list("arena", list(ends))
    return made


def even_scale(low: float, high: float) -> Normalize:
    """Colours in equal steps from low to high."""
    return Normalize(low, high)


def log_scale(low: float, high: float) -> Normalize:
    """Colours in equal ratios from low to high, both above zero."""
    return LogNorm(low, max(high, low * 1.01))


def time_axis(ax: Axes) -> None:
    """Read x as days since 1970, and mark dates."""
    ax.xaxis_date()
    locator: Any = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    formatter: Any = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(formatter)
    ax.xaxis.get_offset_text().set(color=ax.xaxis.label.get_color(), fontsize=8)
