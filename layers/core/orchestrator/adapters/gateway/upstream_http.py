"""HTTP to a model's service: connections that are kept, bodies passed on as they arrive, no redirect, no repeat."""

from collections.abc import Iterator, Mapping

import urllib3

from orchestrator.adapters.gateway.provider import (
    CONNECT_TIMEOUT_S,
    CONNECTIONS,
    READ_TIMEOUT_S,
    Answer,
    NoAnswer,
    NotReached,
)

CHUNK = 64 * 1024
RESPONSE_HEADERS = frozenset(
    {"content-type", "content-encoding", "request-id", "retry-after", "x-should-retry"}
)


class ServiceConnections:
    """The connections to one service, shared by all jobs of the process."""

    def __init__(self) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        # The CLI repeats what failed; a redirect would take the credential elsewhere.
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, timeout=timeout, retries=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, its body not read yet; NoAnswer if there is none."""
        try:
            answer = self._pool.request(
                *("POST", url),
                headers=dict(headers),
                body=body,
                preload_content=False,
                decode_content=False,
                redirect=False,
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            raise NotReached from None
        except urllib3.exceptions.HTTPError:
            # Its words name the address.
            raise NoAnswer from None
        kept = {name.lower(): value for name, value in answer.headers.items() if _may_return(name.lower())}
        return Answer(answer.status, kept, _chunks(answer), answer.close)


def _may_return(name: str) -> bool:
    return name in RESPONSE_HEADERS or name.startswith("anthropic-ratelimit-")


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """What has arrived, as soon as it has."""
    try:
        while chunk := answer.read1(CHUNK):
            yield chunk
    except urllib3.exceptions.HTTPError:
        raise NoAnswer from None
