"""Small vote logs, written as somebody would publish them."""

import csv
import gzip
import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

Row = dict[str, Any]

WINNERS = ("model_a", "model_b", "tie", "both_bad")

EVIL = "ev\x1b[31mil\x1b]0;owned\x07\x9b1m\u202egpj"
"""A name that colours a terminal, renames its window, and runs backwards."""

MARKUP = "<img src=x onerror=alert(1)>|=cmd()"
"""A name that is a picture, a script, two table cells and a formula."""

NAMES = st.sampled_from(["x", "y", "z", "Ω", "a b"])
BATTLES = st.tuples(NAMES, NAMES, st.sampled_from(WINNERS)).filter(lambda one: one[0] != one[1])
LOGS = st.lists(BATTLES, min_size=1, max_size=40).map(
    lambda rows: [dict(zip(("model_a", "model_b", "winner"), row, strict=True)) for row in rows]
)
"""Logs of a few votes, drawn at random."""


def votes(*lines: str) -> list[Row]:
    """Battles from lines of ``left right winner``."""
    return [
        dict(zip(("model_a", "model_b", "winner"), line.split(), strict=True)) for line in lines
    ]


def round_robin(*models: str) -> list[Row]:
    """Every ordered pair of models once with each of the four winners: everybody is level."""
    return [
        {"model_a": left, "model_b": right, "winner": winner}
        for left, right in itertools.permutations(models, 2)
        for winner in WINNERS
    ]


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows in the form that the path's suffix names, and give the path back."""
    form = path.suffixes[0]
    data = encode(rows, form)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def encode(rows: Sequence[Mapping[str, Any]], form: str) -> bytes:
    """The bytes of rows as csv, tsv, ssv (semicolons), json, pretty, jsonl, parquet or arrow."""
    match form.removeprefix("."):
        case "json":
            return json.dumps(rows).encode()
        case "pretty":
            return json.dumps(rows, indent=4, ensure_ascii=False).encode()
        case "jsonl":
            return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        case "parquet":
            return _binary(rows, pl.DataFrame.write_parquet)
        case "arrow":
            return _binary(rows, pl.DataFrame.write_ipc)
        case text:
            return _separated(rows, {"csv": ",", "tsv": "\t", "ssv": ";"}[text])


def _binary(rows: Sequence[Mapping[str, Any]], write: Any) -> bytes:
    file = io.BytesIO()
    write(pl.DataFrame(rows, infer_schema_length=None), file)
    return file.getvalue()


def _separated(rows: Sequence[Mapping[str, Any]], separator: str) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def table(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """What `PairCounts.frame().rows()` should give for plain votes, added up one by one."""
    cells: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        cell = cells.setdefault((row["model_a"], row["model_b"]), [0.0] * 4)
        cell[WINNERS.index(row["winner"])] += 1.0
    return [(*pair, *cell) for pair, cell in sorted(cells.items())]
