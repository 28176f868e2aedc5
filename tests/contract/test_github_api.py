"""GitHubReader and GitHubWriter against the stand-in: branches planned, pull requests made and continued."""

import pytest
from tests.contract.errors import fails
from tests.contract.github_account import CHANGE, JOB, NEXT_JOB, proposal, reader, tree, writer, writes

from alm.standins.github import Content, Executable, GitHubStandIn, Symlink
from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.errors import JobFailed
from orchestrator.ports import BranchPlan

FILES: dict[str, Content] = {
    "app.py": b"x = 1\n",
    "run.sh": Executable(b"#!/bin/sh\n"),
    "link": Symlink("app.py"),
    "docs/old.md": b"old\n",
    "docs/kept.md": b"kept\n",
}


@pytest.fixture(autouse=True)
def seeded(github: GitHubStandIn) -> str:
    return github.seed(FILES)


def branch_with_pull(github: GitHubStandIn, name: str = "fix-DEMO-1") -> int:
    github.push_commit(name, {"app.py": b"x = 9\n"})
    return github.open_pull_request(name, "A person's title", "A person's words").number


def test_a_free_name_starts_from_the_default_branch(github: GitHubStandIn) -> None:
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1", None)


def test_a_branch_with_an_open_pull_request_is_continued(github: GitHubStandIn) -> None:
    branch_with_pull(github)
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1", "fix-DEMO-1")


def test_a_branch_that_never_had_a_pull_request_is_continued(github: GitHubStandIn) -> None:
    github.push_commit("fix-DEMO-1", {"app.py": b"x = 9\n"})
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1", "fix-DEMO-1")


@pytest.mark.parametrize("ended", ["merge", "close"])
def test_a_branch_whose_pull_request_has_ended_makes_way_for_the_next_number(
    github: GitHubStandIn, ended: str
) -> None:
    number = branch_with_pull(github)
    github.merge(number) if ended == "merge" else github.close(number)
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1-2", None)


def test_the_last_number_is_continued_while_its_pull_request_is_open(github: GitHubStandIn) -> None:
    github.close(branch_with_pull(github))
    branch_with_pull(github, "fix-DEMO-1-2")
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1-2", "fix-DEMO-1-2")


def test_branches_that_only_begin_alike_are_not_taken_for_it(github: GitHubStandIn) -> None:
    branch_with_pull(github, "fix-DEMO-12")
    github.push_commit("fix-DEMO-1-notes", {"app.py": b"x = 9\n"})
    assert reader(github).plan_branch("fix-DEMO-1") == BranchPlan("fix-DEMO-1", None)


def test_a_proposal_is_a_branch_a_commit_and_a_pull_request(github: GitHubStandIn) -> None:
    url = writer(github).propose(proposal(github))
    (pull,) = github.pull_requests()
    assert url == f"{github.url}/acme/shop/pull/{pull.number}"
    assert (pull.head, pull.base, pull.title) == ("fix-DEMO-1", "trunk", "fix: Totals [DEMO-1]")
    assert pull.body == f"What {JOB.job_id} says.\n\n<!-- ALM-Job: {JOB.job_id} -->"
    assert github.commit_message("fix-DEMO-1") == f"fix: Totals [DEMO-1]\n\nALM-Job: {JOB.job_id}"


def test_the_branch_holds_the_change_and_nothing_else(github: GitHubStandIn, seeded: str) -> None:
    changes = (
        CHANGE,
        FileChange.written("new.sh", FileMode.EXECUTABLE, b"#!/bin/sh\nexit\n"),
        FileChange.written("run.sh", FileMode.REGULAR, b"#!/bin/sh\n"),
        FileChange.written("link", FileMode.SYMLINK, b"docs/kept.md"),
        FileChange.written("deep/er/empty", FileMode.REGULAR, b""),
        FileChange.deleted("docs/old.md"),
    )
    writer(github).propose(proposal(github, *changes))
    assert tree(github, "fix-DEMO-1") == {
        "app.py": ("100644", b"x = 2\n"),
        "new.sh": ("100755", b"#!/bin/sh\nexit\n"),
        "run.sh": ("100644", b"#!/bin/sh\n"),
        "link": ("120000", b"docs/kept.md"),
        "deep/er/empty": ("100644", b""),
        "docs/kept.md": ("100644", b"kept\n"),
    }
    assert github.repository.show("fix-DEMO-1").parents == (seeded,)
    assert set(github.branches()) == {"trunk", "fix-DEMO-1"}
    assert github.branch_head("trunk") == seeded


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01\xff",
        b"caf\xe9\n",
        b"\r\nmixed\nends\r",
        "“quotes” \U0001f642 \u202e\n".encode(),
        b"\xef\xbb\xbfmarked\n",
        b"text\n" * 60_000,
        bytes(range(256)) * 8_000,
    ],
    ids=["binary", "latin-1", "line-ends", "unicode", "bom", "300-kB-of-text", "2-MB-of-bytes"],
)
def test_content_arrives_byte_for_byte(github: GitHubStandIn, content: bytes) -> None:
    change = FileChange.written("file", FileMode.REGULAR, content)
    writer(github).propose(proposal(github, change))
    assert tree(github, "fix-DEMO-1")["file"] == ("100644", content)


