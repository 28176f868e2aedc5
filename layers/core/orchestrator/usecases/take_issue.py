"""One issue of a poll, limited in time. An issue that stopped two polls is set aside."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.attempt import MOST_ATTEMPTS, Attempt
from orchestrator.domain.issue import Claim, Issue, Leave, Resume
from orchestrator.ports import Attempts, Clock, Events
from orchestrator.usecases.attempt_work import Allowance, AttemptWork
from orchestrator.usecases.claim_issue import ClaimIssue

# An honest issue takes a second, of which a tenth on the processor.
FOR_AN_ISSUE = Allowance(wall_s=40.0, cpu_s=10.0)


@dataclass(frozen=True)
class TakeIssue:
    """Claims an issue, or sets it aside: its ticket is told and its label taken off without reading its text."""

    claim: ClaimIssue
    attempts: Attempts
    attempt: AttemptWork
    clock: Clock
    events: Events

    def unfinished(self) -> Mapping[str, Attempt]:
        """By issue id, what earlier polls began and did not end."""
        return self.attempts.unfinished()

    def __call__(self, seen: Issue, past: Attempt | None) -> Claim | Resume | Leave:
        """What was done about the issue; `past` is what an earlier poll did not end."""
        if past is None:
            return self.attempt(seen.id, 0, FOR_AN_ISSUE, lambda: self.claim(seen.key))
        now = self.clock.time()
        if past.is_under_way(now):
            return Leave("another poll may be at it")
        before = past.tries(now)
        if before < MOST_ATTEMPTS:
            return self.attempt(seen.id, before, FOR_AN_ISSUE, lambda: self.claim(seen.key))
        return self._set_aside(seen, before)

    def _set_aside(self, seen: Issue, before: int) -> Claim | Resume | Leave:
        taken = self.attempt(seen.id, before, FOR_AN_ISSUE, lambda: self.claim.set_aside(seen.key))
        self.events.warning("issue.set_aside", issue_key=seen.key, attempts=before)
        self.events.metric("PollErrors", 1)
        return taken
