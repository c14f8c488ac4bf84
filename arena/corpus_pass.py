"""Going through the files of a corpus: one after the other here, or each wherever a worker is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from time import monotonic

import polars as pl

from arena.corpora import Corpus, corpus_blocks
from arena.errors import ColumnError, ReadError, UserError
from arena.json_arrays import Progress
from arena.matches import Matches, merge_matches, no_matches
from arena.overlap import match_texts
from arena.prompt_index import PromptIndex
from arena.sources import REMOTE

GoThrough = Callable[[PromptIndex, Corpus, bool], tuple[Matches, list[str]]]
"""From an index, a corpus, and whether to leave out files that cannot be read, to what its files
have and why some were left out."""


def match_file(index: PromptIndex, corpus: Corpus, number: int, file: str) -> Matches:
    """What one file of a corpus has: all that a worker anywhere needs to do.

    Merged by `merge_matches` in any order, such results are those of the whole corpus.
    """
    return match_texts(index, (block["text"] for block in corpus_blocks(corpus, file)), file=number)


def one_after_the_other(progress: Progress | None = None) -> GoThrough:
    """Go through a corpus's files in this process; each is worked on by all processors."""

    def go_through(
        index: PromptIndex, corpus: Corpus, skip_bad_files: bool
    ) -> tuple[Matches, list[str]]:
        found, skipped = [no_matches(index)], []
        sizes = [_size(file) for file in corpus.files]
        watch = _Watch(progress, sum(sizes))
        for number, file in enumerate(corpus.files):
            texts = (watch.seen(file, block["text"]) for block in corpus_blocks(corpus, file))
            try:
                found.append(match_texts(index, texts, file=number))
            except (ReadError, ColumnError) as error:
                skipped.append(refuse_or_skip(error, corpus, skip_bad_files))
            watch.done += sizes[number]
        refuse_none_read(corpus, skipped)
        return reduce(merge_matches, found), skipped

    return go_through


def _size(file: str) -> int:
    """Bytes of a file; 0 where that cannot be known, which reading it will tell."""
    return Path(file).stat().st_size if not REMOTE.match(file) and Path(file).exists() else 0


def refuse_or_skip(error: UserError, corpus: Corpus, skip_bad_files: bool) -> str:
    """Why a file is left out, or the error again where none may be."""
    if skip_bad_files:
        return str(error)
    more = "; leave such files out with --skip-bad-files" if len(corpus.files) > 1 else ""
    raise type(error)(f"{error}{more}") from error


def refuse_none_read(corpus: Corpus, skipped: Sequence[str]) -> None:
    """Raise ReadError if no file of a corpus was read."""
    if len(skipped) == len(corpus.files):
        raise ReadError(f"{corpus.name}: none of its files can be read; {skipped[0]}")


@dataclass(slots=True)
class _Watch:
    """Says how far matching has come.

    Attributes:
        progress: whom to tell.
        total: bytes of all files.
        done: bytes of the files done with.
    """

    progress: Progress | None
    total: int
    done: int = 0
    n_bytes: int = 0
    start: float = field(default_factory=monotonic)

    def seen(self, file: str, texts: pl.Series) -> pl.Series:
        """Pass a block on."""
        if self.progress:
            self.n_bytes += int(texts.str.len_bytes().sum())
            rate = self.n_bytes / 1e6 / max(monotonic() - self.start, 1e-3)
            self.progress(f"{file}, {rate:,.0f} MB/s", self.done, self.total)
        return texts
