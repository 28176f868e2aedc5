"""A world for one worker that is not a process of the local stack: moto, stand-ins, poll and publisher, no worker."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from alm.aws import LocalAws
from alm.demo import repository
from alm.demo.model import script
from alm.environment import machine_environment
from alm.function import LocalFunction
from alm.invoked import track_job_for
from alm.settings import LocalSettings, checked
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from alm.standins.model import Conversation, Script, ScriptedModel, Turn
from orchestrator.domain import adf
from orchestrator.domain.job import Job, JobRecord
from orchestrator.domain.outcome import JobResult

KEY = "sk-ant-image"
# These name files of this machine; in the image they are at their defaults.
_OF_THIS_MACHINE = ("PROMPTS_DIR", "CLAUDE_CLI")
_RESULT_WAIT_S = 10


@dataclass
class World:
    """Everything around the worker."""

    script: Script = script
    first_request: datetime | None = None
    printed: list[bytes] = field(default_factory=list)
    _exit: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.jira = stack.enter_context(JiraStandIn())
            self.github = stack.enter_context(GitHubStandIn())
            self.model = stack.enter_context(ScriptedModel(self._said))
            self.github.seed(repository.FILES)
            self._settings = self._checked()
            self.aws = stack.enter_context(LocalAws(self._settings.secrets()))
            self._worker_environment = stack.enter_context(
                track_job_for(self._settings, self.aws, self.printed.append)
            )
            self._poller = self._function(stack, "poll_jira", self._settings.poll_environment())
            self._publisher = self._function(stack, "publish_result", self._settings.publish_environment())
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def urls(self) -> tuple[str, ...]:
        """What the worker calls."""
        invoked = self._worker_environment["AWS_ENDPOINT_URL_LAMBDA"]
        return (self.aws.endpoint, invoked, self.github.url, self.github.api, self.model.url)

    @property
    def worker_environment(self) -> Mapping[str, str]:
        """What the task definition tells the worker."""
        told = self._worker_environment
        of_this_machine = {*_OF_THIS_MACHINE, *machine_environment()}
        return {name: value for name, value in told.items() if name not in of_this_machine}

    def ask(self, label: str = "ai-investigate") -> str:
        """A new ticket, claimed by a poll; its key. Its job waits in the queue."""
        issue = self.jira.create_issue(
            "Bug",
            "Ten pieces cost too much",
            description="From ten pieces on it is 10% less.",
            labels=(label,),
        )
        self._poller.invoke({"source": "alm"})
        return issue.key

    def next_job(self) -> Mapping[str, Any]:
        """The job's message as an event of Lambda."""
        answer = self.aws.sqs.receive_message(
            QueueUrl=self.aws.job_queue, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"]
        )
        return _event(answer["Messages"][0])

    def result(self) -> JobResult:
        """What the worker stored, once the publisher has told the ticket."""
        message = self.aws.next_result(_RESULT_WAIT_S)
        if message is None:
            raise LookupError("the worker sent no result")
        self._publisher.invoke(_event(message))
        job_id = Job.model_validate_json(message["Body"]).job_id
        return self.aws.result(job_id)

    def record(self) -> JobRecord:
        """What the job table holds of the one job."""
        (item,) = self.aws.jobs()
        return JobRecord.model_validate(item)

    def comments(self, key: str) -> str:
        """All that the ticket was told, as Markdown."""
        return "\n\n".join(adf.to_markdown(comment.body) for comment in self.jira.issue(key).comments)

    def _said(self, conversation: Conversation) -> Turn:
        self.first_request = self.first_request or datetime.now(UTC)
        return self.script(conversation)

    def _checked(self) -> LocalSettings:
        model = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.model.url}
        return checked({**self.jira.environment(), **self.github.environment(), **model})

    def _function(self, stack: ExitStack, name: str, told: Mapping[str, str]) -> LocalFunction:
        environment = {**machine_environment(), **self.aws.environment, **told}
        return stack.enter_context(LocalFunction(f"{name}.handler", environment, self.printed.append))


def _event(message: Any) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "receiptHandle": message["ReceiptHandle"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}
