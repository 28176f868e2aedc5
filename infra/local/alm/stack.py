"""The whole stack on one machine: what AWS does between the functions, and nothing that the functions do."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Self

from alm.aws import LocalAws
from alm.environment import machine_environment
from alm.function import FunctionError, LocalFunction, LogLine
from alm.invoked import track_job_for
from alm.settings import LocalSettings
from alm.workers import GRACE_S, SHORT_GRACE_S, Workers

DRAIN_S = 60.0
LOOK_EVERY_S = 0.02


@dataclass
class Stack:
    """poll_jira, run_job, track_job and publish_result with moto between them.

    Once `stopping` is set a poll under way has seconds left.
    """

    settings: LocalSettings
    concurrency: int
    log: LogLine
    complain: Callable[[str], None]
    stopping: Event = field(default_factory=Event)
    left_over: int = 0
    _exit: ExitStack = field(default_factory=ExitStack)
    _closing: Event = field(default_factory=Event)
    _publishing: bool = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.aws = stack.enter_context(LocalAws(self.settings.secrets()))
            environment = stack.enter_context(track_job_for(self.settings, self.aws, self.log))
            self.workers = Workers(environment, self.concurrency, self.aws.jobs_waiting, self.log)
            self.workers.tend()
            stack.callback(self.workers.stop)
            self.poller = stack.enter_context(self._function("poll_jira", self._poll_environment()))
            self._publisher = stack.enter_context(
                self._function("publish_result", self.settings.publish_environment())
            )
            self._deliverer = Thread(target=self._deliver, name="results", daemon=True)
            self._deliverer.start()
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        is_pressed_again = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.workers.stop(SHORT_GRACE_S if is_pressed_again else GRACE_S)
        self.wait_until(lambda: not self._results_left(), 0 if is_pressed_again else DRAIN_S)
        self.left_over = self.aws.in_flight() - self.aws.results_left()
        self._closing.set()
        self._deliverer.join()
        self._exit.close()

    def poll(self) -> Mapping[str, Any]:
        """One scheduled poll; FunctionError if it failed."""
        report: Mapping[str, Any] = self.poller.invoke({"source": "alm"}, self.stopping)
        self.workers.tend()
        if report["unusable"]:
            raise FunctionError("ConfigError", report["unusable"])
        return report

    def is_idle(self) -> bool:
        """Whether every job that was taken has been told about."""
        return self.workers.busy == 0 and not self._publishing and self.aws.in_flight() == 0

    def wait_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Whether the condition came true in time; ends early when no worker can start."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline or self.workers.broken:
                return condition()
            time.sleep(LOOK_EVERY_S)
        return True

    def _results_left(self) -> int:
        return int(self._publishing) + self.aws.results_left()

    def _poll_environment(self) -> Mapping[str, str]:
        """What the poll alone is told: where messages end up that nobody can take, and how many jobs fit in."""
        return {
            **self.aws.dead_letters_environment,
            "MAX_CONCURRENCY": str(self.concurrency),
            **self.settings.poll_environment(),
        }

    def _function(self, name: str, environment: Mapping[str, str]) -> LocalFunction:
        return LocalFunction(f"{name}.handler", self._told(environment), self.log)

    def _told(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return {
            **machine_environment(),
            **self.aws.environment,
            **environment,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def _deliver(self) -> None:
        """What the event source mapping does: each result to the publisher, deleted when it was published."""
        while not self._closing.is_set():
            message = self.aws.next_result(wait_s=1)
            if message is None:
                continue
            self._publishing = True
            self._publish(message)
            self._publishing = False

    def _publish(self, message: Any) -> None:
        record = {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": message["Attributes"],
        }
        try:
            left = self._publisher.invoke({"Records": [record]}, self._closing)["batchItemFailures"]
        except FunctionError as error:
            self.complain(f"publish_result failed and will be tried again: {error.kind}: {error}")
            return
        if not left:
            self.aws.result_done(message["ReceiptHandle"])
