"""A review's findings as one pull request review: comments at lines that the diff shows, the others in its body."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.domain.comment_text import split_markdown
from orchestrator.domain.repository_path import is_protected
from orchestrator.domain.untrusted import one_line

MARK = "alm-finding"
# Sixteen digits are a fingerprint of path and title only, as reviews posted it before fingerprints held the severity.
_MARK = re.compile(rf"<!-- {MARK}: ([0-9a-f]{{32}}|[0-9a-f]{{16}}) -->")
# Text beyond these bounds is neither parsed nor posted.
MOST_FINDINGS = 100
LONGEST_EXPLANATIONS = 200_000
LONGEST_REPLACEMENT = 10_000
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
    def words(self) -> str:
        """The title's words in lower case; the title itself where it has none."""
        return " ".join(re.findall(r"\w+", self.title.casefold())) or self.title.strip()

    def fingerprint(self, lines: Mapping[str, Mapping[int, str]]) -> str:
        """The same for a finding of a later review: same severity, file and title, at the same line of code.

        The line is known by its text and its neighbours', so it may move; one that the diff does not show, by number.
        """
        shown = lines.get(self.path, {})
        near = (shown.get(number, "").strip() for number in range(self.line - 1, self.line + 2))
        place = "\n".join(near) if self.line in shown else str(self.line)
        return _digest(self.path, self.severity, self.words, place)[:32]

    @property
    def former_fingerprint(self) -> str:
        """What earlier reviews posted: of any severity, anywhere in the file."""
        return _digest(self.path, " ".join(re.findall(r"\w+", self.title.casefold())))[:16]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


class Passage(BaseModel):
    """Markdown as the agent wrote it, which the adapter makes harmless, and what it appends afterwards."""

    model_config = _FROZEN
    markdown: str
    replacement: str = ""
    is_applicable: bool = False
    fingerprint: str = ""

    @property
    def mark(self) -> str:
        """The comment by which a later review knows the finding; nothing for a passage that is no finding."""
        return f"<!-- {MARK}: {self.fingerprint} -->" if self.fingerprint else ""


class LineComment(BaseModel):
    """A finding at its line."""

    model_config = _FROZEN
    path: str
    line: int
    passage: Passage


class Review(BaseModel):
    """One review: its text, findings outside the diff included, and the comments at lines."""

    model_config = _FROZEN
    body: tuple[Passage, ...]
    comments: tuple[LineComment, ...] = ()

    @property
    def without_comments(self) -> "Review":
        """The same review with every finding in its body, where no replacement can be applied."""
        moved = (_moved(comment.passage, comment.path, comment.line) for comment in self.comments)
        return Review(body=(*self.body, *moved))


def _moved(passage: Passage, path: str, line: int) -> Passage:
    markdown = f"`{_code(path)}` line {line}\n\n{passage.markdown}"
    return passage.model_copy(update={"markdown": markdown, "is_applicable": False})


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
    introduction: Iterable[str],
    findings: Iterable[Finding],
    lines: Mapping[str, Mapping[int, str]],
    standing: Iterable[str],
    protected: tuple[str, ...],
) -> Review:
    """The review of a change whose commentable `lines` are given, without the findings that were posted already."""
    found = _once(findings)
    fresh = _fresh(found, lines, Counter(standing))
    kept = fresh[:MOST_FINDINGS]
    longest = LONGEST_EXPLANATIONS // max(1, len(kept))
    comments, elsewhere = [], []
    for finding in kept:
        passage = _passage(finding, lines, longest)
        if finding.line in lines.get(finding.path, {}):
            applicable = passage.model_copy(
                update={"is_applicable": not is_protected(finding.path, protected)}
            )
            comments.append(LineComment(path=finding.path, line=finding.line, passage=applicable))
        else:
            elsewhere.append(_moved(passage, finding.path, finding.line))
    heading = ("### Findings outside the changed lines",) if elsewhere else ()
    texts = (_texts(part) for part in (introduction, heading))
    closing = _texts((_repeated(len(found) - len(fresh)), _left_out(len(fresh) - len(kept))))
    return Review(body=tuple(chain(*texts, elsewhere, closing)), comments=tuple(comments))


def _texts(parts: Iterable[str]) -> tuple[Passage, ...]:
    return tuple(Passage(markdown=part) for part in parts if part)


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without what one review lists twice; the same words at another line are another finding."""
    once: dict[tuple[str, str, int], Finding] = {}
    for finding in findings:
        once.setdefault((finding.path, finding.words, finding.line), finding)
    return tuple(once.values())


def _fresh(
    findings: Iterable[Finding], lines: Mapping[str, Mapping[int, str]], standing: Counter[str]
) -> tuple[Finding, ...]:
    """Those not posted yet. Each mark stands for one finding, so a second one of its kind is posted."""
    fresh = []
    for finding in findings:
        known = next(filter(standing.__getitem__, _known_by(finding, lines)), None)
        if known is None:
            fresh.append(finding)
        else:
            standing[known] -= 1
    return tuple(fresh)


def _known_by(finding: Finding, lines: Mapping[str, Mapping[int, str]]) -> tuple[str, ...]:
    """Its fingerprints. A former one may be of any severity, so it speaks for the least one only."""
    is_least = finding.severity is Severity.LOW
    return (finding.fingerprint(lines), *((finding.former_fingerprint,) if is_least else ()))


def _repeated(count: int) -> str:
    return f"{count} more finding(s) of this review stand on the pull request already." if count else ""


def _left_out(count: int) -> str:
    return f"{count} more finding(s) are not shown: a review holds {MOST_FINDINGS}." if count else ""


def _passage(finding: Finding, lines: Mapping[str, Mapping[int, str]], longest: int) -> Passage:
    weakness = f" ({one_line(finding.cwe, 20)})" if finding.cwe else ""
    heading = f"**{finding.severity}**{weakness}: {one_line(finding.title, 200)}"
    explanation, *rest = split_markdown(finding.explanation.strip(), longest)
    replacement = (finding.suggestion or "").rstrip()
    is_too_long = len(replacement) > LONGEST_REPLACEMENT
    notes = (
        "*The explanation is cut here.*" if rest else "",
        "*The suggested replacement is too long to be shown.*" if is_too_long else "",
    )
    parts = (heading, explanation, *notes)
    return Passage(
        markdown="\n\n".join(part for part in parts if part),
        replacement="" if is_too_long else replacement,
        fingerprint=finding.fingerprint(lines),
    )


def _code(text: str) -> str:
    return one_line(text, 300).replace("`", "'")


def standing_findings(texts: Iterable[str]) -> tuple[str, ...]:
    """The fingerprints in comments on a pull request; the caller vouches that they are our own."""
    return tuple(mark for text in texts for mark in _MARK.findall(text))
