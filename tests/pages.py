"""Pages of small logs for tests, and what a reader of HTML finds in them."""

from html.parser import HTMLParser
from pathlib import Path

import polars as pl
from logs import EVIL, MARKUP
from worlds import battles as world

from arena.battles import Battles, read_battles
from arena.corpora import open_corpus
from arena.html_data import PageData, gather_page
from arena.matching import match_prompts
from arena.prompt_match import Match

CLOSER = "</script></textarea></pre><script>alert(2)</script>\"'><b onclick=alert(3)>"
"""A name that ends whatever it stands in, and begins a script."""
FORMULA = "@SUM(1)*cmd|' /C calc'!A0,\"x\""
"""A name that is a formula, and has a comma and quotes."""
HOSTILE = (MARKUP, EVIL, CLOSER, FORMULA, "-1+1", "漢字 {{ 7 * 7 }} {% raw %}")
BENIGN = ("alpha", "beta", "gamma", "delta", "epsilon", "Zeta")
VOID = {"meta", "input", "link", "br", "img", "hr", "path", "rect"}


def log_of(names: tuple[str, ...], n: int = 1_500, prompt: str = "say it again") -> pl.DataFrame:
    """Votes on models of these names: every third prompt is one that the corpus has."""
    frame = world(len(names), n, seed=5)
    called = dict(zip(sorted(frame["model_a"].unique()), names, strict=True))
    words = [
        f"{prompt} w{i}a w{i}b w{i}c w{i}d w{i}e w{i}f"
        if i % 3
        else f"{prompt} with words seen {i}"
        for i in range(n)
    ]
    return frame.with_columns(
        pl.col("model_a", "model_b").replace_strict(called),
        turns=pl.Series([1 + i % 3 for i in range(n)]),
        language=pl.Series(["English", "German"] * (n // 2)),
        is_code=pl.Series([i % 4 == 0 for i in range(n)]),
        tstamp=pl.Series([f"2024-05-{1 + i % 28:02d}T12:00:00Z" for i in range(n)]),
        prompt=pl.Series(["hi" if i % 50 == 7 else text for i, text in enumerate(words)]),
    )


def match_of(
    log: Battles, folder: Path, trained: tuple[str, ...] = (), prompt: str = "say it again"
) -> Match:
    """What a corpus has that holds every prompt that `log_of` means it to have."""
    texts = [f"{prompt} with words seen {i}" for i in range(0, 1_500, 3)]
    pl.DataFrame({"text": texts}).write_parquet(folder / "corpus.parquet")
    corpus = open_corpus(str(folder / "corpus.parquet"))
    return match_prompts(log, [corpus], trained={corpus.name: trained})


def data_of(names: tuple[str, ...], folder: Path, prompt: str = "say it again") -> PageData:
    """All that a page of such a log shows, drawn from few draws."""
    log = read_battles(log_of(names, prompt=prompt))
    match = match_of(log, folder, names[:1], prompt)
    return gather_page(log, match, ["coding"], draws=40, rounds=40)


class Reader(HTMLParser):
    """The elements of a document, in order.

    Attributes:
        elements: tag, attributes, and the text directly and deeper inside.
        faults: end tags that close nothing that is open, and attributes given twice.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, list[str]]] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag, _ in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and open it."""
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"<{tag}> has an attribute twice: {names}")
        inside: list[str] = []
        self.elements.append((tag, {name: value or "" for name, value in attrs}, inside))
        if tag not in VOID:
            self.open.append((tag, inside))

    def handle_endtag(self, tag: str) -> None:
        """Close the element opened last."""
        if tag in VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1][0] if self.open else 'nothing'}")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Text belongs to all elements that are open."""
        for _, inside in self.open:
            inside.append(data)

    def all(self, tag: str, **wanted: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of all elements of a kind, with these attributes."""
        return [
            (attributes, "".join(inside))
            for name, attributes, inside in self.elements
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]

    def by_id(self, name: str) -> tuple[dict[str, str], str]:
        """Attributes and text of the element with an id."""
        (found,) = [
            (attributes, "".join(inside))
            for _, attributes, inside in self.elements
            if attributes.get("id") == name
        ]
        return found
