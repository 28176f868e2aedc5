"""Real clients behind the wall that try every other way through the gateway's proxy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.tls_server import PUBLIC, Certificate, Internet, TlsServer
from tests.integration.agents import REPORT, Ran, ask, bash, reports, task, turns

from orchestrator.adapters.gateway.egress import Egress
from orchestrator.domain.agent import Source

ALLOWED, EVIL = "registry.example.org", "evil.example"
CURL = "curl -sS --max-time 5 --cacert /workspace/test.pem"


@pytest.fixture
def server(workspace: Path) -> Iterator[TlsServer]:
    with TlsServer(Certificate.made(workspace, ALLOWED, EVIL)) as running:
        yield running


def tried(server: TlsServer, workspace: Path, *commands: str) -> Ran:
    """An agent that runs the commands, on an internet where every name leads to the one server."""
    internet = Internet(dict.fromkeys((ALLOWED, EVIL), (PUBLIC,)), {PUBLIC: server.connected})
    return ask(
        turns(bash("; ".join(commands)), reports(REPORT)),
        task(workspace, network=(ALLOWED,)),
        tunnels=lambda hosts: Egress(hosts, internet.resolve, internet.connect),
    )


def test_every_other_way_through_the_proxy_is_refused_and_counted(server: TlsServer, workspace: Path) -> None:
    attempts = {
        f"{CURL} https://{EVIL}/": f"CONNECT {EVIL}:443: not on the action's list",
        f"{CURL} https://{PUBLIC}/": f"CONNECT {PUBLIC}:443: not a host name",
        f"{CURL} https://[::ffff:{PUBLIC}]/": f"CONNECT [::ffff:{PUBLIC}]:443: not a host name",
        f"{CURL} https://{ALLOWED}:8443/": f"CONNECT {ALLOWED}:8443: only port 443",
        f"{CURL} http://{ALLOWED}/": f"GET http://{ALLOWED}/",
        f"{CURL} --connect-to {EVIL}:443:{ALLOWED}:443 https://{EVIL}/": (
            f"CONNECT {ALLOWED}:443: TLS asks for another server"
        ),
        f"printf 'SSH-2.0-x\\r\\n' | socat - PROXY:127.0.0.1:{ALLOWED}:443,proxyport=8080": (
            f"CONNECT {ALLOWED}:443: what was sent is no TLS"
        ),
    }
    ran = tried(server, workspace, *attempts)
    refused = [denial.target for denial in ran.run.denials if denial.source is Source.EGRESS]
    assert refused == list(attempts.values())
    assert server.requests == []


def test_programs_behind_the_wall_find_the_authorities_they_trust(server: TlsServer, workspace: Path) -> None:
    ran = tried(server, workspace, f"curl -sS --max-time 5 https://{ALLOWED}/")
    assert "self-signed certificate" in ran.transcript
    assert "error setting certificate" not in ran.transcript
