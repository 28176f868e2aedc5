"""Looks for secrets in everything a run left, in the forms in which a value is carried out."""

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from tests.conformance.play import Played
from tests.conformance.rungs import KEY

# Where the gateway puts the credential, on the far side of the wall.
_CREDENTIAL = "x-api-key"


def forms(value: str) -> Iterator[str]:
    """The value as it is, backwards, in base64 wherever it stands in a longer text, in hex, and percent-encoded."""
    plain = value.encode()
    yield from (value, value[::-1], plain.hex(), plain.hex().upper(), quote(value, safe=""))
    yield "".join(f"%{byte:02x}" for byte in plain)
    yield base64.b32encode(plain).decode().rstrip("=")[:-1]
    for shift in range(3):
        # The first and the last characters depend on what stands beside it.
        yield base64.b64encode(b"\0" * shift + plain).decode().rstrip("=")[4 if shift else 0 : -2]


def left_behind(run: Played) -> Iterator[tuple[str, str]]:
    """Everything that leaves a run, or is kept of it, by its name."""
    yield "transcript", run.transcript
    yield "result", run.result.model_dump_json()
    yield "comment", run.comment
    yield "log", repr(run.events.recorded)
    yield "metric", repr(run.events.measured)
    for number, (headers, body) in enumerate(run.requests):
        shown = {name: value for name, value in headers.items() if name.lower() != _CREDENTIAL}
        yield f"request {number}", json.dumps([shown, body])


def found(run: Played, secrets: Mapping[str, str]) -> list[str]:
    """Where which secret stands."""
    wanted = {name: tuple(forms(value)) for name, value in {**secrets, "key": KEY}.items()}
    return [
        f"{name} in {place}"
        for place, text in left_behind(run)
        for name, written in wanted.items()
        if any(one in text for one in written)
    ]
