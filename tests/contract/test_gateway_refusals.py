"""Everything that is not plainly a model call stops at the gateway, and is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.gateway_client import ask, call, dialled, say
from tests.contract.raw_server import RawServer, sends

from orchestrator.adapters.gateway.agent_http import LARGEST_REQUEST
from orchestrator.adapters.gateway.anthropic import AnthropicModel
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.model_rules import ModelRules

KEY = "sk-made-up-key-of-the-gateway"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def upstream() -> Iterator[RawServer]:
    with RawServer(sends(OK)) as running:
        yield running


@pytest.fixture
def gateway(upstream: RawServer, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "model.sock", AnthropicModel(upstream.url, KEY)) as running:
        yield running


def post(target: str, *headers: str, body: str = "{}") -> bytes:
    lines = (f"POST {target} HTTP/1.1", "Host: localhost", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def refuses(gateway: Gateway, upstream: RawServer, sent: bytes) -> list[int]:
    """The statuses of all answers to the bytes, none of which reached the service or shows the key."""
    said = say(gateway.socket, sent)
    assert upstream.requests == []
    assert KEY.encode() not in said
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


def test_the_connection_check_of_the_cli_is_answered_and_learns_nothing(
    gateway: Gateway, upstream: RawServer
) -> None:
    answer = ask(gateway.socket, "HEAD", "/")
    assert (answer.status, answer.body) == (200, b"")
    assert (gateway.denials, upstream.requests) == ((), [])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "ODD"])
@pytest.mark.parametrize("target", ["/v1/messages", "/v1/models"])
def test_any_other_method_is_refused_and_counted(
    gateway: Gateway, upstream: RawServer, method: str, target: str
) -> None:
    answer = ask(gateway.socket, method, target)
    assert 400 <= answer.status < 600
    assert [denial.target for denial in gateway.denials] == [f"{method} {target}"]
    assert upstream.requests == []


def test_connect_is_refused_and_the_host_named(gateway: Gateway, upstream: RawServer) -> None:
    request = b"CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n\r\n"
    assert refuses(gateway, upstream, request) == [403]
    assert [denial.target for denial in gateway.denials] == [
        "CONNECT example.net:443: not on the action's list"
    ]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1",
        "/v1/complete",
        "/v1/models",
        "/v1/files",
        "/v1/messages/",
        "/v1/messages/batches",
        "//v1/messages",
        "///v1/messages",
        "/v1//messages",
        "/v1/./messages",
        "/v1/x/../messages",
        "/v1/messages/../x",
        "/v1/messages/..%2fx",
        "/v1/messages?",
        "/v1/messages?beta=false",
        "/v1/messages?beta=true&x=1",
        "/v1/messages?beta=true?",
        "/v1%2fmessages",
        "/v1/messages%00",
        "/v1/messages%3fbeta",
        "/V1/MESSAGES",
        "/v1/messages;x",
        "/v1/messages#?beta",
        "/v1/messages\\",
        "v1/messages",
        "*",
        "?/v1/messages",
        "http://localhost/v1/messages",
        "http://169.254.169.254/v1/messages",
        "https://example.net/v1/messages",
        "//example.net/v1/messages",
        "@example.net/v1/messages",
        ":1/v1/messages",
        ".example.net/v1/messages",
    ],
)
def test_any_other_path_is_refused_and_counted(gateway: Gateway, upstream: RawServer, target: str) -> None:
    assert refuses(gateway, upstream, post(target, "Content-Length: 2")) == [403]
    assert len(gateway.denials) == 1
    assert gateway.upstream_status is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Content-Length:"],
        ["Content-Length: -1"],
        ["Content-Length: +2"],
        ["Content-Length: 2.0"],
        ["Content-Length: 0x2"],
        ["Content-Length: 1_0"],
        ["Content-Length: \xb2"],
        ["Content-Length: 2, 2"],
        ["Content-Length: 2", "Content-Length: 2"],
        ["Content-Length: 2", "Content-Length: 20"],
        ["Content-Length: 2", "content-length: 0"],
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 2"],
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: xchunked", "Content-Length: 2"],
        ["Transfer-Encoding : chunked", "Content-Length: 2"],
        ["Transfer-Encoding:\r\n chunked", "Content-Length: 2"],
        [f"Content-Length: {LARGEST_REQUEST + 1}"],
        ["Content-Length: 99999999999"],
        [f"Content-Length: {'9' * 5000}"],
    ],
    ids=str,
)
def test_a_body_whose_length_is_not_said_plainly_is_refused_and_the_line_closed(
    gateway: Gateway, upstream: RawServer, headers: list[str]
) -> None:
    hidden = post("/v1/messages", "Content-Length: 2").decode()
    assert refuses(gateway, upstream, post("/v1/messages", *headers, body=f"{{}}{hidden}")) == [413]
    assert len(gateway.denials) == 1


def test_a_second_request_behind_the_body_is_judged_on_its_own(gateway: Gateway, upstream: RawServer) -> None:
    both = post("/v1/messages", "Content-Length: 2") + post("/v1/files", "Content-Length: 2")
    said = say(gateway.socket, both)
    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"403"]
    assert len(upstream.requests) == 1


def test_a_body_shorter_than_it_says_is_not_sent_on(gateway: Gateway, upstream: RawServer) -> None:
    assert say(gateway.socket, post("/v1/messages", "Content-Length: 20")) == b""
    assert upstream.requests == []


@pytest.mark.parametrize(
    "header",
    ["anthropic-beta: a\r\n b", "anthropic-beta: a\r\n\tx-api-key: theirs", "anthropic-beta: a\x00b\r\n\tc"],
)
def test_a_folded_header_is_refused(gateway: Gateway, upstream: RawServer, header: str) -> None:
    assert refuses(gateway, upstream, post("/v1/messages", header, "Content-Length: 2")) == [400]
    assert len(gateway.denials) == 1


@pytest.mark.parametrize("header", ["anthropic-beta: a\rx-api-key: theirs", "anthropic-beta: \xe9\xff"])
def test_no_header_brings_another_with_it(gateway: Gateway, upstream: RawServer, header: str) -> None:
    say(gateway.socket, post("/v1/messages", header, "Content-Length: 2"))
    heads = [request.partition(b"\r\n\r\n")[0].lower() for request in upstream.requests]
    assert not [head for head in heads if b"theirs" in head]


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST /v1/messages HTTP/9.9\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/messages\r\n\r\n",
        b"POST /v1/messages x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"Content-Length: 2\r\n\r\n{}",
        b"POST /v1/messages HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/messages HTTP/1.1\r\nno colon\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=lambda sent: sent[:24].decode("latin-1"),
)
def test_what_is_not_http_reaches_nobody_and_the_gateway_goes_on(
    gateway: Gateway, upstream: RawServer, sent: bytes
) -> None:
    assert KEY.encode() not in say(gateway.socket, sent)
    assert upstream.requests == []
    assert call(gateway.socket).status == 200


def test_a_silent_peer_holds_nobody_up(gateway: Gateway) -> None:
    with dialled(gateway.socket):
        assert call(gateway.socket).status == 200


def test_a_target_is_counted_shortened(gateway: Gateway) -> None:
    ask(gateway.socket, "GET", "/" + "a" * 5000)
    (denial,) = gateway.denials
    assert (denial.tool, denial.source, len(denial.target)) == ("gateway", "egress", 200)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}', "a tool of the model's service"),
        (
            '{"mcp_servers": [{"type": "url", "url": "https://evil.example"}]}',
            "a field the agent has no use for",
        ),
        (
            '{"messages": [{"content": [{"source": {"type": "url"}}]}]}',
            "content the model's service would fetch",
        ),
        ("not JSON", "a body that is not JSON"),
    ],
)
def test_a_call_that_would_send_the_service_elsewhere_is_refused_and_counted(
    gateway: Gateway, upstream: RawServer, body: str, reason: str
) -> None:
    sent = post("/v1/messages", f"Content-Length: {len(body)}", body=body)
    assert refuses(gateway, upstream, sent) == [403]
    assert [denial.target for denial in gateway.denials] == [f"POST /v1/messages with {reason}"]


def test_a_model_nobody_agreed_to_is_one_that_does_not_exist_and_is_counted(
    upstream: RawServer, tmp_path: Path
) -> None:
    rules = ModelRules(frozenset({"claude-haiku-5-5"}))
    with Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY), rules) as gateway:
        for path in ("/v1/messages", "/v1/messages/count_tokens"):
            answer = ask(gateway.socket, "POST", path, b'{"model": "claude-opus-5-5"}')
            assert (answer.status, answer.json()["error"]["type"]) == (404, "not_found_error")
        assert [denial.target for denial in gateway.denials] == [
            "POST /v1/messages with a model this deployment has not agreed to",
            "POST /v1/messages/count_tokens with a model this deployment has not agreed to",
        ]
    assert upstream.requests == []


def test_no_second_model_in_the_body_takes_the_place_of_the_one_judged(
    upstream: RawServer, tmp_path: Path
) -> None:
    rules = ModelRules(frozenset({"claude-haiku-5-5"}))
    body = b'{"model": "claude-haiku-5-5", "\\u006dodel": "claude-opus-5-5"}'
    with Gateway(tmp_path / "s", AnthropicModel(upstream.url, KEY), rules) as gateway:
        assert ask(gateway.socket, "POST", "/v1/messages", body).status == 403
    assert upstream.requests == []
