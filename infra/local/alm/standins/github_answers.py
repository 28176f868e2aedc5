"""The answers all GitHub resources share: refusals in GitHub's words, pages with Link headers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from alm.standins.messages import Answer, Refused, Request, json_answer

DOCS = "https://docs.github.com/rest"
MAX_PER_PAGE = 100


def refusal(status: int, message: str, *errors: dict[str, Any]) -> Refused:
    """Say no the way GitHub does."""
    body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return Refused(json_answer(status, {**body, "errors": list(errors)} if errors else body))


def not_found() -> Refused:
    """Say that there is no such thing, or that it is not yours to see."""
    return refusal(404, "Not Found")


def invalid(resource: str, field: str, message: str = "") -> Refused:
    """Refuse one field of a body."""
    error = {"resource": resource, "field": field, "code": "custom" if message else "invalid"}
    return refusal(422, "Validation Failed", {**error, "message": message} if message else error)


def unprocessable(*errors: str) -> Refused:
    """Refuse a review: its errors are sentences."""
    body = {"message": "Unprocessable Entity", "errors": list(errors), "documentation_url": DOCS}
    return Refused(json_answer(422, {**body, "status": "422"}))


def body_of(request: Request, *required: str) -> dict[str, Any]:
    """Return the body, refusing it when it is no object or lacks something."""
    body = request.json()
    if not isinstance(body, dict):
        raise refusal(422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object.")
    for name in required:
        if body.get(name) in (None, ""):
            raise refusal(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    return body


def paged(request: Request, url: str, items: list[Any], write: Callable[[Any], Any]) -> Answer:
    """Answer the page asked for, with a Link header while there are more."""
    size = min(int(request.first("per_page", "30")), MAX_PER_PAGE)
    number = max(int(request.first("page", "1")), 1)
    page = [write(item) for item in items[(number - 1) * size : number * size]]
    if number * size >= len(items):
        return json_answer(200, page)
    kept = {name: values[0] for name, values in request.query.items()}
    following = urlencode({**kept, "page": number + 1})
    return json_answer(200, page, {"Link": f'<{url}{request.path}?{following}>; rel="next"'})
