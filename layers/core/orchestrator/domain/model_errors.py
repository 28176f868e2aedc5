"""Errors as the Messages API puts them: a kind, a sentence, a status.

https://docs.claude.com/en/api/errors
"""

import json

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def kind_of(status: int) -> str:
    """What an error with this status is called."""
    return KINDS.get(status, "api_error")


def error_value(status: int, message: str) -> dict[str, object]:
    """An error as a value, the same in a body and in a stream."""
    return {"type": "error", "error": {"type": kind_of(status), "message": message}}


def error_body(status: int, message: str) -> bytes:
    """An error as an answer's body."""
    return json.dumps(error_value(status, message)).encode()
