"""What a poll looks at: one request where little is labelled, and a fair share for both ends of a backlog."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import pytest
from tests import builders as make
from tests.fakes.tracker import FakeTracker

from alm.standins.jql import parse_jql
from orchestrator.domain.action import Catalogue
from orchestrator.domain.issue import Issue
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL
from orchestrator.usecases.find_issues import EVERY, PAGE, FindIssues

ACTIONS = Catalogue(actions=(make.action(), make.fix()))
OLDEST, CLAIMED, NEWEST = "oldest", "claimed", "newest"


@dataclass
class PagedTracker(FakeTracker):
    """An index that answers page by page, in the order of the numbers; `pages` says of which search each was."""

    pages: list[str] = field(default_factory=list)
    size: int = PAGE
    blind_to: str = ""

    def search(self, jql: str) -> Iterator[Issue]:
        query = parse_jql(jql)
        asked = {value for clause in query.clauses if clause.field == "labels" for value in clause.values}
        found = sorted(self.issues.values(), key=lambda issue: int(issue.id), reverse=query.descending)
        found = [issue for issue in found if asked & issue.labels]
        kind = NEWEST if query.descending else CLAIMED if asked == {PROCESSING_LABEL} else OLDEST
        found = [] if kind == self.blind_to else found
        for start in range(0, max(1, len(found)), self.size):
            self.pages.append(kind)
            yield from found[start : start + self.size]


def labelled(count: int, *claimed: int, size: int = PAGE) -> PagedTracker:
    """That many waiting issues, DEMO-1 the oldest, but for those numbers that are claimed."""
    tracker = PagedTracker(size=size)
    for number in range(1, count + 1):
        label = PROCESSING_LABEL if number in claimed else "ai-fix"
        tracker.add(Issue(str(number), f"DEMO-{number}", frozenset({label})))
    return tracker


def find(tracker: PagedTracker, first_turn: int = 1) -> FindIssues:
    return FindIssues(tracker, ACTIONS, "DEMO", turn=lambda _turns: first_turn)


def numbers(issues: Iterator[Issue], count: int | None = None) -> list[int]:
    return [int(issue.id) for issue in islice(issues, count)]


@pytest.mark.parametrize("free", [0, 24])
def test_an_idle_poll_sends_one_request(free: int) -> None:
    tracker = labelled(0)
    assert (numbers(find(tracker)(free)), tracker.pages) == ([], [OLDEST])


def test_nothing_is_sent_before_an_issue_is_asked_for() -> None:
    tracker = labelled(3)
    find(tracker)(24)
    assert tracker.pages == []


@pytest.mark.parametrize("label", ["ai-investigate", "ai-fix", RETRY_LABEL, PROCESSING_LABEL])
def test_every_label_of_ours_is_looked_for(label: str) -> None:
    tracker = PagedTracker()
    tracker.add(Issue("1", "DEMO-1", frozenset({label})), Issue("2", "DEMO-2", frozenset({"ai-other"})))
    assert numbers(find(tracker)(24)) == [1]


def test_what_fits_on_one_page_takes_one_request_claimed_ones_first() -> None:
    tracker = labelled(PAGE - 1, 7, 99)
    found = numbers(find(tracker)(24))
    assert found == [7, 99, *(number for number in range(1, PAGE) if number not in {7, 99})]
    assert tracker.pages == [OLDEST]


def test_without_room_only_claimed_ones_are_looked_at() -> None:
    assert numbers(find(labelled(50, 7))(0)) == [7]


def test_short_pages_are_not_taken_for_the_last() -> None:
    tracker = labelled(30, 29, size=10)
    assert numbers(find(tracker)(24), 3) == [29, 1, 2]


def test_every_claimed_one_is_seen_wherever_it_stands_in_a_backlog() -> None:
    claimed = (1, 150, *range(300, 450))
    tracker = labelled(1000, *claimed)
    assert numbers(find(tracker)(0)) == list(claimed)
    assert tracker.pages == [OLDEST, CLAIMED, CLAIMED]


def test_without_room_no_further_page_of_waiting_ones_is_fetched() -> None:
    tracker = labelled(10_000)
    assert numbers(find(tracker)(0)) == []
    assert tracker.pages == [OLDEST, CLAIMED]


def test_three_of_four_come_from_the_old_end_and_one_from_the_new() -> None:
    tracker = labelled(10_000, 2)
    assert numbers(find(tracker)(8), 9) == [2, 1, 3, 4, 10_000, 5, 6, 7, 9_999]
    assert tracker.pages == [OLDEST, CLAIMED, NEWEST]


def test_pages_are_fetched_as_they_are_needed() -> None:
    tracker = labelled(10_000)
    assert len(numbers(find(tracker)(400), 400)) == 400
    assert tracker.pages == [OLDEST, CLAIMED, NEWEST, OLDEST, OLDEST]


def test_polls_with_room_for_one_job_take_from_both_ends() -> None:
    tracker = labelled(PAGE)
    taken = [numbers(find(tracker, turn)(1), 1)[0] for turn in range(EVERY)]
    assert taken == [PAGE, 1, 1, 1]


def test_the_end_to_begin_with_is_drawn_by_chance() -> None:
    turns = {FindIssues(labelled(0), ACTIONS, "DEMO").turn(EVERY) for _ in range(1000)}
    assert turns == set(range(EVERY))


@pytest.mark.parametrize("count", [PAGE, PAGE + 1, 2 * PAGE, 333])
@pytest.mark.parametrize("first_turn", range(EVERY))
def test_whoever_takes_all_gets_each_once(count: int, first_turn: int) -> None:
    found = numbers(find(labelled(count, 5, count), first_turn)(count))
    assert sorted(found) == list(range(1, count + 1))


def test_one_that_only_the_first_page_shows_as_claimed_counts_as_claimed() -> None:
    tracker = labelled(150, 3)
    tracker.blind_to = CLAIMED
    assert numbers(find(tracker)(0)) == [3]


def test_one_that_a_later_page_shows_as_claimed_is_looked_at_too() -> None:
    tracker = labelled(150, 149)
    tracker.blind_to = CLAIMED
    assert 149 in numbers(find(tracker)(150))


def test_one_that_is_asked_for_again_while_claimed_comes_once() -> None:
    tracker = labelled(150)
    tracker.add(Issue("3", "DEMO-3", frozenset({PROCESSING_LABEL, "ai-fix"})))
    assert numbers(find(tracker)(24), 5) == [3, 1, 2, 4, 150]
