"""Tunnels: which hosts are reached, and at which addresses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.gateway_client import dialled, say
from tests.contract.raw_server import sends
from tests.contract.tls_server import OK, PUBLIC, Certificate, Internet, TlsServer, head_of, rest_of
from tests.contract.tunnels import ALLOWED, EVIL, GET, HOSTS, OTHER, Opened, opening, secured

from orchestrator.adapters.gateway.egress import Egress, connect
from orchestrator.adapters.gateway.provider import Answer, Call
from orchestrator.adapters.gateway.server import Gateway


@pytest.mark.parametrize("host", [ALLOWED, OTHER])
def test_an_allowed_host_is_reached_at_the_address_that_was_checked(
    proxy: Opened, server: TlsServer, certificate: Certificate, host: str
) -> None:
    opened = proxy()
    with opened.dialled(f"{host}:443") as agent:
        assert head_of(agent) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        with secured(agent, certificate, host) as connection:
            connection.sendall(GET)
            assert rest_of(connection) == OK
    assert server.requests == [GET]
    assert opened.internet.reached == [(PUBLIC, 443)]
    assert opened.settled() == []


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(
    proxy: Opened, certificate: Certificate
) -> None:
    opened = proxy()
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate):
            pass
    opened.settled()
    assert opened.internet.asked == [ALLOWED]


def test_a_host_in_capitals_with_a_final_dot_is_the_same_host(
    proxy: Opened, certificate: Certificate
) -> None:
    opened = proxy()
    with opened.dialled("REGISTRY.Example.org.:443") as agent:
        assert b" 200 " in head_of(agent)
        with secured(agent, certificate):
            pass
    assert opened.settled() == []


def test_a_client_that_does_not_wait_for_the_answer_is_served(proxy: Opened, server: TlsServer) -> None:
    opened = proxy()
    with opened.dialled(f"{ALLOWED}:443", early=opening(ALLOWED)) as agent:
        assert b" 200 " in head_of(agent)
        assert agent.recv(1) == b"\x16"
    assert opened.settled() == []
    assert server.connections == 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (f"{EVIL}:443", "not on the action's list"),
        ("example.org:443", "not on the action's list"),
        (f"{ALLOWED}:80", "only port 443"),
        (f"{ALLOWED}:22", "only port 443"),
        (ALLOWED, "not a host name"),
        (f"{PUBLIC}:443", "not a host name"),
        ("1572395042:443", "not a host name"),
        ("0x5db8d822:443", "not a host name"),
        ("[::ffff:93.184.216.34]:443", "not a host name"),
        ("169.254.169.254:80", "not a host name"),
    ],
)
def test_any_other_target_is_refused_counted_and_not_even_looked_up(
    proxy: Opened, target: str, why: str
) -> None:
    opened = proxy()
    answer = opened.refused(target)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert answer.endswith(f"\r\n\r\nThe gateway refuses this tunnel: {why}.\n".encode())
    assert opened.settled() == [f"CONNECT {target}: {why}"]
    assert (opened.internet.asked, opened.internet.reached) == ([], [])


def test_a_long_target_is_counted_with_its_reason(proxy: Opened) -> None:
    opened = proxy()
    opened.refused(f"{'a' * 5000}.example.org:443")
    (denied,) = opened.settled()
    assert denied == f"CONNECT {'a' * 100}: not a host name"


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("fd00:ec2::254",),
        ("10.0.0.1", PUBLIC),
        (PUBLIC, "10.0.0.1"),
        (PUBLIC, "::ffff:10.0.0.1"),
        (PUBLIC, "64:ff9b::a9fe:a9fe"),
    ],
)
def test_one_address_that_is_not_public_refuses_the_host(proxy: Opened, addresses: tuple[str, ...]) -> None:
    opened = proxy(addresses)
    assert b" 403 " in opened.refused(f"{ALLOWED}:443")
    why = "its name leads to an address that is not public"
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: {why}"]
    assert opened.internet.reached == []


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "169.254.169.254"])
def test_the_connector_itself_takes_public_addresses_only(address: str) -> None:
    with pytest.raises(OSError, match="not a public address"):
        connect(address, 443)


def test_an_allowed_host_that_is_away_is_no_denial(proxy: Opened) -> None:
    opened = proxy(("93.184.216.99", "93.184.216.98"))
    assert b" 502 " in opened.refused(f"{ALLOWED}:443")
    assert b" 502 " in opened.refused("unknown.files.example.org:443")
    assert opened.settled() == []


def test_the_next_address_is_tried_where_one_does_not_answer(proxy: Opened, certificate: Certificate) -> None:
    opened = proxy(("93.184.216.99", PUBLIC))
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate):
            pass
    assert [address for address, _ in opened.internet.reached] == ["93.184.216.99", PUBLIC]


def test_a_redirect_leads_to_a_tunnel_that_is_judged_by_itself(
    proxy: Opened, server: TlsServer, certificate: Certificate
) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: https://{EVIL}/x\r\nContent-Length: 0\r\n\r\n".encode()
    server.script, opened = sends(moved), proxy()
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate) as connection:
            connection.sendall(GET)
            assert EVIL.encode() in rest_of(connection)
    assert b" 403 " in opened.refused(f"{EVIL}:443")
    assert opened.settled() == [f"CONNECT {EVIL}:443: not on the action's list"]
    assert len(opened.internet.reached) == 1


class NoModel:
    """A provider that nobody may ask."""

    def send(self, call: Call) -> Answer:
        raise AssertionError(call.path)


@pytest.fixture
def gateway(server: TlsServer, tmp_path: Path) -> Iterator[Gateway]:
    internet = Internet({ALLOWED: (PUBLIC,)}, {PUBLIC: server.connected})
    egress = Egress(HOSTS, internet.resolve, internet.connect)
    with Gateway(tmp_path / "model.sock", NoModel(), egress=egress) as running:
        yield running


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_tunnel_begins_at_the_gateways_socket(
    gateway: Gateway, server: TlsServer, certificate: Certificate, version: str
) -> None:
    with dialled(gateway.socket) as agent:
        agent.sendall(f"CONNECT {ALLOWED}:443 HTTP/{version}\r\nHost: {ALLOWED}:443\r\n\r\n".encode())
        assert head_of(agent) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        with secured(agent, certificate) as connection:
            connection.sendall(GET)
            assert rest_of(connection) == OK
    assert (gateway.denials, len(server.requests)) == ((), 1)


@pytest.mark.parametrize("length", [1, 50, 10_000])
def test_what_comes_in_one_piece_with_the_request_is_not_lost(gateway: Gateway, length: int) -> None:
    said = opening(ALLOWED)
    with dialled(gateway.socket) as agent:
        agent.sendall(f"CONNECT {ALLOWED}:443 HTTP/1.1\r\n\r\n".encode() + said[:length])
        assert b" 200 " in head_of(agent)
        agent.sendall(said[length:])
        assert agent.recv(1) == b"\x16"


@pytest.mark.parametrize(
    ("request_line", "counted"),
    [
        (f"CONNECT {EVIL}:443", f"CONNECT {EVIL}:443: not on the action's list"),
        ("CONNECT /", "CONNECT /: not a host name"),
        ("CONNECT //registry.example.org:443", "CONNECT //registry.example.org:443: not a host name"),
        (f"GET http://{ALLOWED}/", f"GET http://{ALLOWED}/"),
        (f"HEAD https://{ALLOWED}/", f"HEAD https://{ALLOWED}/"),
        (f"POST http://{ALLOWED}/v1/messages", f"POST http://{ALLOWED}/v1/messages"),
        (f"PUT http://{EVIL}/", f"PUT http://{EVIL}/"),
    ],
)
def test_any_other_way_through_the_proxy_is_refused_and_counted(
    gateway: Gateway, server: TlsServer, request_line: str, counted: str
) -> None:
    said = say(gateway.socket, f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert said[:12] in {b"HTTP/1.1 403", b"HTTP/1.1 501"}
    assert [denial.target for denial in gateway.denials] == [counted]
    assert server.connections == 0


def test_no_tunnel_outlives_its_gateway(gateway: Gateway, certificate: Certificate) -> None:
    with dialled(gateway.socket) as agent:
        agent.sendall(f"CONNECT {ALLOWED}:443 HTTP/1.1\r\n\r\n".encode())
        head_of(agent)
        with secured(agent, certificate) as connection:
            gateway.__exit__()
            assert rest_of(connection) == b""
    gateway.__enter__()  # for the fixture's own end
