"""A synthetic arena written down as a TOML file; see `arena.world.World` for what it may say.

ties = 0.3
multi_turn = 0.2

[strengths]
amber = 1050
birch = 1000

[judges]
number = 500
careless = 0.02

[[corpora]]
name = "chats"
models = ["amber"]
overlap = 0.1
uplift = 50
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from arena.errors import ColumnError, OptionError, ReadError
from arena.world import Judges, PlantedCorpus, Prompts, Style, World

PARTS: Mapping[str, type] = {"judges": Judges, "prompts": Prompts, "style": Style}


def read_world(path: str | Path, strengths: Mapping[str, float] | None = None) -> World:
    """Read a world from a TOML file.

    Args:
        path: of the file.
        strengths: of the models, where the file gives none.

    Raises:
        ReadError: if it cannot be read, or is no TOML.
        ColumnError: naming a key that does not belong there.
        OptionError: a value that cannot be.
    """
    try:
        with Path(path).open("rb") as file:
            document = tomllib.load(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ReadError(f"{path}: is no TOML ({error})") from error
    if "strengths" not in document:
        if strengths is None:
            raise ColumnError(f"{path}: no [strengths], so there are no models")
        document["strengths"] = dict(strengths)
    for name, kind in PARTS.items():
        if name in document:
            document[name] = _made(kind, document[name], f"{path}: [{name}]")
    if "corpora" in document:
        listed = document["corpora"]
        if not isinstance(listed, list):
            raise ColumnError(f"{path}: [corpora] is one table; write [[corpora]]")
        document["corpora"] = tuple(_corpus(one, f"{path}: [[corpora]]") for one in listed)
    world: World = _made(World, document, str(path))
    return world


def _corpus(table: Any, where: str) -> PlantedCorpus:
    models = table.get("models") if isinstance(table, dict) else None
    listed = table | {"models": tuple(models)} if isinstance(models, list) else table
    corpus: PlantedCorpus = _made(PlantedCorpus, listed, where)
    return corpus


def _made(kind: type, table: Any, where: str) -> Any:
    """A dataclass from a table with its fields."""
    known = [field.name for field in fields(kind)]
    if not isinstance(table, dict):
        raise ColumnError(f"{where}: is no table of {', '.join(known)}")
    odd = next((name for name in table if name not in known), None)
    if odd is not None:
        raise ColumnError(f"{where}: no '{odd}'; there are {', '.join(known)}")
    try:
        return kind(**table)
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ColumnError(f"{where}: a value is of the wrong kind ({error})") from error
