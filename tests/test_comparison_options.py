"""The options of comparisons reach what compares."""

from dataclasses import fields, replace
from inspect import signature

import pytest

from arena.comparison import compare
from arena.comparison_options import Placebo
from arena.errors import OptionError
from arena.html_data import gather_page
from arena.removal import remove_seen

ASKED = Placebo("rest", ("language,turns", "month"), "judge", 7, 5, 0.8, 3, "drop")


@pytest.mark.parametrize("compares", [compare, gather_page, remove_seen])
def test_every_option_is_an_argument_of_its_name(compares):
    """None is forgotten, and each is known where it goes."""
    given = ASKED.arguments()

    assert given.keys() | {"against"} == {field.name for field in fields(Placebo)}
    assert given.keys() <= signature(compares).parameters.keys()
    assert given.pop("within") == ["language", "turns", "month"]
    assert all(value == getattr(ASKED, name) for name, value in given.items())


def test_an_empty_column_is_named_by_its_option():
    """A comma too many is no column."""
    with pytest.raises(OptionError, match="--within: 'language,' names an empty one"):
        replace(ASKED, within=("language,",)).arguments()
