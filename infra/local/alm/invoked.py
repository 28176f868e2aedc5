"""Lambda's Invoke API for one function of the local stack: a worker calls track_job as it does in AWS.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from alm.aws import TRACK_FUNCTION, LocalAws
from alm.environment import machine_environment
from alm.function import FunctionError, LocalFunction, LogLine
from alm.settings import LocalSettings
from alm.standins.http import Answer, Request, Route, StandInServer, json_answer

_LOGGING = {"POWERTOOLS_LOG_LEVEL": "INFO"}
_PATH = rf"/2015-03-31/functions/{TRACK_FUNCTION}/invocations"


class InvokeServer(StandInServer):
    """Serves track_job. `invoke` is the function; FunctionError becomes the answer that Lambda gives then."""

    def __init__(self, invoke: Callable[[Mapping[str, Any]], Any]) -> None:
        super().__init__(json_answer(404, {"Message": "Function not found"}))
        self._invoke = invoke
        self.add_routes([Route("POST", _PATH, self._call)])

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads boto3's Lambda client here."""
        return {"AWS_ENDPOINT_URL_LAMBDA": self.url}

    def answer(self, request: Request) -> Answer | None:
        """Answer without a request log: workers call every few seconds, for as long as `alm run` runs."""
        return self._handle(request)

    def _call(self, request: Request) -> Answer:
        try:
            return json_answer(200, self._invoke(request.json()))
        except FunctionError as error:
            failed = {"errorType": error.kind, "errorMessage": str(error)}
            return json_answer(200, failed, {"X-Amz-Function-Error": "Unhandled"})


@contextmanager
def track_job_for(settings: LocalSettings, aws: LocalAws, log: LogLine) -> Iterator[Mapping[str, str]]:
    """track_job in a process of its own; yields the whole environment of the workers that call it."""
    told = {**machine_environment(), **aws.environment, **settings.track_environment(), **_LOGGING}
    with (
        LocalFunction("track_job.handler", told, log) as tracker,
        InvokeServer(tracker.invoke) as invoked,
    ):
        yield {
            **machine_environment(),
            **aws.worker_environment,
            **invoked.environment,
            **settings.worker_environment(),
            **_LOGGING,
        }
