"""What must not leave, and what may leave only as a draft: the command, the real CLI and the real scanner."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.e2e.alm_command import World
from tests.secret_samples import GITHUB_TOKEN, TEXT, values_in

from alm.demo.model import script
from alm.standins.jira import paragraphs
from alm.standins.model import Conversation, ToolCall, Turn

FINDING = {"path": "shop/cart.py", "line": 3, "severity": "high", "title": f"Leaks {GITHUB_TOKEN}"}
REVIEW = {"summary": TEXT, "verdict": "comment", "findings": [{**FINDING, "explanation": TEXT}], "good": []}


def _last(said: Turn, **changes: object) -> Turn:
    """The same last turn with another report."""
    (call,) = said.tools
    return replace(said, tools=(ToolCall(call.name, {**call.input, **changes}),))


def _writes(path: str, text: str) -> Turn:
    command = f"mkdir -p $(dirname {path}); cat > {path} <<'END'\n{text}\nEND"
    return Turn("One more file.", (ToolCall("Bash", {"command": command, "description": "Write"}),))


def answers(conversation: Conversation) -> Turn:
    """The demo's turns, with a secret or a sensitive file where the ticket asks for it."""
    said = script(conversation)
    if "Review the pull request" in conversation.prompt:
        return Turn(tools=(ToolCall("StructuredOutput", REVIEW),))
    if said.tools and said.tools[0].name == "StructuredOutput":
        return _last(said, summary=TEXT) if "SECRETS-IN-TEXT" in conversation.prompt else said
    if conversation.step == 0 and "SECRETS-IN-CHANGE" in conversation.prompt:
        return _writes("shop/settings.py", TEXT)
    if conversation.step == 0 and "SENSITIVE-FILE" in conversation.prompt:
        return _writes(".husky/pre-commit", "npm test")
    return said


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.around(tmp_path_factory.mktemp("world"), answers) as world:
        jira, github = world.jira, world.github
        jira.create_issue("Bug", "A", description=paragraphs("SECRETS-IN-CHANGE"), labels=("ai-fix",))
        jira.create_issue(
            "Bug", f"Title {GITHUB_TOKEN}", description=paragraphs("SECRETS-IN-TEXT"), labels=("ai-fix",)
        )
        jira.create_issue("Bug", "C", description=paragraphs("SENSITIVE-FILE"), labels=("ai-fix",))
        github.push_commit("work", {"shop/cart.py": b"total = 1\nx = 2\ny = 3\n"})
        number = github.open_pull_request("work", "By a person").number
        review = paragraphs(f"Review {github.url}/acme/shop/pull/{number}")
        jira.create_issue("Bug", "D", description=review, labels=("ai-code-review",))
        status, printed = world.alm("run", "--once", "-v", "--concurrency", "2", limit_s=240)
        assert status == 0, printed
        (world.folder / "printed").write_text(printed)
        yield world


def test_a_change_with_secrets_is_blocked_and_the_ticket_says_where(world: World) -> None:
    (told,) = world.comments("DEMO-1")
    assert "ACTION FAILED: blocked" in told
    assert "`shop/settings.py` line 1: `betterleaks.github-pat`" in told
    assert "shop/settings.py` line 3" in told
    assert "fix-DEMO-1" not in world.github.branches()


def test_a_report_with_secrets_is_published_without_them(world: World) -> None:
    (told,) = world.comments("DEMO-2")
    assert "[secret removed: betterleaks.github-pat]" in told
    pull = next(pull for pull in world.github.pull_requests() if pull.head == "fix-DEMO-2")
    assert "[secret removed:" in pull.title
    assert "[secret removed:" in pull.body
    assert "[secret removed:" in world.github.commit_message("fix-DEMO-2")


def test_a_review_with_secrets_is_posted_without_them(world: World) -> None:
    (review,) = [
        found for pull in world.github.pull_requests() for found in world.github.reviews(pull.number)
    ]
    beside = [one.body for one in world.github.review_comments(1)]
    assert "[secret removed:" in review.body + "".join(beside)


def test_a_sensitive_file_makes_a_draft_that_begins_with_it(world: World) -> None:
    pull = next(pull for pull in world.github.pull_requests() if pull.head == "fix-DEMO-3")
    assert pull.draft
    assert pull.body.startswith("**This pull request is a draft because")
    assert "- `.husky/pre-commit`: it runs on the machine of whoever commits" in pull.body
    (told,) = world.comments("DEMO-3")
    assert "The pull request is a draft" in told
    assert "The pull request is a draft" in world.status("DEMO-3")[-1]
    assert not next(pull for pull in world.github.pull_requests() if pull.head == "fix-DEMO-2").draft


def test_no_value_is_in_anything_that_was_written_anywhere(world: World) -> None:
    writes = [
        request.body.decode("utf-8", "replace")
        for service in (world.github, world.jira)
        for request in service.requests
        if request.method != "GET" and "/git-upload-pack" not in request.path
    ]
    assert values_in("\n".join(writes)) == []
    assert values_in(world.logs() + (world.folder / "printed").read_text()) == []
    assert json.dumps([pull.title for pull in world.github.pull_requests()]).count("ghp_") == 0
