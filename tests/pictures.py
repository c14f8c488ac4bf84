"""What a picture shows, read back from what was drawn."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text


def bytes_of(figure: Figure, form: str = "svg") -> bytes:
    """The picture's bytes; drawing raises on any warning."""
    file = io.BytesIO()
    figure.savefig(file, format=form)
    return file.getvalue()


def said(figure: Figure) -> str:
    """Every text on a figure, one per line, with dollar signs as they are shown."""
    figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.findobj(Text)]
    return "\n".join(texts).replace(r"\$", "$")


def row_names(ax: Axes) -> list[str]:
    """The names of the rows, from the top."""
    return [label.get_text().replace(r"\$", "$") for label in ax.get_yticklabels()]


def lines_from_to(ax: Axes, which: int = 0) -> list[tuple[float, float]]:
    """Where the horizontal lines of a layer begin and end."""
    layers = [one for one in ax.collections if isinstance(one, LineCollection)]
    return [(segment[0][0], segment[1][0]) for segment in layers[which].get_segments()]


def dots(ax: Axes, which: int = 0) -> np.ndarray:
    """The places [n, 2] of a layer of dots."""
    layers = [one for one in ax.collections if isinstance(one, PathCollection)]
    return np.asarray(layers[which].get_offsets())


def dot_colors(ax: Axes, which: int = 0) -> list[tuple[float, ...]]:
    """The colours of a layer of dots."""
    layers = [one for one in ax.collections if isinstance(one, PathCollection)]
    return [tuple(color) for color in layers[which].get_facecolor()]


def cells(ax: Axes) -> np.ndarray:
    """The values of a heat map, the first row on top, nan where it is empty."""
    (mesh,) = (one for one in ax.collections if isinstance(one, QuadMesh))
    return np.ma.filled(mesh.get_array(), np.nan)
