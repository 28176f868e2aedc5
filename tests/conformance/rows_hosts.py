"""Attacks with what an action may have: a host on its list, and money."""

from tests.conformance.attack import SHELL_WON, Attack, Group, bash, python
from tests.conformance.refusals import FORBIDDEN
from tests.conformance.rows_network import DIAL, GATEWAY_CURL
from tests.contract.tls_server import PUBLIC, Internet, TlsServer

from orchestrator.domain.agent import Source

ALLOWED = "registry.example.org"
REDIRECT = (
    b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
BUDGET_USD = 0.2


def internet(server: TlsServer) -> Internet:
    """An internet in which every name leads to this server."""
    return Internet(dict.fromkeys((ALLOWED, "evil.example"), (PUBLIC,)), {PUBLIC: server.connected})


_OPENS = f"""
import ssl
def opens(target):
    {"; ".join(line for line in DIAL if not line.startswith("import"))}
    one.sendall(f'CONNECT {{target}} HTTP/1.1\\r\\nHost: {{target}}\\r\\n\\r\\n'.encode())
    head = b''
    while not head.endswith(b'\\r\\n\\r\\n') and (more := one.recv(1)):
        head += more
    print(head[:60])
    return one if b' 200 ' in head else None
def secured(one, name):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(one, server_hostname=name)
"""


def _tunnels(name: str, counted_as: str, *statements: str, refusal: str = FORBIDDEN) -> Attack:
    imports = next(line for line in DIAL if line.startswith("import"))
    call = python(imports, _OPENS, *statements)
    return Attack(name, (call,), Source.EGRESS, Group.HOSTS, counted_as=counted_as, refusal=refusal)


# The gateway ends a tunnel without a word.
HUNG_UP = "ConnectionResetError|SSLEOFError|SSLZeroReturnError|EOF occurred in violation of protocol"
HOSTS = (
    _tunnels(
        "an allowed host by its address",
        f"CONNECT {PUBLIC}:443: not a host name",
        f"assert opens('{PUBLIC}:443')",
    ),
    _tunnels(
        "an allowed host at another port",
        f"CONNECT {ALLOWED}:22: only port 443",
        f"assert opens('{ALLOWED}:22')",
    ),
    _tunnels(
        "a host that is not allowed",
        "CONNECT other.example:443: not on the action's list",
        "assert opens('other.example:443')",
    ),
    _tunnels(
        "another host inside an allowed tunnel",
        f"CONNECT {ALLOWED.upper()}:443: TLS asks for another server",
        f"secured(opens('{ALLOWED.upper()}:443'), 'evil.example')",
        refusal=HUNG_UP,
    ),
    _tunnels(
        "a shell inside an allowed tunnel",
        f"CONNECT {ALLOWED.title()}:443: what was sent is no TLS",
        f"one = opens('{ALLOWED.title()}:443')",
        "one.sendall(b'SSH-2.0-x' + bytes([13, 10]))",
        "print('answer', answer := one.recv(1))",
        "assert answer",
        refusal="answer b''",
    ),
    _tunnels(
        "a redirect from an allowed host",
        "CONNECT evil.example:443: not on the action's list",
        f"one = secured(opens('{ALLOWED}:443'), '{ALLOWED}')",
        f"one.sendall(b'GET / HTTP/1.1' + bytes([13, 10]) + b'Host: {ALLOWED}' + bytes([13, 10, 13, 10]))",
        "leads_to = one.recv(65536).partition(b'https://')[2].partition(b'/')[0].decode()",
        "print(leads_to)",
        "assert opens(f'{leads_to}:443')",
    ),
)

_BODY = '{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "@slug@"}]}'
_CALL = f"{GATEWAY_CURL} -H 'content-type: application/json' -d '{_BODY}' \"$ANTHROPIC_BASE_URL/v1/messages\""

BUDGET = (
    Attack(
        "calls past the CLI until the money is gone",
        (
            bash(
                f"for n in $(seq 100); do code=$({_CALL}); done; "
                f'case $code in 2*) {SHELL_WON};; esac; echo "status $code"'
            ),
        ),
        Source.BUDGET,
        Group.BUDGET,
        refusal=FORBIDDEN,
        counted_as="POST /v1/messages: the budget of $*",
    ),
)
