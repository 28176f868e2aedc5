"""What the value of a setting may be. Checked where settings are read; nothing here reads them."""

from typing import Annotated

from pydantic import BeforeValidator, Field, HttpUrl, StringConstraints, TypeAdapter, ValidationError

from orchestrator.domain.repository_path import pattern_fault

_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _base_url(value: object) -> object:
    """Checked as a URL, kept as text without the last slash: paths are appended to it."""
    try:
        url = _HTTP_URL.validate_python(value)
    except ValidationError:
        # Pydantic's own words would quote the value.
        raise ValueError("it must be an http or https URL") from None
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("it must be a URL without credentials, query or fragment")
    return str(value).rstrip("/")


BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Required = Annotated[str, Field(min_length=1)]
ApiUrlPattern = Annotated[str, Field(pattern=r"^https?://\S+\{cloud_id\}\S*$")]
# Owner with the underscore of managed users; a name that is not dots only, which would be another path.
Repository = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$")
]


# A key, not a name: issue keys begin with it, and that is checked. Jira writes it in capitals.
ProjectKey = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z][A-Za-z0-9_]+$")]


def _patterns(value: object) -> object:
    """Patterns between commas, checked: one that protects nothing would not be missed."""
    if not isinstance(value, str):
        return value
    patterns = tuple(pattern.strip() for pattern in value.split(",") if pattern.strip())
    if fault := next((fault for pattern in patterns if (fault := pattern_fault(pattern))), None):
        raise ValueError(fault)
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        raise ValueError("a pattern that begins with ! only takes back another one")
    return patterns


Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns), Field(min_length=1)]
# Part of an address: no slash but those of an ARN, no dots alone.
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@:/_-]*(\.[A-Za-z0-9@:/_-]+)*$")]
Names = Annotated[
    frozenset[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@:._\[\]-]*$")]],
    BeforeValidator(
        lambda text: [part.strip() for part in text.split(",")] if isinstance(text, str) else text
    ),
]
Dollars = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# Printable ASCII only: a stray newline would have the HTTP library quote the whole header in its error.
Printable = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]+$")]
Credential = Annotated[Printable, Field(repr=False)]
