"""The parts of pictures: where an axis ends, and where names go that would overlap."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from arena.palette import LIGHT
from arena.plot_parts import end_labels, limits, spaced, spans

NAN = np.nan
WANTED = st.lists(st.floats(-100, 100), min_size=1, max_size=30).map(np.array)


@given(WANTED, st.floats(0.1, 10))
def test_spaced_places_are_a_gap_apart_and_in_order(wanted, gap):
    """Whatever is wanted; and where it is far apart, it is what is had."""
    places = spaced(wanted, gap)

    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()
    if all(b - a >= gap for a, b in itertools.pairwise(np.sort(wanted))):
        assert places == pytest.approx(wanted)
    assert places.mean() == pytest.approx(wanted.mean())


@given(WANTED)
def test_spaced_places_lie_between_the_ends_if_there_is_room(wanted):
    """Names stay beside the picture."""
    gap = 200 / len(wanted)

    places = spaced(wanted, gap * 0.99, -100, 100)

    assert places.min() >= -100 - 1e-9
    assert places.max() <= 100 + 1e-9


@pytest.mark.parametrize(
    ("points", "half"),
    [([1.0], [0.0]), ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]), ([5.0, 5.0], [NAN, NAN])],
)
def test_limits_hold_all_that_is_common(points, half):
    """Points and their intervals, and some room besides."""
    points, half = np.array(points), np.array(half)

    low, high = limits(points, points - half, points + half)

    assert low < np.nanmin([*points, *(points - half)])
    assert high > np.nanmax([*points, *(points + half)])


def test_limits_without_any_number_are_some():
    """An empty picture is no error."""
    low, high = limits(np.array([NAN]), np.array([NAN]), np.array([NAN]))

    assert low < high


@pytest.mark.parametrize(
    ("lower", "upper", "drawn", "arrows"),
    [
        (1.0, 2.0, (1.0, 2.0), ""),
        (-9.0, 2.0, (0.0, 2.0), "<"),
        (1.0, 99.0, (1.0, 10.0), ">"),
        (-np.inf, np.inf, (0.0, 10.0), "<>"),
        (NAN, 3.0, (0.0, 3.0), "<"),
        (3.0, NAN, (3.0, 10.0), ">"),
        (NAN, NAN, None, ""),
    ],
)
def test_a_span_that_leaves_the_picture_has_an_arrow(lower, upper, drawn, arrows):
    """A bound that is not known may be anywhere; an interval that is not known is not drawn."""
    ax = Figure().add_subplot()
    ax.set_xlim(0.0, 10.0)

    spans(ax, np.array([0.0]), np.array([lower]), np.array([upper]), "#000000")

    segments = ax.collections[0].get_segments()
    assert [(one[0][0], one[1][0]) for one in segments] == ([] if drawn is None else [drawn])
    assert "".join(line.get_marker() for line in ax.lines) == arrows


def test_names_at_the_ends_of_lines_do_not_overlap():
    """Though all lines end at one place."""
    figure = Figure(figsize=(6, 4))
    ax = figure.add_subplot()
    ax.set_ylim(0, 1)
    names = [f"line {i}" for i in range(12)]

    end_labels(ax, np.ones(12), np.full(12, 0.5), names, ["#000000"] * 12, LIGHT, 3.0)
    figure.draw_without_rendering()

    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
    assert all(one.y1 <= other.y0 for one, other in itertools.pairwise(boxes))
    assert [text.get_text() for text in ax.texts] == names
