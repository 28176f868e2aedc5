"""Bounds the body of an answer of Jira or GitHub: strangers write much of it, and a function has little memory."""

from collections.abc import Callable
from typing import Any

import requests

from orchestrator.errors import RefusedError

MIB = 1024 * 1024
# Parsed it takes about ten times as much memory; the smallest function has 512 MiB. An issue with 500 long comments
# comes in about 5 MiB, a page of 100 changed files in less.
LARGEST_ANSWER = 16 * MIB
CHUNK = 64 * 1024


def bounding(service: str, largest: int = LARGEST_ANSWER) -> Callable[..., None]:
    """A hook for answers: reads the body, or raises RefusedError and hangs up where it is larger than that."""

    def bound(answer: requests.Response, **_: Any) -> None:
        body = bytearray()
        for chunk in answer.iter_content(CHUNK):
            body += chunk
            if len(body) > largest:
                answer.close()
                raise RefusedError(
                    f"An answer of {service} is larger than {largest // MIB} MiB, so it was not read.",
                    answer.status_code,
                )
        # requests reads a body once and keeps it here; it has no public way to put one back.
        answer._content = bytes(body)  # noqa: SLF001

    return bound
