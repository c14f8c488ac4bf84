"""How results reach what shows them, which comes after them in the order of modules.

Python asks a result for its text, and a notebook asks it for HTML; what makes these knows every
kind of result. It is therefore looked up by name when it is asked for, as `arena` itself does
with its public names, and nowhere else in the package.
"""

from importlib import import_module
from typing import Any


def shown_text(result: Any) -> str:
    """A result as text; see `arena.notebooks.as_text`."""
    text: str = import_module("arena.notebooks").as_text(result)
    return text


def shown_html(result: Any) -> str:
    """A result as HTML; see `arena.notebooks.as_html`."""
    html: str = import_module("arena.notebooks").as_html(result)
    return html
