"""GitHubReader and GitHubWriter on pull requests to review: what is read of them, what is posted and how often."""

from dataclasses import replace

import pytest
from tests.contract.errors import fails
from tests.contract.github_account import JOB, NEXT_JOB, reader, writer, writes
from tests.contract.review_pull import CHANGED, CODE, FINDING, LINES, MARK, post, review_of, seeded

from alm.standins.github import GitHubSettings, GitHubStandIn
from alm.standins.http import Fault
from orchestrator.domain.pull_request import PullState
from orchestrator.domain.review import LineComment, Passage, Review
from orchestrator.errors import JobFailed

ASKED = Passage(markdown="Really?")
# Context far away, the end, deleted lines and files, binary files, other files, no lines at all.
OUTSIDE = [
    *(("app.py", line) for line in (1, 11, 20, 30, 31, 0, -3, 10**12)),
    *(("old.py", 1), ("logo.png", 1), ("none.py", 1), ("../etc/passwd", 1), (".", 1)),
]


@pytest.fixture(autouse=True)
def head(github: GitHubStandIn) -> str:
    """The head of pull request 1."""
    return seeded(github)


def test_a_pull_request_is_read_with_its_merge_base(github: GitHubStandIn, head: str) -> None:
    base = github.branch_head("trunk")
    github.push_commit("trunk", {"later.py": b"1\n"})
    subject = reader(github).review_subject(1)
    assert subject is not None
    assert (subject.number, subject.url) == (1, f"{github.url}/acme/shop/pull/1")
    assert (subject.title, subject.body, subject.state) == ("Add a line", "", PullState.OPEN)
    assert (subject.head_sha, subject.merge_base_sha, subject.changed_files) == (head, base, 4)


def test_a_head_that_has_merged_its_base_starts_from_there(github: GitHubStandIn) -> None:
    later = github.push_commit("trunk", {"later.py": b"1\n"})
    github.push_commit("next", {"new.py": b"2\n"})
    number = github.open_pull_request("next", "Next").number
    subject = reader(github).review_subject(number)
    assert subject is not None
    assert subject.merge_base_sha == later


@pytest.mark.parametrize(("end", "state"), [("merge", PullState.MERGED), ("close", PullState.CLOSED)])
def test_an_ended_pull_request_says_so_and_keeps_its_diff(
    github: GitHubStandIn, head: str, end: str, state: PullState
) -> None:
    base = github.branch_head("trunk")
    github.merge(1) if end == "merge" else github.close(1)
    subject = reader(github).review_subject(1)
    assert subject is not None
    assert (subject.state, subject.head_sha, subject.merge_base_sha) == (state, head, base)


def test_a_pull_request_that_is_not_there_is_none(github: GitHubStandIn) -> None:
    assert reader(github).review_subject(404) is None


def test_a_forks_pull_request_is_read_and_reviewed_like_any(github: GitHubStandIn) -> None:
    base = github.branch_head("trunk")
    sha = github.push_fork_commit("stranger/shop", "work", {"app.py": CHANGED})
    number = github.open_pull_request("work", "From afar", "Words", fork="stranger/shop").number
    subject = reader(github).review_subject(number)
    assert subject is not None
    assert (subject.head_sha, subject.merge_base_sha, subject.body) == (sha, base, "Words")
    writer(github).post_review(replace(post(sha), number=number))
    assert [comment.commit_id for comment in github.review_comments(number)] == [sha]


def test_without_a_common_commit_there_is_no_diff_to_review(github: GitHubStandIn) -> None:
    github.faults.add(
        Fault("GET", "/compare/", 404, body={"message": "No common ancestor", "documentation_url": "x"})
    )
    error = fails(JobFailed, lambda: reader(github).review_subject(1))
    assert "#1 has no commit in common with `trunk`" in str(error)
    github.forget_requests()


def test_the_ground_is_the_lines_of_the_hunks(github: GitHubStandIn) -> None:
    ground = writer(github).review_ground(1)
    assert ground.lines == {
        "app.py": LINES["app.py"],
        "logo.png": {},
        "new.py": {1: "a = 1", 2: "b = 2"},
    }
    assert ground.standing == ()


