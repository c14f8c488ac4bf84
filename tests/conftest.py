"""What the tests of the command line share."""

from dataclasses import dataclass

import pytest

from arena.cli import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def arena(capsys, monkeypatch):
    """The command line in this process: arguments in; exit code, output and errors out."""
    monkeypatch.delenv("COLUMNS", raising=False)  # as wide as a pipe, wherever tests run

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(left.value.code or 0, captured.out, captured.err)

    return run
