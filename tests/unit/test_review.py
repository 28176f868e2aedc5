"""A review's findings: read with care, put beside their lines or into the body, and never repeated."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders import finding

from orchestrator.domain.review import (
    Finding,
    LineComment,
    Passage,
    Review,
    compose,
    findings_of,
    severities,
    standing_findings,
)

FORGED = "<!-- alm-finding: 0123456789abcdef -->"
LINES = {"shop/cart.py": {6: "def total(n):", 7: "    if n > 10:", 8: "        return 9"}}


def _found(*listed: Any) -> tuple[Finding, ...]:
    return findings_of({"findings": list(listed)})


def _one(**changes: Any) -> Finding:
    (found,) = _found(finding(**changes))
    return found


def _composed(
    *listed: Any,
    standing: tuple[str, ...] = (),
    lines: Mapping[str, Mapping[int, str]] = LINES,
    protected: tuple[str, ...] = (),
) -> Review:
    return compose(("Introduction.",), _found(*listed), lines, standing, protected)


def _passage(**changes: Any) -> Passage:
    (comment,) = _composed(finding(**changes)).comments
    return comment.passage


def _words(review: Review) -> str:
    return "\n\n".join(passage.markdown for passage in review.body)


def _headings(review: Review) -> list[str]:
    return [comment.passage.markdown.partition("\n")[0] for comment in review.comments]


def _marks(review: Review) -> tuple[str, ...]:
    passages = (*review.body, *(comment.passage for comment in review.comments))
    return standing_findings(passage.mark for passage in passages)


def test_a_finding_on_a_changed_line_stands_beside_it() -> None:
    passage = Passage(
        markdown="**high**: Off by one\n\nTen pieces are eleven here.",
        is_applicable=True,
        fingerprint=_one().fingerprint(LINES),
    )
    assert passage.mark == f"<!-- alm-finding: {_one().fingerprint(LINES)} -->"
    assert _composed(finding()) == Review(
        body=(Passage(markdown="Introduction."),),
        comments=(LineComment(path="shop/cart.py", line=7, passage=passage),),
    )


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shop/cart.py", 9),
        ("shop/other.py", 7),
        ("shop/cart.py", 0),
        ("shop/cart.py", -7),
        ("shop/cart.py", 10**30),
        ("../../etc/passwd", 7),
    ],
)
def test_a_finding_anywhere_else_stands_in_the_body(path: str, line: int) -> None:
    review = _composed(finding(path=path, line=line))
    assert review.comments == ()
    assert f"### Findings outside the changed lines\n\n`{path}` line {line}\n\n**high**: Off" in _words(
        review
    )


@pytest.mark.parametrize(
    "half",
    [
        None,
        "text",
        7,
        [],
        {},
        {"path": "a"},
        finding(path=""),
        finding(path=None),
        finding(path=["a"]),
        finding(path="x" * 5_000),
        finding(line=None),
        finding(line="seven"),
        finding(line=7.5),
        finding(line=float("inf")),
        finding(severity="blocker"),
        finding(severity=None),
        finding(title=""),
        finding(title=" \n"),
        finding(title=3),
        finding(explanation=None),
        finding(suggestion=["x"]),
    ],
)
def test_what_is_only_half_a_finding_is_left_out_and_the_others_stay(half: Any) -> None:
    assert _found(half, finding()) == (_one(),)


@pytest.mark.parametrize(
    "report", [None, {}, {"findings": None}, {"findings": "many"}, {"findings": {"a": 1}}]
)
def test_a_report_without_a_list_of_findings_has_none(report: Any) -> None:
    assert findings_of(report) == ()


def test_findings_come_worst_first_and_else_in_the_agents_order() -> None:
    given = [("low", "a"), ("critical", "b"), ("high", "c"), ("medium", "d"), ("high", "e")]
    found = _found(*(finding(severity=severity, title=title) for severity, title in given))
    assert [one.title for one in found] == ["b", "c", "e", "d", "a"]


def test_a_finding_listed_twice_is_told_once_as_the_worse_one_in_its_place() -> None:
    twice = (finding(severity="low"), finding(title="Other", severity="medium"), finding(severity="critical"))
    assert _headings(_composed(*twice)) == ["**critical**: Off by one", "**medium**: Other"]


def test_the_same_words_at_another_line_are_another_finding() -> None:
    assert len(_composed(finding(line=7), finding(line=8), finding(line=8)).comments) == 2


def test_findings_are_counted_by_severity() -> None:
    found = _found(finding(severity="low"), finding(severity="critical"), finding(severity="low"))
    assert severities(found) == "1 critical, 2 low"
    assert severities(()) == "no findings"


def test_a_fingerprint_stays_when_the_line_moves_with_its_neighbours() -> None:
    moved = {"shop/cart.py": {number + 90: text for number, text in LINES["shop/cart.py"].items()}}
    later = _one(line=97, title=" off BY  `one`! ", explanation="Other words.")
    assert later.fingerprint(moved) == _one().fingerprint(LINES)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Off by two"},
        {"path": "shop/other.py"},
        {"severity": "critical"},
        {"severity": "low"},
        {"line": 8},
        {"line": 99},
    ],
)
def test_another_title_file_severity_or_line_is_another_finding(changes: dict[str, Any]) -> None:
    assert _one(**changes).fingerprint(LINES) != _one().fingerprint(LINES)


def test_titles_without_a_word_are_told_apart() -> None:
    assert _one(title="!!!").fingerprint(LINES) != _one(title="???").fingerprint(LINES)


def test_a_finding_that_was_posted_already_is_not_repeated_but_counted() -> None:
    found = (finding(), finding(path="elsewhere.py"))
    again = _composed(*found, finding(title="New"), standing=_marks(_composed(*found)))
    assert _headings(again) == ["**high**: New"]
    assert _words(again) == (
        "Introduction.\n\n2 more finding(s) of this review stand on the pull request already."
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"severity": "low"}, {"severity": "critical"}),
        ({"severity": "high", "line": 8}, {"severity": "high", "line": 7}),
        ({"severity": "critical", "line": 99}, {"severity": "critical", "line": 7}),
        ({"title": "!!!"}, {"title": "???"}),
    ],
)
def test_no_other_finding_of_the_same_title_silences_one(
    earlier: dict[str, Any], later: dict[str, Any]
) -> None:
    standing = _marks(_composed(finding(**earlier)))
    assert len(_composed(finding(**later), standing=standing).comments) == 1


def test_a_finding_on_the_same_code_somewhere_else_is_posted_too() -> None:
    lines = {"shop/cart.py": dict.fromkeys(range(1, 9), "x")}
    first = _composed(finding(line=2), lines=lines)
    again = _composed(finding(line=2), finding(line=6), lines=lines, standing=_marks(first))
    assert [comment.line for comment in again.comments] == [6]


@pytest.mark.parametrize(("severity", "posted"), [("low", 0), ("medium", 1), ("critical", 1)])
def test_a_mark_of_an_earlier_release_silences_only_the_least_severity(severity: str, posted: int) -> None:
    mark = _one().former_fingerprint
    assert standing_findings([f"<!-- alm-finding: {mark} -->"]) == (mark,)
    assert len(_composed(finding(severity=severity), standing=(mark,)).comments) == posted


def test_a_weakness_is_named_beside_the_severity() -> None:
    assert _passage(cwe="CWE-89").markdown.startswith("**high** (CWE-89): Off by one\n")


def test_a_replacement_is_to_be_applied_at_its_line_and_only_shown_elsewhere() -> None:
    at_line = _passage(suggestion="    if n >= 10:\n")
    assert (at_line.replacement, at_line.is_applicable) == ("    if n >= 10:", True)
    elsewhere = _composed(finding(line=99, suggestion="x")).body[-1]
    assert (elsewhere.replacement, elsewhere.is_applicable) == ("x", False)


def test_a_replacement_on_a_protected_path_is_only_shown() -> None:
    (comment,) = _composed(finding(suggestion="x"), protected=("shop/**",)).comments
    assert (comment.passage.replacement, comment.passage.is_applicable) == ("x", False)


@pytest.mark.parametrize("suggestion", [None, "", " \n"])
def test_an_empty_replacement_is_none(suggestion: str | None) -> None:
    assert _passage(suggestion=suggestion).replacement == ""


def test_texts_are_bounded_and_say_that_they_are_cut() -> None:
    passage = _passage(explanation="word " * 100_000, suggestion="x" * 10_001)
    assert len(passage.markdown) < 200_200
    assert passage.markdown.endswith(
        "*The explanation is cut here.*\n\n*The suggested replacement is too long to be shown.*"
    )
    assert passage.replacement == ""


def test_a_review_holds_a_bounded_number_of_findings_the_worst_first() -> None:
    many = (finding(title=f"Number {number}", severity="low") for number in range(120))
    review = _composed(*many, finding(severity="critical"))
    assert len(review.comments) == 100
    assert _headings(review)[0] == "**critical**: Off by one"
    assert _words(review).endswith("\n\n21 more finding(s) are not shown: a review holds 100.")


def test_findings_refused_by_their_lines_move_to_the_body_with_place_and_mark() -> None:
    review = _composed(finding(), finding(title="B", line=8))
    moved = review.without_comments
    assert moved.comments == ()
    assert _words(moved).startswith("Introduction.\n\n`shop/cart.py` line 7\n\n**high**: Off by one")
    assert not any(passage.is_applicable for passage in moved.body)
    assert _marks(moved) == _marks(review)


def test_a_path_cannot_end_the_code_it_stands_in() -> None:
    review = _composed(finding(path="a`@team`b"), lines={"a`@team`b": {7: ""}})
    assert review.without_comments.body[-1].markdown.startswith("`a'@team'b` line 7")
