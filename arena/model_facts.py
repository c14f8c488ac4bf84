"""Who made a model, and what it was trained on: facts with their sources, from a TOML file.

[corpora.chats]
title = "Chats of 2023"
source = "https://example.org/chats"
files = ["chats/*.parquet"]          # as seen from this file
column = "conversation"

[models.amber]
organisation = "Amber Labs"
licence = "Apache-2.0"
released = 2024-06-27
source = "https://example.org/amber"

[[models.amber.trained_on]]
corpus = "chats"
part = "prompts"
source = "https://example.org/amber-report, section 4"
"""

import datetime
import glob
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from arena.corpora import USER_ROLES, Corpus, parse_roles
from arena.display import listing
from arena.errors import ColumnError, OptionError, ReadError
from arena.sources import REMOTE, expand_path

ABOUT: Mapping[str, pl.DataType] = {
    "model": pl.String(),
    "organisation": pl.String(),
    "licence": pl.String(),
    "released": pl.Date(),
    "trained_on": pl.String(),
}
"""The columns that a models file adds to a board."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That a model was trained on a corpus, and who says so.

    Attributes:
        corpus: its key in the file.
        part: what of it was used, e.g. ``prompts``.
        source: where that is said.
    """

    corpus: str
    source: str
    part: str = ""


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of a model.

    Attributes:
        organisation: who made it.
        licence: under which it is given.
        released: when.
        source: where all that is said.
        trained_on: corpora.
    """

    organisation: str = ""
    licence: str = ""
    released: datetime.date | None = None
    source: str = ""
    trained_on: tuple[Training, ...] = ()


class CorpusFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of a training corpus.

    Attributes:
        title: its name.
        source: where it was published.
        files: paths or patterns, as seen from the file that names them; none if it is not here.
        column: of texts or conversations; found by itself if not said.
        roles: whose turns count.
    """

    title: str = ""
    source: str = ""
    files: tuple[str, ...] = ()
    column: str | None = None
    roles: tuple[str, ...] = USER_ROLES


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A models file.

    Attributes:
        models: name → what is known of it.
        corpora: key → what is known of it.
    """

    models: dict[str, ModelFacts] = {}
    corpora: dict[str, CorpusFacts] = {}

    def trained_on(self, corpus: str) -> tuple[str, ...]:
        """The models that were trained on a corpus, sorted."""
        return tuple(
            sorted(
                name
                for name, facts in self.models.items()
                if any(one.corpus == corpus for one in facts.trained_on)
            )
        )

    def frame(self) -> pl.DataFrame:
        """One row per model: `ABOUT`."""
        rows = [
            {
                "model": name,
                "organisation": facts.organisation or None,
                "licence": facts.licence or None,
                "released": facts.released,
                "trained_on": ", ".join(self._said(one) for one in facts.trained_on) or None,
            }
            for name, facts in self.models.items()
        ]
        return pl.DataFrame(rows, schema=ABOUT)

    def _said(self, training: Training) -> str:
        known = self.corpora.get(training.corpus)
        title = (known.title if known else "") or training.corpus
        return f"{title} ({training.part})" if training.part else title


def read_facts(path: str | Path) -> Facts:
    """Read a models file.

    Raises:
        ReadError: if it cannot be read, or is no TOML.
        ColumnError: naming a key that does not belong there, or a value of the wrong kind.
    """
    try:
        with Path(path).open("rb") as file:
            document = tomllib.load(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ReadError(f"{path}: is no TOML ({error})") from error
    for part, kind in (("models", ModelFacts), ("corpora", CorpusFacts)):
        tables = document.get(part, {})
        for name, table in tables.items() if isinstance(tables, dict) else ():
            _converted(table, kind, f"{path}: {part}.{name}")
    facts: Facts = _converted(document, Facts, str(path))
    for name, model in facts.models.items():
        for one in model.trained_on:
            if one.corpus not in facts.corpora:
                known = listing(facts.corpora) or "none"
                message = (
                    f"{path}: model '{name}' is trained on '{one.corpus}'; corpora are {known}"
                )
                raise ColumnError(message)
    return facts


def _converted(table: object, kind: type, where: str) -> Any:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ColumnError(f"{where}: {error}") from error


def corpora_of(path: str | Path) -> list[tuple[Corpus, tuple[str, ...]]]:
    """The corpora of a models file that have files, each with the models trained on it.

    Raises:
        OptionError: if none has; ReadError: a file that there is not.
    """
    facts = read_facts(path)
    here = Path(glob.escape(str(Path(path).parent)))
    found = []
    for key, one in facts.corpora.items():
        files = [
            file
            for pattern in one.files
            for file in expand_path(pattern if REMOTE.match(pattern) else str(here / pattern))
        ]
        if files:
            corpus = Corpus(key, tuple(files), one.column, parse_roles(",".join(one.roles)))
            found.append((corpus, facts.trained_on(key)))
    if not found:
        raise OptionError(f"{path}: no corpus in it names files, e.g. files = ['chats/*.parquet']")
    return found
