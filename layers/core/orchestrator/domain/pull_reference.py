"""Which pull request a ticket speaks of, found in its description and comments."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Every repetition is possessive: it gives nothing back, so that a long text is read once.
_URL = (
    r"(?P<url>https?://[^\s/<>()\[\]]++/[^\s/<>()\[\]]++/[^\s/<>()\[\]]++/pull/(?P<in_url>[0-9]{1,9}+))"
    r"(?![0-9])"
)
_WORDS = r"(?<![\w-])(?:pull\s++request|pr)\s*+:?\s*+#?\s*+(?P<in_words>[0-9]{1,9}+)(?![\w-])"
_REFERENCE = re.compile(f"{_URL}|{_WORDS}", re.IGNORECASE)


@dataclass(frozen=True)
class PullReference:
    """A pull request of the configured repository."""

    number: int


@dataclass(frozen=True)
class ForeignPullRequest:
    """A pull request of some other repository or server, which we must not touch."""

    url: str


def find_reference(
    texts: Iterable[str], server_url: str, repo: str
) -> PullReference | ForeignPullRequest | None:
    """The reference in the first text that has one; of several in one text, the last."""
    ours = f"{server_url.rstrip('/')}/{repo}/pull/".casefold()
    found = (match for match in map(_last, texts) if match is not None)
    return next((_reference(match, ours) for match in found), None)


def _last(text: str) -> re.Match[str] | None:
    last = None
    for match in _REFERENCE.finditer(text):
        last = match
    return last


def _reference(match: re.Match[str], ours: str) -> PullReference | ForeignPullRequest:
    url = match["url"]
    if url is None:
        return PullReference(int(match["in_words"]))
    if url.casefold().startswith(ours):
        return PullReference(int(match["in_url"]))
    return ForeignPullRequest(url)
