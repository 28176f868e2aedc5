"""The Jira adapter as the service account of a stand-in, on a clock that nobody waits for."""

from tests.fakes.clock import FakeClock

from alm.standins.jira import JiraStandIn
from orchestrator import bootstrap
from orchestrator.adapters.atlassian_auth import AtlassianAuth
from orchestrator.adapters.jira_cloud import JiraCloud
from orchestrator.config import JiraSettings
from orchestrator.domain.job import Job
from orchestrator.secret_values import JiraSecret

JOB = Job(job_id="DEMO-1-fix-0123", issue_id="10001", issue_key="DEMO-1", action="fix", label="ai-fix")
ASKED = frozenset({JOB.label})


def connected(jira: JiraStandIn, clock: FakeClock, **variables: str) -> JiraCloud:
    """The adapter as it is deployed, but for the clock; `variables` are set over the stand-in's own."""
    environment = {**jira.environment(), **variables}
    secret = JiraSecret(
        client_id=environment["JIRA_CLIENT_ID"], client_secret=environment["JIRA_CLIENT_SECRET"]
    )
    deployed = bootstrap.jira(JiraSettings.read(environment), secret)
    auth = AtlassianAuth(deployed.auth.settings, secret, deployed.session, clock)
    return JiraCloud(auth, deployed.session, clock)


def asked(jira: JiraStandIn) -> list[tuple[str, str]]:
    """Method and path of every request so far; a path of the REST API without what stands before it."""
    prefix = f"/ex/jira/{jira.settings.cloud_id}/rest/api/3"
    return [(request.method, request.path.removeprefix(prefix)) for request in jira.requests]


def handed_out(jira: JiraStandIn) -> set[str]:
    """Every credential that went over the wire: none of them may stand in an error."""
    tokens = {request.headers.get("authorization", "").partition(" ")[2] for request in jira.requests}
    return {jira.settings.client_secret, *tokens} - {""}


def authorizations(jira: JiraStandIn) -> list[str]:
    """What each request to the REST API showed."""
    return [request.headers["authorization"] for request in jira.requests if "/rest/api/" in request.path]
