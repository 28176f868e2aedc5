"""`make bench`: what the pipeline costs beyond a bare clone and a bare CLI, and how twenty jobs share two cores."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Self

from rich.console import Console
from rich.table import Table

from alm.demo import repository
from alm.demo.turns import INVESTIGATE, bash
from alm.environment import forget_the_rest, installed_cli, machine_environment
from alm.settings import PROMPTS, LocalSettings, checked
from alm.stack import Stack
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from alm.standins.model import Conversation, Script, ScriptedModel, Turn
from orchestrator.adapters.action_files import load_action
from orchestrator.adapters.claude_code import CLI, SETTINGS, claude_argv, settings_json
from orchestrator.adapters.git_cli import CREDENTIAL_HELPER, git_environment
from orchestrator.adapters.jinja_prompts import JinjaPrompts
from orchestrator.domain.job import Brief, Job
from orchestrator.domain.prompt import prompt_values

ROUNDS = 7
JOBS, CONCURRENCY, THINK_S = 20, 8, 5.0
LIMIT_S = 300.0
KEY = "sk-ant-bench"


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


def clone_bare(github: GitHubStandIn, target: Path) -> None:
    """A shallow clone by plain git."""
    environment = git_environment(
        {"credential.helper": CREDENTIAL_HELPER}, {"ALM_GIT_TOKEN": github.settings.read_token}
    )
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", github.clone_url, str(target)], env=environment, check=True
    )


def run_bare(url: str, folder: Path) -> None:
    """The CLI as the worker calls it, but without wall and gateway."""
    action = load_action(PROMPTS / "investigate.md")
    settings = folder / "settings.json"
    settings.write_text(settings_json(action.settings))
    place: Mapping[str, str] = {CLI: str(installed_cli()), SETTINGS: str(settings)}
    job = Job(job_id="x", issue_id="1", issue_key="DEMO-1", action=action.name, label=action.label)
    brief = Brief(issue_type="Bug", summary="Ten pieces cost the full price", description="", url="")
    prompt = JinjaPrompts().render(action.template, prompt_values(job, brief, None, "0" * 16))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    argv = [place.get(part, part) for part in claude_argv(action, None)]
    subprocess.run(
        argv, input=prompt.encode(), env=environment, cwd=folder / "clone", check=True, capture_output=True
    )


def script(think_s: float) -> Script:
    """Three turns, each after some thinking; only what works inside and outside the wall alike."""
    turns = (
        Turn("Looking.", (bash("ls"),), think_s),
        Turn("Reading.", (bash("cat shop/cart.py"),), think_s),
        Turn(tools=INVESTIGATE[-1].tools, think_s=think_s),
    )
    return lambda conversation: turns[min(conversation.step, len(turns) - 1)]


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


def peak_mb(pid: int) -> float:
    """A process's largest resident size so far in MB (VmHWM of proc_pid_status(5)); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _silent(line: bytes) -> None:
    del line


def machine() -> str:
    """This machine's size."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB"


def main() -> None:
    """Measure and print."""
    forget_the_rest(machine_environment())
    table = Table("measured", "pipeline", "bare", "ratio", "goal", title=f"ALM Orchestrator on {machine()}")
    for think_s in (0.0, 2.0):
        samples = compare(think_s, ROUNDS if think_s == 0 else 3)
        pipeline = statistics.median(sample.pipeline_s for sample in samples)
        bare = statistics.median(sample.bare_s for sample in samples)
        row = (
            f"one job, 3 turns of {think_s:g} s",
            f"{pipeline:.2f} s",
            f"{bare:.2f} s",
            f"{pipeline / bare:.2f}",
        )
        table.add_row(*row, "≤ 1.15")
    elapsed, memory = crowd()
    ideal = -(-JOBS // CONCURRENCY) * THINK_S
    row = (
        f"{JOBS} jobs of {THINK_S:g} s, {CONCURRENCY} at once (bare: the thinking alone)",
        f"{elapsed:.1f} s",
        f"{ideal:.0f} s",
        f"{elapsed / ideal:.2f}",
    )
    table.add_row(*row, "< 35 s")
    table.add_row("worker's memory, largest of them", f"{memory:.0f} MB", "", "", "< 150 MB")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
