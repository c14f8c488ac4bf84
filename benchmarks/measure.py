"""How long calls and whole processes take, and the memory they peak at.

A task is a function in one of the files beside this one. It gets what it needs ready and returns
another function, which does the work and returns its answer: numbers and arrays by name. Every
task runs in a process of its own, so that nothing is warm for one because another was there, and
peak memory is its own.

- *cold*: from the start of a process to its end, with one call: interpreter, imports, compiling.
- *warm*: the second and later calls in one process. Processes take turns, call by call, so that
  all see the same machine.

    python benchmarks/measure.py --task ours board '{"path": "votes.parquet"}'

is what is run for each task. This file needs the standard library alone, so that any Python can
run it, one with another library's packages in it as well.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

HERE = Path(__file__).parent
LONG, FEW_ROUNDS = 20.0, 2
"""A task that takes so many seconds is measured in so many rounds only."""

# A child inherits its parent's peak memory until it starts its own program, so the parent
# has to be a small one.
WATCH = """
import json, os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)] if sys.argv[1] == "quiet" else []
start = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]))
"""
WATCHED = [sys.executable, "-I", "-S", "-c", WATCH]


# ── whole processes ────────────────────────────────────────────────────────────────────────


class TaskError(Exception):
    """A task that could not be run, and why."""


@dataclass(frozen=True)
class Run:
    """A whole process: wall time from its start to its end, and its peak memory."""

    seconds: float
    peak_mb: float


def watch(*command: str) -> Run:
    """Run a command to its end, without its output."""
    done = subprocess.run([*WATCHED, "quiet", *command], stdout=subprocess.PIPE, check=True)
    return _run(done.stdout)


def _run(line: bytes | str) -> Run:
    seconds, peak_kb, code = json.loads(line)
    if code != 0:
        raise TaskError(f"its process ended with {code}")
    return Run(seconds, peak_kb * 1024 / 1e6)


# ── tasks ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Task:
    """What is measured.

    Attributes:
        name: what tables call it.
        module: the file beside this one that has it.
        function: the function in that file.
        options: what the function gets.
        python: the Python that runs it.
        rounds: at most so many warm calls are counted.
        cold_rounds: at most so many cold processes.
    """

    name: str
    module: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable
    rounds: int = 1_000
    cold_rounds: int = 1_000


@dataclass(frozen=True)
class Measured:
    """What a task took.

    Attributes:
        task: which one.
        warm: seconds of each counted call.
        cold: seconds of each whole process with one call.
        peak_mb: the largest of its processes.
        answer: of its last call.
        why_not: why there is none: a package that is not installed, or what went wrong.
    """

    task: Task
    warm: tuple[float, ...] = ()
    cold: tuple[float, ...] = ()
    peak_mb: float = 0.0
    answer: Mapping[str, Any] = field(default_factory=dict)
    why_not: str = ""

    @property
    def seconds(self) -> float:
        """Median of the warm calls."""
        return median(self.warm) if self.warm else float("nan")

    @property
    def cold_seconds(self) -> float:
        """Median of the cold processes."""
        return median(self.cold) if self.cold else float("nan")


class Process:
    """A process that does one task whenever it is asked."""

    def __init__(self, task: Task) -> None:
        given = [task.module, task.function, json.dumps(dict(task.options))]
        self._process = subprocess.Popen(
            [*WATCHED, "open", task.python, "-P", __file__, "--task", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what: str) -> dict[str, Any]:
        """Have it do something: ``ready``, ``call``, ``answer``."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(what + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        said = json.loads(line) if line else {"why_not": "its process cannot be started"}
        # What the watcher says in place of the process that it watched is a list.
        if isinstance(said, list):
            raise TaskError(f"its process ended with {said[2]}")
        if "why_not" in said:
            raise TaskError(said["why_not"])
        return dict(said)

    def end(self) -> Run:
        """Let it end."""
        rest, _ = self._process.communicate()
        lines = rest.strip().splitlines()
        if not lines:
            raise TaskError("its process cannot be started, or was ended")
        return _run(lines[-1])


