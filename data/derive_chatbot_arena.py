"""Derive data/chatbot_arena_2024-08-14.parquet from the leaderbot wheel (BSD-3-Clause).

Run it from the repository: ``python data/derive_chatbot_arena.py``. It downloads
leaderbot 0.4.3 by pip, checks the bundled file's hash, writes the counts as Parquet
and prints the hash of what it wrote. The wheel's licence is written beside it.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
REQUIREMENT = "leaderbot==0.4.3"
MEMBER = "leaderbot/data/chatbotarena_20240814.json"
MEMBER_SHA256 = "25dfb900a5f61ad87c3b4bc29d1cf9d8b1bd80fb3fe0463c68943246f21d532d"
TARGET = HERE / "chatbot_arena_2024-08-14.parquet"
OUTCOMES = ["wins_a", "wins_b", "ties", "both_bad"]


def download_wheel(folder: Path) -> Path:
    """Download the wheel without its dependencies and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", REQUIREMENT]
    subprocess.run([*command, "--dest", str(folder)], check=True)
    return next(folder.glob("leaderbot-*.whl"))


def counts_frame(published: dict[str, list]) -> pl.DataFrame:
    """One row per pair of models met: two names and the four outcome counts."""
    models = pl.Series(published["models"], dtype=pl.String)
    pairs = pl.DataFrame(published["X"], schema=["a", "b"], orient="row")
    outcomes = pl.DataFrame(published["Y"], schema=dict.fromkeys(OUTCOMES, pl.Int64), orient="row")
    names = pl.DataFrame(
        {"model_a": models.gather(pairs["a"]), "model_b": models.gather(pairs["b"])}
    )
    return names.hstack(outcomes).sort("model_a", "model_b")


def main() -> None:
    """Download, check, convert, write."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(download_wheel(Path(folder))) as wheel,
    ):
        published = wheel.read(MEMBER)
        licence = wheel.read(next(n for n in wheel.namelist() if n.endswith("LICENSE.txt")))
    found = hashlib.sha256(published).hexdigest()
    if found != MEMBER_SHA256:
        sys.exit(f"{MEMBER}: SHA-256 is {found}, expected {MEMBER_SHA256}")
    frame = counts_frame(json.loads(published))
    # Statistics and compression are pinned, so that the same polars writes the same bytes.
    frame.write_parquet(TARGET, compression="zstd", compression_level=19)
    (HERE / "LICENSE-leaderbot").write_bytes(licence)
    votes = frame.select(pl.sum_horizontal(OUTCOMES).sum()).item()
    print(f"{TARGET.name}: {frame.height:,} pairs, {votes:,} votes")
    print(hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
