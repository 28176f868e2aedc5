"""A review's findings as one pull request review: beside their lines where that is possible, else in its body."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.domain.untrusted import one_line, visible, without_references

MARK = "alm-finding"
_MARK = re.compile(rf"<!-- {MARK}: ([0-9a-f]{{16}}) -->")
_BACKTICKS = re.compile(r"`+")
_FROZEN = ConfigDict(frozen=True, extra="ignore")


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Finding(BaseModel):
    """One thing a review found. `line` counts from 1 in the new version of the file."""

    model_config = _FROZEN
    path: str = Field(min_length=1, max_length=4096)
    line: int
    severity: Severity
    title: str = Field(pattern=r"\S")
    explanation: str
    suggestion: str | None = None
    cwe: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same finding of a later review, wherever its line has moved to."""
        words = " ".join(re.findall(r"\w+", self.title.casefold()))
        return hashlib.sha256(f"{self.path}\x00{words}".encode()).hexdigest()[:16]


class LineComment(BaseModel):
    """A finding beside its line."""

    model_config = _FROZEN
    path: str
    line: int
    body: str


class Review(BaseModel):
    """One review: `elsewhere` are the findings of its body, so that nothing is lost when lines are refused."""

    model_config = _FROZEN
    body: str
    comments: tuple[LineComment, ...] = ()

    @property
    def without_comments(self) -> "Review":
        """The same review with every finding in its body."""
        moved = "\n\n".join(
            f"`{_code(comment.path)}` line {comment.line}\n\n{comment.body}" for comment in self.comments
        )
        return Review(body="\n\n".join(part for part in (self.body, moved) if part))


def findings_of(report: Mapping[str, Any] | None) -> tuple[Finding, ...]:
    """The findings of a report, worst first; what is no finding is left out, never an error."""
    listed = (report or {}).get("findings")
    found = [_finding(item) for item in listed] if isinstance(listed, list) else []
    order = list(Severity)
    return tuple(sorted(filter(None, found), key=lambda finding: order.index(finding.severity)))


def _finding(item: Any) -> Finding | None:
    try:
        return Finding.model_validate(item)
    except ValidationError:
        return None


def severities(findings: Iterable[Finding]) -> str:
    """How many of each severity, in words."""
    counted = Counter(finding.severity for finding in findings)
    return (
        ", ".join(f"{counted[severity]} {severity}" for severity in Severity if counted[severity])
        or "no findings"
    )


def compose(
    introduction: str,
    findings: Iterable[Finding],
    lines: Mapping[str, frozenset[int]],
    standing: frozenset[str],
) -> Review:
    """The review of a change whose commentable `lines` are given, without the findings that stand there already."""
    everything = tuple(findings)
    fresh = tuple(finding for finding in _once(everything) if finding.fingerprint not in standing)
    beside = tuple(finding for finding in fresh if finding.line in lines.get(finding.path, ()))
    elsewhere = tuple(finding for finding in fresh if finding not in beside)
    repeated = len(_once(everything)) - len(fresh)
    body = (_unmarked(introduction), _elsewhere(elsewhere), _repeated(repeated))
    return Review(
        body="\n\n".join(part for part in body if part),
        comments=tuple(
            LineComment(path=finding.path, line=finding.line, body=_told(finding, beside_line=True))
            for finding in beside
        ),
    )


def _once(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Without what one review lists twice; the same words at another line are another finding."""
    once: dict[tuple[str, int], Finding] = {}
    for finding in findings:
        once.setdefault((finding.fingerprint, finding.line), finding)
    return tuple(once.values())


def _elsewhere(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return ""
    told = (
        f"`{_code(finding.path)}` line {finding.line}\n\n{_told(finding, beside_line=False)}"
        for finding in findings
    )
    return "### Findings outside the changed lines\n\n" + "\n\n".join(told)


def _repeated(count: int) -> str:
    return f"{count} more finding(s) of this review stand on the pull request already." if count else ""


def _told(finding: Finding, *, beside_line: bool) -> str:
    weakness = f" ({one_line(finding.cwe, 20)})" if finding.cwe else ""
    heading = f"**{finding.severity}**{weakness}: {one_line(finding.title, 200)}"
    said = without_references(f"{heading}\n\n{visible(finding.explanation.strip())}")
    mark = f"<!-- {MARK}: {finding.fingerprint} -->"
    parts = (_unmarked(said), _suggestion(finding, beside_line=beside_line), mark)
    return "\n\n".join(part for part in parts if part)


def _suggestion(finding: Finding, *, beside_line: bool) -> str:
    """The replacement in a fence its own backticks cannot close; one to be applied only beside its line."""
    if not finding.suggestion or not finding.suggestion.strip():
        return ""
    replacement = _unmarked(visible(finding.suggestion.rstrip()))
    longest = max((len(run) for run in _BACKTICKS.findall(replacement)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{'suggestion' if beside_line else ''}\n{replacement}\n{fence}"


def _code(text: str) -> str:
    return _unmarked(one_line(text, 300).replace("`", "'"))


def _unmarked(text: str) -> str:
    """The text with marks of ours in it made dead: they would say that findings stand which nobody has made."""
    return _MARK.sub(f"<!-- not {MARK}: \\1 -->", text)


def standing_findings(texts: Iterable[str]) -> frozenset[str]:
    """The fingerprints in comments that stand on a pull request; the caller vouches that they are our own."""
    return frozenset(mark for text in texts for mark in _MARK.findall(text))