@pytest.mark.parametrize("path", ["a b", "quote'\"", "back\\slash", "ünï/cødé", "-dash", "#?&%2f"])
def test_any_readable_path_arrives_as_it_is(github: GitHubStandIn, path: str) -> None:
    writer(github).propose(proposal(github, FileChange.written(path, FileMode.REGULAR, b"1")))
    assert set(tree(github, "fix-DEMO-1")) == {*FILES, path}


def test_a_file_may_become_a_folder_and_a_folder_a_file(github: GitHubStandIn) -> None:
    changes = (
        FileChange.deleted("app.py"),
        FileChange.written("app.py/__init__.py", FileMode.REGULAR, b"x = 2\n"),
        FileChange.deleted("docs/kept.md"),
        FileChange.deleted("docs/old.md"),
        FileChange.written("docs", FileMode.REGULAR, b"none\n"),
    )
    writer(github).propose(proposal(github, *changes))
    assert set(tree(github, "fix-DEMO-1")) == {"app.py/__init__.py", "docs", "link", "run.sh"}


def test_a_second_delivery_finds_the_first_ones_work(github: GitHubStandIn) -> None:
    asked = proposal(github)
    url = writer(github).propose(asked)
    head, done = github.branch_head("fix-DEMO-1"), writes(github)
    assert writer(github).propose(asked) == url
    assert github.branch_head("fix-DEMO-1") == head
    assert writes(github) == done
    assert github.comments(1) == ()


@pytest.mark.parametrize("ended", ["merge", "close"])
def test_a_second_delivery_opens_nothing_anew_after_a_person_has_decided(
    github: GitHubStandIn, ended: str
) -> None:
    asked = proposal(github)
    url = writer(github).propose(asked)
    github.merge(1) if ended == "merge" else github.close(1)
    assert writer(github).propose(asked) == url
    assert len(github.pull_requests()) == 1


def test_a_second_delivery_leaves_a_persons_work_on_the_branch(github: GitHubStandIn) -> None:
    asked = proposal(github)
    url = writer(github).propose(asked)
    head = github.push_commit("fix-DEMO-1", {"app.py": b"x = 3\n"})
    assert writer(github).propose(asked) == url
    assert github.branch_head("fix-DEMO-1") == head


def test_another_job_continues_branch_and_pull_request_and_says_so_once(github: GitHubStandIn) -> None:
    url = writer(github).propose(proposal(github))
    first = github.branch_head("fix-DEMO-1")
    change = FileChange.written("app.py", FileMode.REGULAR, b"x = 3\n")
    asked = proposal(github, change, job=NEXT_JOB, base="fix-DEMO-1")
    assert writer(github).propose(asked) == writer(github).propose(asked) == url
    assert github.repository.show("fix-DEMO-1").parents == (first,)
    assert tree(github, "fix-DEMO-1")["app.py"] == ("100644", b"x = 3\n")
    (comment,) = github.comments(1)
    assert comment.body.startswith(f"What {NEXT_JOB.job_id} says.")
    assert github.pull_request(1).body.startswith(f"What {JOB.job_id} says.")


def test_a_persons_pull_request_keeps_its_words(github: GitHubStandIn) -> None:
    number = branch_with_pull(github)
    writer(github).propose(proposal(github, base="fix-DEMO-1"))
    pull = github.pull_request(number)
    assert (pull.title, pull.body) == ("A person's title", "A person's words")
    assert len(github.comments(number)) == 1


def test_a_branch_without_pull_request_gets_one(github: GitHubStandIn) -> None:
    head = github.push_commit("fix-DEMO-1", {"app.py": b"x = 9\n"})
    writer(github).propose(proposal(github, base="fix-DEMO-1"))
    assert github.repository.show("fix-DEMO-1").parents == (head,)
    assert [pull.head for pull in github.pull_requests()] == ["fix-DEMO-1"]


@pytest.mark.parametrize("base", ["trunk", "fix-DEMO-1"])
def test_a_branch_that_moved_meanwhile_is_left_alone(github: GitHubStandIn, base: str) -> None:
    if base != "trunk":
        branch_with_pull(github)
    asked = proposal(github, base=base)
    head = github.push_commit("fix-DEMO-1", {"app.py": b"x = 7\n"})
    error = fails(JobFailed, lambda: writer(github).propose(asked))
    assert "`fix-DEMO-1` moved" in str(error)
    assert github.branch_head("fix-DEMO-1") == head
    assert writes(github) == []


def test_a_proposal_to_an_unmoved_branch_survives_a_default_branch_that_moved(github: GitHubStandIn) -> None:
    asked = proposal(github)
    github.push_commit("trunk", {"other.py": b"y = 1\n"})
    writer(github).propose(asked)
    assert "other.py" not in tree(github, "fix-DEMO-1")


def test_a_change_on_a_commit_that_nobody_merged_is_not_published(github: GitHubStandIn) -> None:
    github.push_commit("of-a-stranger", {".github/workflows/steal.yml": b"on: push\n"})
    asked = proposal(github, base="of-a-stranger")
    error = fails(JobFailed, lambda: writer(github).propose(asked))
    assert "does not stand on the repository's default branch" in str(error)
    assert github.branch_head("fix-DEMO-1") is None
    assert writes(github) == []


def test_the_adapters_do_not_print_their_token(github: GitHubStandIn) -> None:
    assert github.settings.write_token not in f"{writer(github)!r} {vars(writer(github))}"
