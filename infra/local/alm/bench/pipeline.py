"""One job through the whole pipeline and bare, in turns; and how twenty jobs share two cores."""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Self

from alm.bench.bare import KEY, clone_bare, run_bare, script
from alm.bench.memory import peak_mb
from alm.demo import repository
from alm.demo.turns import INVESTIGATE
from alm.settings import LocalSettings, checked
from alm.stack import Stack
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from alm.standins.model import Conversation, Script, ScriptedModel, Turn

ROUNDS = 7
JOBS, CONCURRENCY, THINK_S = 20, 8, 5.0
LIMIT_S = 300.0


@dataclass(frozen=True)
class Sample:
    """Seconds of one round."""

    pipeline_s: float
    bare_s: float


class Bench:
    """Stand-ins, a scripted model and the stack, for as long as the context lasts."""

    def __init__(self, script: Script, concurrency: int) -> None:
        self._script = script
        self._concurrency = concurrency

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.jira = stack.enter_context(JiraStandIn())
            self.github = stack.enter_context(GitHubStandIn())
            self.model = stack.enter_context(ScriptedModel(self._script))
            self.github.seed(repository.FILES)
            self.stack = stack.enter_context(Stack(self._settings(), self._concurrency, _silent, print))
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _settings(self) -> LocalSettings:
        model = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.model.url}
        return checked({**self.jira.environment(), **self.github.environment(), **model})

    def label(self, count: int) -> tuple[str, ...]:
        """That many new tickets that ask for an analysis."""
        return tuple(
            self.jira.create_issue("Bug", "Ten pieces cost the full price", labels=("ai-investigate",)).key
            for _ in range(count)
        )

    def run(self, keys: tuple[str, ...]) -> float:
        """Seconds from the poll to the last ticket's end."""
        started = time.monotonic()
        self.stack.poll()
        done: Callable[[], bool] = lambda: all(not self.jira.issue(key).labels for key in keys)  # noqa: E731
        if not self.stack.wait_until(done, LIMIT_S):
            sys.exit("bench: the jobs did not end in time")
        elapsed = time.monotonic() - started
        self.stack.wait_until(self.stack.is_idle, LIMIT_S)
        return elapsed

    def bare(self) -> float:
        """Seconds of the same clone and the same CLI run with nothing around them."""
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            clone_bare(self.github, Path(folder) / "clone")
            run_bare(self.model.url, Path(folder))
            return time.monotonic() - started


def one_thought(conversation: Conversation) -> Turn:
    """One turn after five seconds."""
    del conversation
    return Turn(tools=INVESTIGATE[-1].tools, think_s=THINK_S)


def compare(think_s: float, rounds: int) -> list[Sample]:
    """The same job both ways, interleaved; the first round warms the caches and does not count."""
    with Bench(script(think_s), concurrency=1) as bench:
        samples = []
        for _ in range(rounds + 1):
            pipeline_s = settled(lambda: bench.run(bench.label(1)))
            samples.append(Sample(pipeline_s, settled(bench.bare)))
        return samples[1:]


def settled(measure: Callable[[], float]) -> float:
    """The measurement, taken once the next worker is up and waits, as it does between polls."""
    time.sleep(2)
    return measure()


def crowd() -> tuple[float, float]:
    """Seconds for twenty jobs at concurrency eight, and the largest worker's memory in MB."""
    with Bench(one_thought, CONCURRENCY) as bench:
        done, largest = Event(), [0.0]
        watcher = Thread(target=_watch_memory, args=(bench.stack, done, largest))
        watcher.start()
        elapsed = bench.run(bench.label(JOBS))
        done.set()
        watcher.join()
        return elapsed, largest[0]


def _watch_memory(stack: Stack, done: Event, largest: list[float]) -> None:
    while not done.wait(0.2):
        largest[0] = max([largest[0], *(peak_mb(pid) for pid in stack.workers.pids)])


def _silent(line: bytes) -> None:
    del line
