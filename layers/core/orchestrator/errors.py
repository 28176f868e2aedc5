"""The three ways something ends that should not have: fix the set-up, try again, tell the person.

An expected "no" is a returned value, not an error.
"""

from typing import Any

# An upgrade takes minutes. Handed out four times, a message waits for it for the better part of an hour.
NEWER_AFTER_S = 900.0


class OrchestratorError(Exception):
    """Something went wrong."""

    def __str__(self) -> str:
        """The message, else the docstring as the default one."""
        return super().__str__() or (type(self).__doc__ or "")


class ConfigError(OrchestratorError):
    """The configuration cannot be used; nothing starts until a person has mended it."""


class TransientError(OrchestratorError):
    """Something outside did not answer as it should; the same call may work later, so the queue retries.

    `after_s` is how many seconds that something asked us to wait, 0 if it did not say.
    """

    def __init__(self, message: str = "", after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class GivenUp(TransientError):  # noqa: N818  # what became of it
    """It was tried often enough and the ticket has been told; its message is to end in the dead letters."""


class OutOfTime(BaseException):  # what happened
    """The work took longer than it may. `is_busy` is true if it used the processor and did not only wait.

    No Exception, since `except Exception` would take it for an error of the work and go on.
    """

    def __init__(self, *, is_busy: bool) -> None:
        super().__init__()
        self.is_busy = is_busy


class NewerFormat(TransientError):  # noqa: N818  # what was found; whoever can read it does
    """A newer release of the orchestrator wrote this, and only that one can read it: it is left for it."""

    def __init__(self) -> None:
        super().__init__(after_s=NEWER_AFTER_S)


class JobFailed(OrchestratorError):  # noqa: N818  # the blueprint's name; it ends a job, not the program
    """The job cannot succeed by trying again; the message is for the ticket and holds no internals."""


class RepositoryTooLarge(JobFailed):  # as JobFailed; the message says which limit it passes
    """The repository is larger than this deployment works on, so it was not unpacked. Trying again is no use."""


class SandboxRefused(JobFailed):
    """No wall could be built around the agent here, so it was not started. `probes` says what was tried."""

    def __init__(self, message: str = "", probes: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.probes = probes


class ForeignMessage(OrchestratorError):  # noqa: N818  # what came, not what went wrong
    """A message on the queue is no job of ours; handed out often enough, the queue puts it aside by itself."""

    def __init__(self, message_id: str, receipt: str, attempt: int) -> None:
        super().__init__()
        self.message_id = message_id
        self.receipt = receipt
        self.attempt = attempt


class ForgedJob(OrchestratorError):  # noqa: N818  # what came, not what went wrong
    """The poll did not make this job: its signature, its project or its claim does not fit. Nothing was done."""


class NewerMessage(ForeignMessage):
    """A message of a newer release of the orchestrator: it is left for that one."""


class WallUnavailable(OrchestratorError):  # noqa: N818  # an answer of a probe; the ladder takes the next rung
    """This wall cannot be built on this machine."""


class NotFoundError(OrchestratorError):
    """What was asked for does not exist, or this account may not see it."""


class RefusedError(OrchestratorError):
    """The service understood the request and will not do it; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def is_final(error: Exception) -> bool:
    """Whether trying again is no use; an error that is none of ours may pass, like a TransientError."""
    return isinstance(error, OrchestratorError) and not isinstance(error, TransientError)


def words_for_the_log(error: Exception) -> str:
    """What went wrong; of an error that is none of ours only its name, since its words may quote anything."""
    return str(error) if isinstance(error, OrchestratorError) else type(error).__name__


def words_for_the_ticket(error: Exception, attempt: int) -> str:
    """Why the job failed at its last attempt; of an error that is none of ours the ticket gets no internals."""
    if isinstance(error, TransientError):
        return f"{error} It was tried {attempt} times."
    if isinstance(error, OrchestratorError):
        return str(error)
    return "The orchestrator met an error of its own; the job's log tells more."
