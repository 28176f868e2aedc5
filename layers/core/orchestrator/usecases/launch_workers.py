"""Start a task for every job that waits, within limits. What goes wrong here is told and counted, never raised."""

from dataclasses import dataclass

from orchestrator.domain.fleet import LaunchPlan, plan_launch
from orchestrator.errors import words_for_the_log
from orchestrator.ports import Clock, Events, JobCounter, WorkerFleet


@dataclass(frozen=True)
class LaunchWorkers:
    """What a poll does for the queue. `limit` is how many tasks may run at once.

    The queue's count may overstate: of an issue's messages only one can be taken at a time. A task too many finds
    no message and ends within the longest wait of a receive.
    """

    queue: JobCounter
    fleet: WorkerFleet
    limit: int
    clock: Clock
    events: Events

    def __call__(self) -> None:
        """Start what is missing. What could not be started now is missing still when the next poll looks."""
        try:
            self._launch()
        except Exception as error:  # noqa: BLE001  # the claims of the same poll stand, and must count as done
            self.events.warning("workers.not_launched", error=words_for_the_log(error))
            self.events.metric("PollErrors", 1)

    def _launch(self) -> None:
        # An idle deployment asks ECS nothing.
        if not (waiting := self.queue.waiting()):
            return
        plan = plan_launch(waiting, self.fleet.tasks(), self.limit, self.clock.time())
        if plan.failed:
            self._tell_failed(plan)
        if plan.start:
            self._start(plan, waiting)

    def _tell_failed(self, plan: LaunchPlan) -> None:
        """Once a poll for as long as it lasts, so that the alarm lasts as long."""
        self.events.warning("workers.resting", failed=plan.failed, starting=plan.start)
        self.events.metric("TaskStartFailures", 1)

    def _start(self, plan: LaunchPlan, waiting: int) -> None:
        launched = self.fleet.start(plan.start)
        facts = {"waiting": waiting, "running": plan.running, "started": launched.started}
        self.events.info("workers.launched", **facts)
        self.events.metric("TasksLaunched", launched.started)
        if launched.failures:
            reasons = sorted(set(launched.failures))
            self.events.warning("workers.refused", count=len(launched.failures), reasons=reasons)
            self.events.metric("TaskStartFailures", len(launched.failures))
