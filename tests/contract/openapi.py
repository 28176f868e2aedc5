"""Checks what went over the wire against a vendor's OpenAPI document; knows no client and no stand-in."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from tests.contract.contract_files import document, missing
from werkzeug.datastructures import Headers, ImmutableMultiDict

from alm.standins.http import Answer, Request

# Every operation of either vendor can answer these; the documents list them here and there.
EVERYWHERE = frozenset({401, 403, 409, 410, 429, 500, 502, 503})
# The vendor said the request was wrong, so it need not fit the contract.
REFUSED = frozenset({400, 422})
# Jira's document gives its 204 answers an (empty) JSON schema; HTTP gives them no body.
NO_CONTENT = 204


class ContractBroken(AssertionError):  # noqa: N818 - reads as what happened
    """The exchange does not fit the document."""


@dataclass
class _Asked:
    """A request as openapi-core wants it: it writes the path parameters back."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None


@dataclass(frozen=True)
class _Answered:
    """An answer as openapi-core wants it."""

    status_code: int
    content_type: str
    headers: Headers
    data: bytes | None


@dataclass(frozen=True)
class _Operation:
    method: str
    template: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    statuses: frozenset[str]

    def path(self, values: Iterable[str]) -> str:
        """Fill the template, slashes inside a value quoted as openapi-core needs them."""
        remaining = iter(values)
        return re.sub(r"\{[^}]+\}", lambda _: quote(next(remaining), safe=""), self.template)


@dataclass(frozen=True)
class Contract:
    """One OpenAPI document; `prefix` is the regular expression of what stands before its paths."""

    document: Mapping[str, Any]
    prefix: str
    _api: OpenAPI = field(init=False, repr=False)
    _operations: tuple[_Operation, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        config = Config(extra_format_validators={"date-time": is_moment})
        object.__setattr__(self, "_api", OpenAPI.from_dict(dict(self.document), config=config))
        object.__setattr__(self, "_operations", tuple(_operations(self.document)))

    def check(self, exchange: Request) -> None:
        """Fail unless the request (if it was accepted) and the answer (if one came) fit the document."""
        operation, values = self._operation(exchange)
        asked = self._asked(exchange, operation, values)
        if exchange.status not in REFUSED:
            self._check_request(exchange, operation, asked)
        if exchange.answer:
            self._check_answer(exchange, operation, asked)

    def check_all(self, exchanges: Iterable[Request]) -> int:
        """Check every exchange below the prefix and return how many those were."""
        ours = [exchange for exchange in exchanges if re.match(self.prefix, exchange.path)]
        for exchange in ours:
            self.check(exchange)
        return len(ours)

    def _operation(self, exchange: Request) -> tuple[_Operation, tuple[str, ...]]:
        path = re.sub(f"^{self.prefix}", "", exchange.path)
        found = [
            (operation, match.groups())
            for operation in self._operations
            if operation.method == exchange.method and (match := operation.pattern.fullmatch(path))
        ]
        if not found:
            raise ContractBroken(f"{exchange.method} {path} is no operation of the contract")
        # The fewest placeholders: /pulls/comments before /pulls/{pull_number}.
        return min(found, key=lambda candidate: len(candidate[1]))

    def _asked(self, exchange: Request, operation: _Operation, values: tuple[str, ...]) -> _Asked:
        pairs = [(name, value) for name, values in exchange.query.items() for value in values]
        return _Asked(
            host_url=self.document["servers"][0]["url"],
            path=operation.path(values),
            method=exchange.method.lower(),
            parameters=RequestParameters(ImmutableMultiDict(pairs), Headers(list(exchange.headers.items()))),
            content_type=exchange.headers.get("content-type", ""),
            body=exchange.body or None,
        )

    def _check_request(self, exchange: Request, operation: _Operation, asked: _Asked) -> None:
        unknown = set(exchange.query) - operation.query
        if unknown:
            raise ContractBroken(f"{exchange.method} {exchange.path}: no parameter {sorted(unknown)}")
        with warnings.catch_warnings():
            # Who may call is not what we check; openapi-core cannot read Jira's OAuth schemes.
            warnings.filterwarnings("ignore", "Unsupported scheme type")
            _raise(exchange, self._api.iter_request_errors(asked))

    def _check_answer(self, exchange: Request, operation: _Operation, asked: _Asked) -> None:
        if str(exchange.status) not in operation.statuses and exchange.status in EVERYWHERE:
            return
        answer = exchange.answer
        if answer is None or (exchange.status == NO_CONTENT and not answer.body):
            return
        _raise(exchange, self._api.iter_response_errors(asked, _answered(answer)))


@cache
def known_contract(file_name: str, prefix: str) -> Contract | None:
    """Load a vendor's document; None where there is none."""
    found = document(file_name)
    return None if found is None else Contract(found, prefix)


def contract(file_name: str, prefix: str) -> Contract:
    """Load a vendor's document, or skip the test where there is none."""
    found = known_contract(file_name, prefix)
    if found is None:
        pytest.skip(missing(file_name))
    return found


def is_moment(value: Any) -> bool:
    """Accept ISO 8601: Jira's own examples write the offset without a colon, which RFC 3339 forbids."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _operations(document: Mapping[str, Any]) -> Iterator[_Operation]:
    for template, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                given = methods.get("parameters", []) + operation.get("parameters", [])
                parameters = [_resolved(document, parameter) for parameter in given]
                query = frozenset(one["name"] for one in parameters if one["in"] == "query")
                pattern = _pattern(template, parameters)
                yield _Operation(method.upper(), template, pattern, query, frozenset(operation["responses"]))


def _resolved(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    name = parameter.get("$ref", "").rpartition("/")[2]
    resolved: Mapping[str, Any] = document["components"]["parameters"][name] if name else parameter
    return resolved


def _pattern(template: str, parameters: Iterable[Mapping[str, Any]]) -> re.Pattern[str]:
    # Branch names have slashes: GitHub marks the parameters that may.
    long = {one["name"] for one in parameters if one.get("x-multi-segment")}
    parts = re.split(r"\{([^}]+)\}", template)
    escaped = [
        ("(.+)" if part in long else "([^/]+)") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    ]
    return re.compile("".join(escaped))


def _answered(answer: Answer) -> _Answered:
    headers = Headers(list(answer.headers.items()))
    return _Answered(answer.status, headers.get("content-type", ""), headers, answer.body or None)


def _raise(exchange: Request, errors: Iterable[Exception]) -> None:
    found = [f"{_details(error)} {error}"[:2000] for error in errors]
    if found:
        raise ContractBroken(f"{exchange.method} {exchange.path} → {exchange.status}: " + "; ".join(found))


def _details(error: Exception) -> str:
    details: Iterable[Any] = getattr(error.__cause__, "schema_errors", ())
    return " | ".join(f"{list(detail.path)}: {detail.message[:300]}" for detail in details)