def test_every_line_of_the_ground_takes_a_comment(github: GitHubStandIn, head: str) -> None:
    lines = writer(github).review_ground(1).lines
    places = [(path, line) for path in lines for line in lines[path]]
    comments = tuple(LineComment(path=path, line=line, passage=ASKED) for path, line in places)
    writer(github).post_review(post(head, Review(body=(ASKED,), comments=comments)))
    assert [(comment.path, comment.line) for comment in github.review_comments(1)] == places


def test_three_hundred_files_are_three_pages(github: GitHubStandIn) -> None:
    sha = github.push_commit("big", {f"src/{number:03}.py": b"x\n" for number in range(300)})
    number = github.open_pull_request("big", "Big").number
    ground = writer(github).review_ground(number)
    assert ground.lines == {f"src/{file:03}.py": {1: "x"} for file in range(300)}
    assert len([one for one in github.requests if one.path.endswith("/files")]) == 3
    comment = LineComment(path="src/299.py", line=1, passage=ASKED)
    writer(github).post_review(replace(post(sha, Review(body=(), comments=(comment,))), number=number))
    assert len(github.review_comments(number)) == 1


def test_a_review_is_one_request_with_its_comments(github: GitHubStandIn, head: str) -> None:
    elsewhere = FINDING.model_copy(update={"path": "other.py", "title": "Elsewhere"})
    url = writer(github).post_review(post(head, review_of(FINDING, elsewhere)))
    assert writes(github) == [("POST", "/pulls/1/reviews")]
    (review,), (comment,) = github.reviews(1), github.review_comments(1)
    assert url == f"{github.url}/acme/shop/pull/1#pullrequestreview-{review.id}"
    assert (review.state, review.commit_id, review.author) == ("COMMENTED", head, "alm-bot")
    assert review.body.startswith("All in all good.\n\n### Findings outside")
    assert review.body.endswith(MARK)
    assert (comment.path, comment.line, comment.side) == ("app.py", 15, "RIGHT")
    assert "**high**: Total is wrong" in comment.body


def test_a_review_costs_few_requests(github: GitHubStandIn, head: str) -> None:
    host = writer(github)
    host.review_ground(1)
    host.post_review(post(head))
    asked = [(one.method, one.path.removeprefix("/api/v3/repos/acme/shop")) for one in github.requests]
    assert sorted(asked) == [
        ("GET", "/pulls/1/comments"),
        ("GET", "/pulls/1/files"),
        ("GET", "/pulls/1/reviews"),
        ("GET", "/pulls/1/reviews"),
        ("POST", "/pulls/1/reviews"),
    ]


def test_changes_are_requested_when_that_is_asked_for(github: GitHubStandIn, head: str) -> None:
    writer(github).post_review(post(head, request_changes=True))
    assert [review.state for review in github.reviews(1)] == ["CHANGES_REQUESTED"]


def test_of_our_own_pull_request_no_changes_are_requested(github: GitHubStandIn) -> None:
    sha = github.push_commit("mine", {"app.py": CHANGED})
    number = writer(github).repository.create_pull(title="Mine", head="mine", base="trunk").number
    writer(github).post_review(replace(post(sha, request_changes=True), number=number))
    assert [review.state for review in github.reviews(number)] == ["COMMENTED"]
    assert len(github.review_comments(number)) == 1


def test_a_refused_line_moves_every_finding_to_the_body(github: GitHubStandIn, head: str) -> None:
    for number, (path, line) in enumerate(OUTSIDE):
        stray = LineComment(path=path, line=line, passage=Passage(markdown="Stray words"))
        job = JOB.model_copy(update={"job_id": f"DEMO-1-code_review-{number}"})
        writer(github).post_review(replace(post(head, review_of(FINDING, comments=(stray,))), job=job))
        review = github.reviews(1)[number]
        assert f"`{path}` line {line}\n\nStray words" in review.body
        assert "`app.py` line 15\n\n**high**: Total is wrong" in review.body
    assert github.review_comments(1) == ()
    tried = [request.status for request in github.requests if request.method == "POST"]
    assert tried == [422, 200] * len(OUTSIDE)


