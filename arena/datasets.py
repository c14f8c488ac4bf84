"""The data sets that come with arena."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from arena.errors import ReadError

if TYPE_CHECKING:
    from arena.corpora import Corpus

CHATBOT_ARENA = "chatbot_arena_2024-08-14.parquet"
"""The public Chatbot Arena log to 2024-08-14 as counts: 129 models, 1,670,250 votes."""

SYNTHETIC_SAMPLE = "synthetic_sample.parquet"
"""50,000 votes that nobody cast: `data/make_sample.py` drew them from strengths it knows."""

MODELS = "models.toml"
"""Who made some models and what they trained on, with sources."""

SYNTHETIC_CORPUS = "synthetic_corpus.parquet"
"""Training prompts, some of them the sample's, that two of its models gain from."""

TRAINED_ON_SYNTHETIC = ("gemma-2-27b-it", "gemma-2-9b-it")
"""In the sample's world, and in no other."""


def is_synthetic(name: str) -> bool:
    """Whether a file, by its name, holds votes that nobody cast.

    >>> is_synthetic("data/synthetic_sample.parquet"), is_synthetic("synthetic/votes.csv")
    (True, False)
    """
    return "synthetic" in Path(name).name.lower()


def shipped_corpora() -> "tuple[list[Corpus], dict[str, list[str]]]":
    """The sample's training corpus, and the models trained on it."""
    from arena.corpora import open_corpus

    corpus = open_corpus(str(shipped(SYNTHETIC_CORPUS)))
    return [corpus], {corpus.name: list(TRAINED_ON_SYNTHETIC)}


def shipped(name: str = CHATBOT_ARENA) -> Path:
    """Path of a shipped file, in an installed package or in a source checkout.

    Raises:
        ReadError: if the installation lacks it.

    >>> shipped().name
    'chatbot_arena_2024-08-14.parquet'
    """
    package = Path(str(files("arena")))
    for folder in (package / "data", package.parent / "data"):
        if (folder / name).is_file():
            return folder / name
    raise ReadError(f"{name}: not part of this installation of arena; install it again")
