"""Run the agent once: its money set aside before it starts and settled after, its stream kept."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.agent import AgentRun
from orchestrator.domain.job import Job, transcript_key
from orchestrator.domain.money import Unpaid, run_name
from orchestrator.domain.wall import Probe, standing
from orchestrator.errors import JobFailed, words_for_the_log
from orchestrator.ports import Agent, AgentTask, Clock, Events, JobArtifacts, JobBudget, JobTracker
from orchestrator.usecases.clean_transcript import CleanTranscript


class RunUnpaid(JobFailed):
    """An account has no room for the run. The message is for the ticket."""

    def __init__(self, unpaid: Unpaid) -> None:
        super().__init__(unpaid.shortage.words())
        self.unpaid = unpaid


@dataclass(frozen=True)
class AskAgent:
    """What a worker does with a prompt."""

    jobs: JobTracker
    budget: JobBudget
    artifacts: JobArtifacts
    agent: Agent
    clock: Clock
    events: Events
    clean: CleanTranscript

    def __call__(self, task: AgentTask) -> AgentRun:
        """The run, paid for; RunUnpaid where an account has no room for it: then nothing was started."""
        name = run_name(self.clock.time(), secrets.token_hex(4))
        with tempfile.TemporaryDirectory(prefix="alm-transcript-") as folder:
            transcript = Path(folder) / "transcript.jsonl"
            try:
                run = self.agent.run(task, transcript, lambda probes: self._walls_tried(task, name, probes))
                self._settle(task, name, run.cost_usd)
                return run
            finally:
                if transcript.exists():
                    self._keep(task.job, transcript)

    def _keep(self, job: Job, transcript: Path) -> None:
        """Store the transcript without the secrets in it; one that cannot be cleaned is not stored."""
        clean = transcript.with_suffix(".clean")
        try:
            self.clean(transcript, clean)
        except Exception as error:  # noqa: BLE001  # a fault of the scanner must not cost the work of the agent
            self.events.warning("transcript.not_kept", **job.log_fields(), error=words_for_the_log(error))
            return
        self.artifacts(job).put_file(transcript_key(job), clean)

    def _settle(self, task: AgentTask, run: str, cost_usd: float | None) -> None:
        """A cost that is not known, or cannot be written, stays what was set aside for it."""
        if cost_usd is None:
            return
        try:
            self.budget.settle(task.job, run, cost_usd)
        except Exception as error:  # noqa: BLE001  # the work is done and paid: it must not be thrown away and paid again
            fields = {**task.job.log_fields(), "cost_usd": cost_usd}
            self.events.warning("cost.not_settled", **fields, error=words_for_the_log(error))

    def _walls_tried(self, task: AgentTask, run: str, probes: tuple[Probe, ...]) -> None:
        """Every answer is kept and counted, so that a fleet that falls down a rung is seen."""
        job = task.job
        self.jobs.walls_tried(job, probes)
        for probe in probes:
            self.events.metric("SandboxProbes", 1, rung=probe.rung, answer=probe.answer)
            self.events.info("sandbox.probed", **job.log_fields(), **probe.model_dump(mode="json"))
        if standing(probes) is None:
            return
        # A worker that dies tells nobody what its agent spent: until it ends, it counts with all it may.
        unpaid = self.budget.reserve(job, run)
        if unpaid is not None:
            raise RunUnpaid(unpaid)