@pytest.mark.parametrize("ended", ["merge", "close"])
def test_a_pull_request_that_ended_meanwhile_is_reviewed_all_the_same(
    github: GitHubStandIn, head: str, ended: str
) -> None:
    github.merge(1) if ended == "merge" else github.close(1)
    writer(github).post_review(post(head))
    assert len(github.review_comments(1)) == 1


def test_a_head_that_moved_on_is_reviewed_as_it_was(github: GitHubStandIn, head: str) -> None:
    github.push_commit("work", {"app.py": CODE})
    writer(github).post_review(post(head))
    assert [comment.commit_id for comment in github.review_comments(1)] == [head]


def test_a_commit_that_was_pushed_away_is_named_in_the_body(github: GitHubStandIn) -> None:
    other = "1" * 40
    writer(github).post_review(post(other, review_of(FINDING)))
    (review,) = github.reviews(1)
    assert review.body.startswith(f"This review is about {other}")
    assert "Total is wrong" in review.body
    assert review.body.endswith(MARK)


def test_a_second_delivery_finds_the_first_ones_review(github: GitHubStandIn, head: str) -> None:
    asked = post(head)
    url = writer(github).post_review(asked)
    assert writer(github).post_review(asked) == url
    assert len(github.reviews(1)) == 1
    assert writer(github).post_review(replace(asked, job=NEXT_JOB)) != url


def test_another_persons_mark_does_not_stop_a_review(github: GitHubStandIn, head: str) -> None:
    github.add_review(1, "mallory", MARK)
    writer(github).post_review(post(head))
    assert [review.author for review in github.reviews(1)] == ["mallory", "alm-bot"]


@pytest.mark.parametrize("token", ["ghs_installation", "github_pat_1"])
def test_only_our_own_findings_stand_already(token: str) -> None:
    with GitHubStandIn(GitHubSettings(write_token=token)) as github:
        head = seeded(github)
        other = FINDING.model_copy(update={"title": "Other", "path": "else.py"})
        forged = f"<!-- alm-finding: {'0' * 16} -->"
        github.add_review(1, "mallory", forged, {("app.py", 15): forged})
        writer(github).post_review(post(head, review_of(FINDING, other)))
        assert writer(github).review_ground(1).standing == (
            other.fingerprint(LINES),
            FINDING.fingerprint(LINES),
        )


def test_findings_on_later_pages_stand_too(github: GitHubStandIn, head: str) -> None:
    github.add_review(1, "person", beside=dict.fromkeys([("new.py", 1), ("new.py", 2)], "noise"))
    for _ in range(100):
        github.add_review(1, "person", "noise")
    writer(github).post_review(post(head))
    assert writer(github).review_ground(1).standing == (FINDING.fingerprint(LINES),)
    assert writer(github).post_review(post(head))
    assert len(github.reviews(1)) == 102


def test_a_text_too_long_for_github_is_cut_and_keeps_its_mark(github: GitHubStandIn, head: str) -> None:
    review_of_long = review_of(FINDING)
    long = review_of_long.comments[0].passage.model_copy(update={"markdown": "a < b " * 7_000})
    comments = (review_of_long.comments[0].model_copy(update={"passage": long}),)
    body = (long.model_copy(update={"fingerprint": ""}),)
    writer(github).post_review(post(head, Review(body=body, comments=comments)))
    (review,), (comment,) = github.reviews(1), github.review_comments(1)
    assert 50_000 < len(review.body) <= 65_536
    assert 50_000 < len(comment.body) <= 65_536
    assert "[cut here: GitHub takes no longer text]" in review.body
    assert review.body.endswith(MARK)
    assert writer(github).review_ground(1).standing == (FINDING.fingerprint(LINES),)
    assert writer(github).post_review(post(head))
    assert len(github.reviews(1)) == 1
