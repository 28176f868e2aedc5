"""What wall, canary and gateway add to the CLI: the same run bare and behind each wall, in turns."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alm.bench.bare import KEY, action, job, prompt, run_bare, script
from alm.environment import installed_cli
from alm.standins.model import ScriptedModel
from orchestrator.adapters.agent.claude_code import ClaudeCode
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.wall.bubblewrap import Bubblewrap
from orchestrator.adapters.wall.ladder import Ladder
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.wall import Probe, Rung
from orchestrator.errors import SandboxRefused
from orchestrator.ports import AgentTask

ROUNDS, WARM = 12, 2


@dataclass(frozen=True)
class Walled:
    """Median milliseconds of a run, bare and behind this wall; no number where this machine cannot build it."""

    rung: Rung
    bare_ms: float
    walled_ms: float | None

    @property
    def added_ms(self) -> float | None:
        """What the wall costs."""
        return None if self.walled_ms is None else self.walled_ms - self.bare_ms


def walls_added() -> Iterator[Walled]:
    """Measure each wall against bare runs of the same minute."""
    for sandbox in (Bubblewrap(), Landlock(), Seccomp()):
        with ScriptedModel(script(0.0)) as model:
            pairs = [(_bare_s(model.url), _walled_s(model.url, sandbox)) for _ in range(WARM + ROUNDS)][WARM:]
        walled = [through for _, through in pairs if through is not None]
        yield Walled(
            sandbox.rung,
            1000 * statistics.median(bare for bare, _ in pairs),
            1000 * statistics.median(walled) if walled else None,
        )


def _bare_s(url: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        _repository(Path(folder, "clone"))
        started = time.perf_counter()
        run_bare(url, Path(folder))
        return time.perf_counter() - started


def _walled_s(url: str, sandbox: Sandbox) -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        workspace = Path(folder, "job", "workspace")
        _repository(workspace)
        agent = ClaudeCode(Ladder((sandbox,), Rung.SECCOMP), installed_cli(), AnthropicModel(url, KEY))
        task = AgentTask(job(), action(), prompt(), workspace)
        started = time.perf_counter()
        try:
            agent.run(task, Path(folder, "transcript"), _nobody)
        except SandboxRefused:
            return None
        return time.perf_counter() - started


def _repository(folder: Path) -> None:
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "cart.py").write_text("total = 0\n")


def _nobody(probes: tuple[Probe, ...]) -> None:
    del probes
