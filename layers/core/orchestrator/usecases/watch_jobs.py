"""Look after the jobs under way: end what is cancelled, bring back what got lost, show the ticket how it stands."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.domain import status
from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import is_taken_from
from orchestrator.domain.job import Job, JobRecord, JobState
from orchestrator.errors import ConfigError, OrchestratorError, OutOfTime, TransientError, words_for_the_log
from orchestrator.ports import (
    Clock,
    Commenter,
    DeadLetters,
    Events,
    IssueReader,
    JobCounter,
    JobSender,
    JobStore,
    TimeLimit,
)
from orchestrator.usecases.cancel_job import LABEL_TAKEN_OFF, CancelJob
from orchestrator.usecases.sign_jobs import SignJobs

# A message whose worker died shows again after two minutes, and a task for it takes two more.
LOST_AFTER_S = 600.0
# Four deliveries of a result, each hidden for a quarter of an hour while a credential is refused, and some.
PUBLICATION_LOST_AFTER_S = 2 * 3600.0
# For one look at one job's ticket, in seconds and in seconds of the processor: the others must not wait for it.
LOOK_WALL_S, LOOK_CPU_S = 30.0, 5.0


class TooSlowError(OrchestratorError):
    """Looking after the job took too long, so it was interrupted."""


@dataclass(frozen=True)
class WatchJobs:
    """What a poll does about jobs that have not ended. `dead` are the dead letters by their queue's name."""

    issues: IssueReader
    comments: Commenter
    jobs: JobStore
    queue: JobSender
    results: JobSender
    queued: JobCounter
    published: JobCounter
    dead: Mapping[str, DeadLetters]
    cancel: CancelJob
    limit: TimeLimit
    catalogue: Catalogue
    signer: SignJobs
    clock: Clock
    events: Events

    def __call__(self, records: tuple[JobRecord, ...]) -> tuple[Job, ...]:
        """The jobs that were cancelled; one that fails does not stop the others."""
        if not records:
            return ()
        cancelled = self.cancelled(records)
        given_up = self._given_up()
        left = [one for one in records if one.job_id not in {job.job_id for job in cancelled}]
        lost = {one.job_id for one in self._lost(one for one in left if one.job_id not in given_up)}
        for record in left:
            self._safely(record, lost, given_up)
        return cancelled

    def cancelled(self, records: Iterable[JobRecord]) -> tuple[Job, ...]:
        """End the jobs whose label a person took off; none where the tracker does not answer."""
        found = []
        for record in records:
            try:
                with self._limited():
                    if is_taken_from(self.issues.look(record.issue_key), record.job) and self.cancel(
                        record, LABEL_TAKEN_OFF
                    ):
                        found.append(record.job)
            except TransientError as error:
                self._tell("ticket.not_seen", record, error)
                break  # it would answer for none of the others
            except ConfigError:
                raise
            except Exception as error:  # noqa: BLE001  # the others must not wait for one odd ticket
                self._tell("ticket.not_seen", record, error)
        return tuple(found)

    def _safely(self, record: JobRecord, lost: set[str], given_up: Mapping[str, str]) -> None:
        try:
            with self._limited():
                self._look_after(record, lost, given_up)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001  # the same
            self._tell("job.not_looked_after", record, error)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        try:
            with self.limit.within(LOOK_WALL_S, LOOK_CPU_S):
                yield
        except OutOfTime as late:
            raise TooSlowError from late

    def _look_after(self, record: JobRecord, lost: set[str], given_up: Mapping[str, str]) -> None:
        queue = given_up.get(record.job_id, "")
        if queue and not record.dead_letter and not record.is_attended(self.clock.time()):
            record = self._give_up(record, queue)
        elif record.job_id in lost or record.is_due_again(self.clock.time()):
            return self._send_again(record)
        return self._show(record)

    def _given_up(self) -> dict[str, str]:
        """By job, the dead-letter queue that holds a message of it; empty if the queues cannot be read.

        A message that the poll did not sign says nothing about the job it names.
        """
        try:
            return {
                job.job_id: name
                for name, letters in self.dead.items()
                for job in letters.jobs()
                if self.signer.is_genuine(job)
            }
        except Exception as error:  # noqa: BLE001  # labels must not wait for dead letters
            self.events.warning("dead_letters.not_seen", error=words_for_the_log(error))
            self.events.metric("PollErrors", 1)
            return {}

    def _give_up(self, record: JobRecord, queue: str) -> JobRecord:
        self.jobs.give_up(record.job, queue)
        self.events.warning("job.given_up", **record.job.log_fields(), queue=queue)
        return record.model_copy(update={"dead_letter": queue, "seen_at": self.clock.time()})

    def _lost(self, records: Iterable[JobRecord]) -> Iterator[JobRecord]:
        """Jobs nobody has been at for long, as many as there are messages missing, the oldest first.

        One that only waits for its turn looks the same: so the messages are counted. A message too many does no harm.
        """
        now = self.clock.time()
        known = [one for one in records if not one.rests]
        silent = sorted((one for one in known if _is_silent(one, now)), key=lambda one: one.queued_at or 0.0)
        if silent:
            missing = len(known) - self.queued.depth() - self.published.depth()
            yield from silent[: max(0, missing)]

    def _send_again(self, record: JobRecord) -> None:
        again = self.jobs.requeue(record)
        if again is None:
            return
        to = self.results if record.phase == status.PUBLISHING else self.queue
        to.send(record.job, again)
        self.events.warning("job.sent_again", **record.job.log_fields(), state=record.state, sends=again)
        if record.state is not JobState.WAITING:
            self.events.metric("JobsResent", 1)

    def _show(self, record: JobRecord) -> None:
        """Tell the status comment how the job stands; an edit that fails is made good by the next poll."""
        now = self.clock.time()
        if record.status_comment is None or not status.is_due(record, now):
            return
        # The list is some moments old: the publisher may have said the last word since.
        fresh = self.jobs.get(record.job_id)
        if fresh is None or not status.is_due(fresh, now):
            return
        text = status.current(self.catalogue.named(fresh.action), fresh, now)
        try:
            self.comments.edit_comment(fresh.issue_key, record.status_comment, text)
            self.jobs.status_shown(fresh.job)
        except OrchestratorError as error:
            self._tell("status.not_shown", fresh, error)

    def _tell(self, event: str, record: JobRecord, error: Exception) -> None:
        fields = {"job_id": record.job_id, "issue_key": record.issue_key, "action": record.action}
        self.events.warning(event, **fields, error=words_for_the_log(error))


def _is_silent(record: JobRecord, now: float) -> bool:
    limit_s = PUBLICATION_LOST_AFTER_S if record.phase == status.PUBLISHING else LOST_AFTER_S
    return now - max(record.seen_at, record.queued_at or 0.0) >= limit_s
