"""An action with a network: programs behind the wall reach the hosts it names, through the gateway, and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.tls_server import PUBLIC, Certificate, Internet, TlsServer
from tests.integration.agents import REPORT, Ran, ask, bash, reports, task, turns

from orchestrator.adapters.gateway.egress import Egress
from orchestrator.adapters.wall.sandbox import Sandbox
from orchestrator.adapters.wall.without_namespaces import Landlock, Seccomp
from orchestrator.domain.agent import Source

ALLOWED, OTHER = "registry.example.org", "evil.example"
# What pip, npm and curl do: ask the proxy of the environment.
FETCH = (
    'python3 -c "import ssl, urllib.request as u; c = ssl._create_unverified_context(); '
    "print(u.urlopen('https://{host}/', context=c).read())\""
)


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    certificate = Certificate.made(tmp_path, ALLOWED, OTHER)
    with TlsServer(certificate) as server:
        yield Internet({ALLOWED: (PUBLIC,), OTHER: (PUBLIC,)}, {PUBLIC: server.connected})


def fetched(internet: Internet, workspace: Path, host: str, sandbox: Sandbox | None = None) -> Ran:
    script = turns(bash(FETCH.format(host=host)), reports(REPORT))
    wanting = task(workspace, network=(ALLOWED,))

    def tunnels(hosts: tuple[str, ...]) -> Egress:
        return Egress(hosts, internet.resolve, internet.connect)

    return ask(script, wanting, sandbox=sandbox, tunnels=tunnels)


def test_a_host_the_action_names_is_reached(internet: Internet, workspace: Path) -> None:
    ran = fetched(internet, workspace, ALLOWED)
    assert "b'hello'" in ran.transcript
    assert ran.run.denials == ()
    assert ran.run.report == REPORT


def test_any_other_host_is_refused_and_counted(internet: Internet, workspace: Path) -> None:
    ran = fetched(internet, workspace, OTHER)
    assert "hello" not in ran.transcript
    assert [denial.tool for denial in ran.run.denials if denial.source is Source.EGRESS] == ["gateway"]


def test_who_asks_without_a_network_and_says_nothing_is_counted_all_the_same(workspace: Path) -> None:
    quiet = (
        "python3 -c \"import urllib.request as u; u.urlopen('http://evil.example/')\" >/dev/null 2>&1; true"
    )
    ran = ask(turns(bash(quiet), reports(REPORT)), task(workspace))
    assert [(denial.source, denial.target) for denial in ran.run.denials] == [
        (Source.EGRESS, "GET http://evil.example/")
    ]


@pytest.mark.parametrize("rung", [Landlock, Seccomp])
def test_a_wall_without_a_network_of_its_own_has_none_for_the_action_either(
    internet: Internet, workspace: Path, rung: type[Sandbox]
) -> None:
    ran = fetched(internet, workspace, ALLOWED, rung())
    assert "hello" not in ran.transcript
    assert ran.run.report == REPORT
