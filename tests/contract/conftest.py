"""The servers that adapters are held against. What goes over a wire is held against the vendor's contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.gateway_client import Hours
from tests.contract.git_drafts import a_copy
from tests.contract.git_workspace import cloner
from tests.contract.jira_account import connected
from tests.contract.openapi import known_contract
from tests.contract.overloaded_service import Service
from tests.contract.tls_server import Certificate, TlsServer
from tests.contract.tunnels import ALLOWED, EVIL, OTHER, Opened, proxies
from tests.fakes.clock import FakeClock

from alm.aws import LocalAws
from alm.standins.github import GitHubStandIn
from alm.standins.jira import JiraStandIn
from alm.standins.model import ScriptedModel
from orchestrator.adapters.git_cli import GitCheckout
from orchestrator.adapters.jira_cloud import JiraCloud

JIRA_SPEC = ("jira-v3.json", "/ex/jira/[^/]+")
GITHUB_SPEC = ("github.json", "/api/v3")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def jira(clock: FakeClock) -> Iterator[JiraStandIn]:
    with JiraStandIn(clock=clock.time) as running:
        yield running
        if spec := known_contract(*JIRA_SPEC):
            spec.check_all(running.requests)


@pytest.fixture
def cloud(jira: JiraStandIn, clock: FakeClock) -> Iterator[JiraCloud]:
    adapter = connected(jira, clock)
    yield adapter
    adapter.session.close()


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as running:
        yield running
        if spec := known_contract(*GITHUB_SPEC):
            spec.check_all(running.requests)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws({"alm/known": "its value"}) as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.made(tmp_path_factory.mktemp("tls"), ALLOWED, OTHER, EVIL)


@pytest.fixture
def server(certificate: Certificate) -> Iterator[TlsServer]:
    with TlsServer(certificate) as running:
        yield running


@pytest.fixture
def proxy(server: TlsServer) -> Iterator[Opened]:
    with proxies(server) as made:
        yield made


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def service(hours: Hours) -> Service:
    """A model's service that may be overloaded."""
    return Service(hours)


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with ScriptedModel(service) as model:
        yield model.url


# With a `github` of the test's own module: one clone serves all of it.
@pytest.fixture(scope="module")
def cloned(github: GitHubStandIn) -> Iterator[GitCheckout]:
    with cloner(github).clone(None) as made:
        yield made


@pytest.fixture
def fresh(cloned: GitCheckout, tmp_path: Path) -> GitCheckout:
    """A clone of the test's own."""
    return a_copy(cloned, tmp_path / "job")
