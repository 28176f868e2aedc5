"""The server a TLS client asks for, read from the bytes it sends."""

import ssl
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.client_hello import LONGEST_HELLO, Hello, NotAHello, SentRecords, read_hello


def hello(name: str | None, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.maximum_version = newest
    context.check_hostname = False
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def record(content: bytes) -> bytes:
    return b"\x16\x03\x01" + len(content).to_bytes(2) + content


def message(extensions: Sequence[tuple[int, bytes]], *, kind: int = 1, trailing: bytes = b"") -> bytes:
    listed = b"".join(number.to_bytes(2) + len(data).to_bytes(2) + data for number, data in extensions)
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    body += len(listed).to_bytes(2) + listed + trailing
    return bytes([kind]) + len(body).to_bytes(3) + body


def names(*hosts: bytes, kind: int = 0) -> tuple[int, bytes]:
    listed = b"".join(bytes([kind]) + len(host).to_bytes(2) + host for host in hosts)
    return (0, len(listed).to_bytes(2) + listed)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_name_in_a_real_hello_is_found(newest: ssl.TLSVersion) -> None:
    said = hello("registry.example.org", newest=newest)
    assert read_hello(said) == Hello(complete=True, server_name="registry.example.org")


def test_a_real_hello_without_a_name_has_none() -> None:
    assert read_hello(hello(None)) == Hello(complete=True)


def test_a_hello_that_has_not_all_arrived_is_incomplete_at_every_byte() -> None:
    said = hello("registry.example.org")
    assert {read_hello(said[:length]) for length in range(len(said))} == {Hello(complete=False)}


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00",
        b"\x80\x2e\x01\x03\x01",
        b"\x17\x03\x03\x00\x01x",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x16\x02\x00\x00\x01\x01",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        record(b"\x02\x00\x00\x00"),
        record(message([names(b"a.example")])[:7]) + record(message([names(b"a.example")])[7:]),
        record(b"\x01"),
        record(b"\x01\x00\x00\x00"),
        record(b"\x01" + (LONGEST_HELLO + 1).to_bytes(3)),
        record(message([names(b"a.example")]) + b"\x01"),
        record(message([names(b"a.example")], trailing=b"x")),
        record(message([names(b"a.example"), names(b"a.example")])),
        record(message([names(b"a.example", b"b.example")])),
        record(message([names(b"a.example", kind=1)])),
        record(message([names(b"\xff.example")])),
        record(message([(0, b"")])),
        record(message([(0, b"\x00\x00")])),
        record(message([(0, b"\x00\x05\x00\x00\x09abc")])),
        record(message([(0, names(b"a.example")[1] + b"x")])),
    ],
    ids=lambda sent: sent[:16].hex(),
)
def test_what_does_not_add_up_is_no_hello(sent: bytes) -> None:
    with pytest.raises(NotAHello):
        read_hello(sent)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_make_it_fail_otherwise(noise: bytes, framed: bool) -> None:
    try:
        said = read_hello(record(b"\x01" + len(noise).to_bytes(3) + noise) if framed else noise)
    except NotAHello:
        return
    assert said.server_name is None or said.server_name.isascii()


@given(st.data())
def test_no_changed_byte_of_a_hello_makes_it_fail_otherwise(data: st.DataObject) -> None:
    said = bytearray(
        record(message([(10, b"\x00\x02\x00\x1d"), names(b"a.example"), (16, b"\x00\x03\x02h2")]))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_hello(bytes(said))
    except NotAHello:
        return


DATA, CIPHER = b"\x17\x03\x03\x00\x03abc", b"\x14\x03\x03\x00\x01\x01"
FINISHED = b"\x16\x03\x03\x00\x28" + bytes([0, *range(39)])
FIRST = record(message([names(b"a.example")]))
OF_ANOTHER = record(message([names(b"b.example")]))


def watched() -> SentRecords:
    return SentRecords(lambda name: name == "a.example")


@given(st.lists(st.integers(1, 400)))
def test_what_a_client_sends_passes_as_it_is_however_it_arrives(cuts: list[int]) -> None:
    said = FIRST + DATA + CIPHER + FIRST + FINISHED + DATA * 3
    edges = sorted({0, *(cut for cut in cuts if cut < len(said)), len(said)})
    records = watched()
    assert b"".join(records.cleared(said[start:end]) for start, end in pairwise(edges)) == said


@pytest.mark.parametrize(
    "before", [b"", FIRST, FIRST + DATA, FIRST + CIPHER, FIRST + CIPHER + FINISHED + DATA]
)
@pytest.mark.parametrize(
    "said",
    [
        OF_ANOTHER,
        record(message([])),
        record(OF_ANOTHER[5:8]) + record(OF_ANOTHER[8:]),
        record(OF_ANOTHER[5:20]) + record(OF_ANOTHER[20:]),
        b"\x16\x03\x01\x00\x00",
        b"SSH-2.0-x\r\n",
        b"\x17\x02\x00\x00\x01x",
        b"\x17\x03\x03\xff\xff",
        b"\x19\x03\x03\x00\x01x",
    ],
    ids=lambda said: said[:12].hex(),
)
def test_a_later_hello_for_another_server_does_not_pass(before: bytes, said: bytes) -> None:
    records = watched()
    assert records.cleared(before) == before
    with pytest.raises(NotAHello):
        records.cleared(said)


def test_a_record_is_held_until_it_can_be_judged() -> None:
    records = watched()
    assert [records.cleared(bytes([byte])) for byte in OF_ANOTHER[:-1]] == [b""] * (len(OF_ANOTHER) - 1)
