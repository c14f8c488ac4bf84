"""The colours of pictures.

They are those of Okabe and Ito, which colour-blind people tell apart (Color Universal Design,
2008), on light or dark paper; where something is surely up it is blue, where surely down orange,
and what chance alone would do is grey.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Colours.

    Attributes:
        paper, ink, soft, grid: of the ground, of text, of text that explains, of lines behind.
        null: of what chance alone would do.
        up, down: of what surely rises, and of what surely falls.
        series: of things to be told apart.
    """

    paper: str
    ink: str
    soft: str
    grid: str
    null: str
    up: str
    down: str
    series: tuple[str, ...]


LIGHT = Style(
    paper="#ffffff",
    ink="#1b1e21",
    soft="#5c636a",
    grid="#e3e5e8",
    null="#c9cdd2",
    up="#0072b2",
    down="#d55e00",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
)
DARK = Style(
    paper="#16191d",
    ink="#e9ebee",
    soft="#a3a9b1",
    grid="#2d3238",
    null="#525962",
    up="#56b4e9",
    down="#e69f00",
    series=("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00"),
)


def style_of(dark: bool) -> Style:
    """The colours for light or dark paper."""
    return DARK if dark else LIGHT
