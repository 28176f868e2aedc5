"""One poll: look after the jobs under way, claim what is labelled and fits in, see that workers start, look again.

One search of the tracker and one query of the job table where there is nothing to do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.domain.attempt import Attempt
from orchestrator.domain.issue import Claim, Issue, Resume
from orchestrator.domain.job import PROCESSING_LABEL, Job, JobRecord, JobState
from orchestrator.errors import ConfigError, words_for_the_log
from orchestrator.ports import Clock, Events, JobStore
from orchestrator.usecases.find_issues import FindIssues
from orchestrator.usecases.take_issue import TakeIssue
from orchestrator.usecases.unusable import tell_unusable
from orchestrator.usecases.watch_jobs import WatchJobs

# The function has five minutes: claims that would come later are left to the next poll.
CLAIMING_S = 150.0
# So many times the jobs under way may wait for money or for a person, until no more are claimed.
MOST_RESTING = 10
MOST_WAITING = 20
# Who takes the label off waits for this, for the worker's look and for the agent's end: 30 s for all of them.
LOOK_EVERY_S = 10.0


@dataclass(frozen=True)
class PollReport:
    """What one poll did."""

    claimed: tuple[Job, ...] = ()
    resumed: tuple[Job, ...] = ()
    cancelled: tuple[Job, ...] = ()
    failed: tuple[str, ...] = ()
    unusable: str = ""


@dataclass
class _Done:
    """What this poll has done so far."""

    claimed: list[Job] = field(default_factory=list)
    resumed: list[Job] = field(default_factory=list)
    cancelled: list[Job] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    looked_at: float = 0.0
    unfinished: Mapping[str, Attempt] | None = None

    def report(self) -> PollReport:
        return PollReport(
            claimed=tuple(self.claimed),
            resumed=tuple(self.resumed),
            cancelled=tuple(self.cancelled),
            failed=tuple(self.failed),
        )


@dataclass(frozen=True)
class Poll:
    """One look at the tracker. `limit` is how many jobs may be under way or queued at once.

    `watch_s` is for how many seconds after its start it goes on looking for jobs a person has cancelled; `launch`
    starts workers where the deployment leaves that to the poll.
    """

    jobs: JobStore
    find: FindIssues
    take: TakeIssue
    watch: WatchJobs
    clock: Clock
    events: Events
    limit: int = 12
    watch_s: float = 0.0
    launch: Callable[[], None] = lambda: None

    def __call__(self) -> PollReport:
        """Do what is to be done; an issue or a job that fails does not stop the others."""
        began = self.clock.monotonic()
        done = _Done(looked_at=began)
        try:
            self._look(done, began + CLAIMING_S)
        finally:
            # Whatever became of the tracker: jobs of earlier polls may wait for a worker that never came.
            self.launch()
        self._look_again(done, began + self.watch_s)
        return done.report()

    def _look(self, done: _Done, until: float) -> None:
        active = tuple(self.jobs.active())
        known = {record.job_id for record in active}
        self._tell_age(active)
        done.cancelled += self.watch(active)
        free = self._free(active, len(done.cancelled))
        later: list[Issue] = []
        for seen in self.find(free):
            asked = self.take.claim.asked(seen)
            if isinstance(asked, Resume) and asked.job.job_id in known:
                continue
            if not self._has_room(seen, done, free, until):
                break  # claimed ones come first, and the next poll goes on here
            if self._past(seen, done) is not None:
                later.append(seen)
            elif isinstance(asked, Claim | Resume):
                self._take(seen, done)
        for seen in later:
            if self._has_room(seen, done, free, until):
                self._take(seen, done)

    def _has_room(self, seen: Issue, done: _Done, free: int, until: float) -> bool:
        is_waiting = PROCESSING_LABEL not in seen.labels
        return not (is_waiting and len(done.claimed) >= free) and self.clock.monotonic() < until

    def _past(self, seen: Issue, done: _Done) -> Attempt | None:
        """What an earlier poll began on the issue and did not end; read once a poll, when an issue asks for it."""
        if done.unfinished is None:
            done.unfinished = self.take.unfinished()
        return done.unfinished.get(seen.id)

    def _free(self, active: tuple[JobRecord, ...], cancelled: int) -> int:
        """How many more jobs fit in. Those that rest take no worker, but each is looked at by every poll."""
        busy = sum(not one.rests for one in active)
        return max(0, min(self.limit - busy, MOST_RESTING * self.limit - len(active)) + cancelled)

    def _take(self, seen: Issue, done: _Done) -> None:
        key = seen.key
        try:
            taken = self.take(seen, self._past(seen, done))
        except ConfigError:
            raise  # every issue would meet it
        except Exception as error:  # noqa: BLE001  # one odd issue would starve all younger ones for good
            done.failed.append(key)
            self.events.warning("claim.failed", issue_key=key, error=words_for_the_log(error))
            self.events.metric("PollErrors", 1)
            return
        if isinstance(taken, Claim):
            done.claimed.append(taken.job)
        elif isinstance(taken, Resume):
            done.resumed.append(taken.job)
        if self.clock.monotonic() - done.looked_at >= LOOK_EVERY_S:
            self._look_once_more(done)

    def _look_again(self, done: _Done, until: float) -> None:
        """For as long as jobs are under way and it is not time for the next poll; one that rests is in no hurry."""
        is_busy = any(not one.rests for one in self.jobs.active())
        while is_busy and self.clock.monotonic() + LOOK_EVERY_S <= until:
            self.clock.sleep(LOOK_EVERY_S)
            is_busy = self._look_once_more(done)

    def _look_once_more(self, done: _Done) -> bool:
        """End what was cancelled since; whether anything is under way."""
        under_way = tuple(one for one in self.jobs.active() if not one.rests)
        done.cancelled += self.watch.cancelled(_in_a_hurry(under_way))
        done.looked_at = self.clock.monotonic()
        return bool(under_way)

    def _tell_age(self, active: Iterable[JobRecord]) -> None:
        now = self.clock.time()
        self.events.metric("OldestJobSeconds", max((one.age_s(now) for one in active), default=0.0))


def _in_a_hurry(under_way: tuple[JobRecord, ...]) -> tuple[JobRecord, ...]:
    """Every agent at work, and the latest jobs that wait: those whose label people most often think better of.

    A look costs Jira a request for each, and its quota is one of hours: the others are looked at once a poll.
    """
    open_ones = [one for one in under_way if not one.cancel_asked]
    running = [one for one in open_ones if one.state is JobState.RUNNING]
    waiting = [one for one in open_ones if one.state is JobState.QUEUED]
    waiting.sort(key=lambda one: one.queued_at or 0.0, reverse=True)
    return (*running, *waiting[:MOST_WAITING])


def poll_once(make: Callable[[], Poll], events: Events) -> PollReport:
    """One poll, told and counted if it fails. What only a person can mend is answered, not raised."""
    try:
        return make()()
    except ConfigError as error:
        tell_unusable(error, events)
        events.metric("PollErrors", 1)
        return PollReport(unusable=str(error))
    except Exception as error:
        events.warning("poll.failed", error=words_for_the_log(error))
        events.metric("PollErrors", 1)
        raise
