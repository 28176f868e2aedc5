"""Tunnels: which bytes go through, and how many of them."""

import ssl
from contextlib import ExitStack, suppress
from threading import Event

import pytest
from tests.contract.raw_server import sends
from tests.contract.tls_server import Certificate, TlsServer, head_of, rest_of
from tests.contract.tunnels import ALLOWED, EVIL, GET, OTHER, Opened, opening, pour, secured, silent

from orchestrator.adapters.gateway.egress import Limits
from orchestrator.domain.client_hello import SentRecords


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (opening(EVIL), "TLS asks for another server"),
        (opening(OTHER), "TLS asks for another server"),
        (opening(None), "TLS asks for another server"),
        (opening(f"{ALLOWED}.{EVIL}"), "TLS asks for another server"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "what was sent is no TLS"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "what was sent is no TLS"),
        (b"\x16\x03\x01\x40\x00" + bytes(16384), "what was sent is no TLS"),
    ],
    ids=lambda said: said[:12].hex() if isinstance(said, bytes) else said,
)
def test_bytes_that_do_not_ask_for_the_host_in_tls_reach_nobody(
    proxy: Opened, server: TlsServer, said: bytes, why: str
) -> None:
    received: list[bytes] = []
    opened = proxy()
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        agent.sendall(said)
        received.append(rest_of(agent))
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: {why}"]
    assert (received, server.requests, opened.egress.sent) == ([b""], [], 0)


def test_a_hello_that_comes_in_drops_is_passed_on_whole(proxy: Opened) -> None:
    opened, said = proxy(), opening(ALLOWED)
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        for start in range(0, len(said), 40):
            agent.sendall(said[start : start + 40])
        assert agent.recv(1) == b"\x16"
    assert opened.settled() == []


@pytest.mark.parametrize("hello_s", [0, 0.05])
def test_a_client_that_says_nothing_is_cut_and_counted(proxy: Opened, hello_s: float) -> None:
    opened = proxy(limits=Limits(hello_s=hello_s))
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        assert rest_of(agent) == b""
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: TLS was not opened in time"]


def test_a_client_that_goes_away_before_it_speaks_is_no_denial(proxy: Opened) -> None:
    opened = proxy()
    opened.dialled(f"{ALLOWED}:443").close()
    assert opened.settled() == []


def test_what_a_job_may_send_ends_the_tunnel_and_refuses_the_next(
    proxy: Opened, server: TlsServer, certificate: Certificate
) -> None:
    opened = proxy(limits=Limits(sent_bytes=20_000))
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate) as connection:
            pour(connection)
    assert b" 403 " in opened.refused(f"{ALLOWED}:443")
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: the job may send 20000 bytes"] * 2
    assert sum(map(len, server.requests)) <= 20_000


def test_what_a_job_may_receive_ends_the_tunnel(
    proxy: Opened, server: TlsServer, certificate: Certificate
) -> None:
    server.script = sends(bytes(1_000_000))
    opened = proxy(limits=Limits(received_bytes=200_000))
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate) as connection:
            connection.sendall(GET)
            assert len(rest_of(connection)) <= 200_000
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: the job may receive 200000 bytes"]


def test_only_so_many_tunnels_are_open_at_once(proxy: Opened) -> None:
    opened = proxy(limits=Limits(open_tunnels=2))
    with ExitStack() as stack:
        for _ in range(2):
            head_of(stack.enter_context(opened.dialled(f"{ALLOWED}:443")))
        assert b" 403 " in opened.refused(f"{ALLOWED}:443")
    assert opened.settled() == [f"CONNECT {ALLOWED}:443: 2 tunnels are open already"]
    with opened.dialled(f"{ALLOWED}:443") as agent:
        assert b" 200 " in head_of(agent)


def test_a_job_has_only_so_many_tunnels_and_look_ups(proxy: Opened) -> None:
    opened = proxy(limits=Limits(tunnels=3))
    answers = [opened.refused(f"x{number}.files.example.org:443") for number in range(5)]
    assert [answer[9:12] for answer in answers] == [b"502"] * 3 + [b"403"] * 2
    assert len(opened.internet.asked) == 3


def test_a_tunnel_in_which_nobody_speaks_is_ended(
    proxy: Opened, server: TlsServer, certificate: Certificate
) -> None:
    over = Event()
    server.script = lambda _: silent(over)
    opened = proxy(limits=Limits(idle_s=0.05))
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate) as connection:
            connection.sendall(GET)
            assert rest_of(connection) == b""
    over.set()
    assert opened.settled() == []


def test_the_end_of_the_job_cuts_its_tunnels(proxy: Opened, certificate: Certificate) -> None:
    opened = proxy()
    with opened.dialled(f"{ALLOWED}:443") as agent:
        head_of(agent)
        with secured(agent, certificate) as connection:
            opened.egress.close()
            assert rest_of(connection) == b""
    assert opened.settled() == []
    with opened.dialled(f"{ALLOWED}:443") as late:
        head_of(late)
        assert rest_of(late) == b""


def said_in_handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> bytes:
    """Everything a client of OpenSSL sends until both are content and it has said one thing more."""
    to_client, to_server, sent = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=ALLOWED),
        server.wrap_bio(outgoing := ssl.MemoryBIO(), to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            said = to_server.read()
            sent += said
            outgoing.write(said)
    ends[0].write(GET)
    return sent + to_server.read()


@pytest.mark.parametrize(
    ("newest", "curve", "ciphers", "hellos"),
    [
        (ssl.TLSVersion.TLSv1_3, None, None, 1),
        (ssl.TLSVersion.TLSv1_3, "secp384r1", None, 2),
        (ssl.TLSVersion.TLSv1_2, None, None, 1),
        (ssl.TLSVersion.TLSv1_2, None, "ECDHE-ECDSA-AES128-SHA256", 1),
    ],
)
def test_every_handshake_of_a_real_client_passes(
    certificate: Certificate, newest: ssl.TLSVersion, curve: str | None, ciphers: str | None, hellos: int
) -> None:
    client, server = certificate.client(), certificate.server()
    client.maximum_version = newest
    if curve:
        server.set_ecdh_curve(
            curve
        )  # one that the client has not prepared for, so that it has to say hello again
    if ciphers:
        client.set_ciphers(ciphers)
    said = said_in_handshake(client, server)
    asked: list[str | None] = []

    def allows(name: str | None) -> bool:
        asked.append(name)
        return True

    records = SentRecords(allows)
    assert records.cleared(said) == said
    assert asked == [ALLOWED] * hellos
