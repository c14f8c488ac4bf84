"""Numbering texts loses none, wherever they stand in memory."""

import polars as pl
import pytest

from arena import text_codes
from arena.text_codes import number_texts

LONG = "a name of a model that is longer than twelve bytes, number "


def texts(prefix, n=3_000, distinct=40):
    """Texts that come again and again, each in its own place if they are long."""
    return pl.Series([f"{prefix}{(7 * i) % distinct}" for i in range(n)])


def sliced(column):
    """A column that begins in the middle of another."""
    return column[100:2_000]


def chunked(column):
    """A column in several pieces of memory."""
    return pl.concat([column[:300], column[300:301], column[301:]], rechunk=False)


def unchanged(column):
    """The column itself."""
    return column


@pytest.mark.parametrize("prefix", ["m", LONG, "Ω"])
@pytest.mark.parametrize("shape", [unchanged, sliced, chunked], ids=lambda shape: shape.__name__)
def test_texts_come_back_from_their_numbers(prefix, shape):
    """The texts taken in the order of the numbers are the column."""
    column = shape(texts(prefix))

    found, code = number_texts(column)

    assert found.gather(code).equals(column)
    assert set(found) == set(column)


def test_short_texts_are_numbered_once():
    """A text of up to twelve bytes is its own view, so none comes twice."""
    found, code = number_texts(texts("m", distinct=40))

    assert sorted(found) == sorted(f"m{i}" for i in range(40))
    assert code.max() == 39


def test_too_many_texts_for_the_table_are_numbered_by_polars(monkeypatch):
    """Past a size the distinct texts are found another way, with the same result."""
    column = texts("m")
    monkeypatch.setattr(text_codes, "MOST_VIEWS", 3)

    found, code = number_texts(column)

    assert found.gather(code).equals(column)


def test_no_texts_have_no_numbers():
    """An empty column has no texts."""
    found, code = number_texts(pl.Series([], dtype=pl.String))

    assert (found.len(), code.size) == (0, 0)
