"""Docstrings: every example in them runs, every public name has one, arrays state their shape."""

import dataclasses
import doctest
import inspect
import pkgutil
import re
import typing
from importlib import import_module

import pytest

import arena

MODULES = sorted(each.name for each in pkgutil.iter_modules(arena.__path__))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public(module_name):
    """The public functions and classes that a module defines itself."""
    module = import_module(f"arena.{module_name}")
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
        and value.__qualname__ == name
    }


DATACLASSES = [
    value
    for module in MODULES
    for value in public(module).values()
    if inspect.isclass(value) and dataclasses.is_dataclass(value)
]


def array_fields(cls):
    """The names of a dataclass's fields that hold arrays."""
    # Known to type checkers alone, as whoever draws nothing does not import matplotlib.
    kinds = typing.get_type_hints(cls, localns={"Figure": object})
    return [f.name for f in dataclasses.fields(cls) if "ndarray" in str(kinds[f.name])]


def states_shape(cls, name):
    """Whether the docstring gives a shape like [m, 3] for a field, or one for all of them."""
    text = inspect.getdoc(cls) or ""
    of_field = rf"^ *(?:\w+, )*{name}(?:, \w+)*:[^\n]*\[\w"
    of_all = r"\b([Ee]very array is|[Ee]ach) \["
    return bool(re.search(of_field, text, re.MULTILINE) or re.search(of_all, text))


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_are_true(module):
    """What a docstring's example shows is what it prints."""
    result = doctest.testmod(import_module(f"arena.{module}"), optionflags=FLAGS)

    assert result.failed == 0


def test_docstrings_have_examples():
    """There are examples to run: the readers, the counts, the fit and the whole way each have one."""
    finder = doctest.DocTestFinder(exclude_empty=True)

    shown = {
        test.name
        for module in MODULES
        for test in finder.find(import_module(f"arena.{module}"))
        if test.examples
    }

    wanted = ("battles.read_battles", "tally.count_pairs", "bradley_terry.fit_bradley_terry")
    assert {f"arena.{name}" for name in (*wanted, "pipeline.rate")} <= shown


@pytest.mark.parametrize("module", MODULES)
def test_public_names_say_what_they_are(module):
    """Every module, and every public function and class in it, has a docstring of its own."""
    found = public(module)

    silent = [name for name, value in found.items() if not (value.__doc__ or "").strip()]

    assert import_module(f"arena.{module}").__doc__
    assert silent == []
    # A dataclass without a docstring is given its signature as one.
    assert [n for n, v in found.items() if (v.__doc__ or "").startswith(f"{n}(")] == []


@pytest.mark.parametrize("cls", DATACLASSES, ids=lambda cls: cls.__name__)
def test_results_are_frozen(cls):
    """Nothing is ever fitted in place: what a function returns cannot be changed."""
    assert cls.__dataclass_params__.frozen


@pytest.mark.parametrize(
    "cls", [c for c in DATACLASSES if array_fields(c)], ids=lambda c: c.__name__
)
def test_arrays_state_their_shape(cls):
    """A dataclass that holds arrays gives the shape of each in its docstring."""
    shapeless = [name for name in array_fields(cls) if not states_shape(cls, name)]

    assert shapeless == []