def race(tasks: Sequence[Task], rounds: int = 5, cold_rounds: int = 0) -> list[Measured]:
    """Measure tasks side by side.

    Args:
        tasks: any number.
        rounds: warm calls of each, after one that is not counted; two of a long task.
        cold_rounds: processes with one call of each.
    """
    cold: list[list[Run]] = [[] for _ in tasks]
    why_not = [""] * len(tasks)
    for _ in range(cold_rounds):
        for i, task in enumerate(tasks):
            most = FEW_ROUNDS if cold[i] and cold[i][0].seconds > LONG else task.cold_rounds
            if not why_not[i] and len(cold[i]) < most:
                try:
                    cold[i].append(_cold(task))
                except TaskError as failure:
                    why_not[i] = str(failure)
    warm = _warm(tasks, rounds, why_not)
    return [
        Measured(
            task,
            tuple(seconds),
            tuple(run.seconds for run in cold[i]),
            max([run.peak_mb for run in [*cold[i], *ended]], default=0.0),
            answer,
            why,
        )
        for i, (task, (seconds, ended, answer, why)) in enumerate(zip(tasks, warm, strict=True))
    ]


def _cold(task: Task) -> Run:
    process = Process(task)
    try:
        process.ask("call")
    except TaskError as failure:
        with suppress(TaskError):
            process.end()
        raise failure from None
    return process.end()


def _warm(
    tasks: Sequence[Task], rounds: int, why_not: Sequence[str]
) -> list[tuple[list[float], list[Run], dict[str, Any], str]]:
    """Calls in turn: of each task its seconds, its process, its answer, or why not."""
    processes = [None if why else Process(task) for task, why in zip(tasks, why_not, strict=True)]
    reasons, seconds = list(why_not), [[0.0] * 0 for _ in tasks]
    left = [min(rounds, task.rounds) + 1 for task in tasks]
    for _ in range(rounds + 1):
        for i, process in enumerate(processes):
            if process is None or reasons[i] or left[i] == 0:
                continue
            try:
                seconds[i].append(process.ask("call")["seconds"])
            except TaskError as failure:
                reasons[i] = str(failure)
                continue
            left[i] -= 1
            # The first call compiles, so that only the second says how long a task is.
            if len(seconds[i]) == 2 and seconds[i][1] > LONG:
                left[i] = min(left[i], FEW_ROUNDS - 1)
    found = []
    for i, process in enumerate(processes):
        answer, ended = {}, []
        if process is not None:
            if not reasons[i]:
                answer = process.ask("answer")
            try:
                ended.append(process.end())
            except TaskError as failure:
                reasons[i] = reasons[i] or str(failure)
        found.append((seconds[i][1:], ended, answer, reasons[i]))
    return found


# ── in the process of a task ───────────────────────────────────────────────────────────────


def serve(module: str, function: str, options: Mapping[str, Any]) -> None:
    """Do one task for each line of standard input that says ``call``, and say what it took."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not for the parent
    call: Callable[[], Any] | None = None
    answer: Any = {}
    for line in sys.stdin:
        said: dict[str, Any] = {}
        try:
            if call is None:
                call = getattr(import_module(module), function)(**options)
            if line.strip() == "call":
                start = perf_counter()
                answer = call()
                said = {"seconds": perf_counter() - start}
            elif line.strip() == "answer":
                said = answer
        except ImportError as error:
            said = {"why_not": f"{error.name or error} is not installed"}
        except Exception as error:
            said = {"why_not": f"{type(error).__name__}: {error}".partition("\n")[0]}
        print(json.dumps(said, default=_plain), file=out, flush=True)


def _plain(value: Any) -> Any:
    """An array as a list; what an answer left to be worked out, outside of its time, worked out."""
    return value() if callable(value) else value.tolist()


# ── the machine ────────────────────────────────────────────────────────────────────────────


def versions(*distributions: str) -> dict[str, str]:
    """Versions of those that are installed here."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def versions_task(names: Sequence[str]) -> Callable[[], dict[str, str]]:
    """The same as a task, for another Python."""
    return lambda: versions(*names)


def machine() -> dict[str, str]:
    """Processor, cores, memory, system; nothing that names the computer."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(":")[2] for line in text.splitlines() if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": (models[0].strip() if models else platform.machine()),
        "cores": str(os.cpu_count()),
        "memory": f"{pages / 2**30:.0f} GiB",
        "system": f"{platform.system()}, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    sys.path.append(str(HERE))  # last, so that no script here passes for a library
    serve(sys.argv[2], sys.argv[3], json.loads(sys.argv[4]))
