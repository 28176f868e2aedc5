"""Drafts that were tampered with: nothing of them is written, and nothing anywhere is different."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from tests.contract.git_drafts import LINK, REGULAR, draft, in_wait, refused, written

from alm.standins.github import GitHubStandIn
from orchestrator.adapters.git_cli import GitCheckout
from orchestrator.domain import publishable
from orchestrator.domain.changeset import Fault, FileChange, Ground


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubStandIn]:
    with in_wait() as running:
        yield running


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "",
        "a//x",
        "./x",
        ".git/hooks/post-checkout",
        ".GIT/config",
        "a/.git/config",
        ".git",
        "git~1/config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        ".g\u200cit/config",
        "a\\..\\x",
        "C:x",
        "a\0b",
        "a\nb",
        "a\tb",
        "\u202ex",
        ".gitmodules",
        "x" * 256,
        "/".join(["x" * 200] * 6),
    ],
)
@pytest.mark.parametrize("kind", ["file", "link", "deletion"])
def test_no_path_leads_out_or_into_git(fresh: GitCheckout, path: str, kind: str) -> None:
    change = {
        "file": written(path),
        "link": written(path, b"app.py", LINK),
        "deletion": FileChange.deleted(path),
    }[kind]
    assert refused(fresh, draft(fresh, written("good"), change))


@pytest.mark.parametrize(
    "changes",
    [
        (written("a", b"/etc", LINK), written("a/passwd")),
        (written("a/passwd"), written("a", b"/etc", LINK)),
        (written("a", b"docs", LINK), written("a/passwd")),
        (written("link/x"),),
        (written("out/x"),),
        (written("out/x/y", b"app.py", LINK),),
        (written("OUT/x"),),
        (FileChange.deleted("out/x"),),
        (written("tree"),),
        (written("app.py/x"),),
        (written("lib/x"),),
        (FileChange.deleted("tree/one"), written("tree")),
        (written("a"), written("a/b")),
        (written("a"), written("a")),
        (written("a"), FileChange.deleted("a")),
        (FileChange.deleted("nowhere"),),
        (FileChange.deleted("app.py"), written("app.py")),
        (FileChange.deleted("tree"),),
        (written("APP.py"),),
        (written("a", b"/etc/passwd", LINK),),
        (written("a", b"../../x", LINK),),
        (written("a", b"..", LINK),),
        (written("a", b".git/config", LINK),),
        (written("a", b"out/x", LINK),),
        (written("a", b"", LINK),),
        (written("a", b"app.py\0x", LINK),),
    ],
    ids=lambda changes: " ".join(change.path for change in changes),
)
def test_links_folders_and_twins_cannot_be_played_against_each_other(
    fresh: GitCheckout, changes: tuple[FileChange, ...]
) -> None:
    assert refused(fresh, draft(fresh, written("good"), *changes))


def test_a_draft_that_is_too_much_is_not_carried_over(
    fresh: GitCheckout, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(written(f"f{number}") for number in range(publishable.MOST_FILES + 1))
    assert refused(fresh, draft(fresh, *many))
    monkeypatch.setattr(publishable, "LARGEST_FILE", 3)
    assert refused(fresh, draft(fresh, written("good")))
    monkeypatch.setattr(publishable, "LARGEST_FILE", 10)
    monkeypatch.setattr(publishable, "LARGEST_CHANGE", 7)
    assert refused(fresh, draft(fresh, written("one"), written("two")))
    assert fresh.carry_over(draft(fresh, written("one")))


@pytest.mark.parametrize("mode", ["160000", "040000", "104755", "100666", ""])
def test_a_draft_has_no_other_modes_than_a_change(mode: str) -> None:
    with pytest.raises(ValidationError):
        FileChange.model_validate({"path": "a", "mode": mode, "content_b64": ""})


@pytest.mark.parametrize("content", ["\u00e9", "A", "AAAAA"])
def test_content_that_is_no_base64_is_not_carried_over(fresh: GitCheckout, content: str) -> None:
    assert refused(
        fresh, draft(fresh, written("good"), FileChange(path="a", mode=REGULAR, content_b64=content))
    )


def test_a_draft_that_is_empty_or_was_blocked_is_not_carried_over(fresh: GitCheckout) -> None:
    assert refused(fresh, draft(fresh))
    fault = Fault(ground=Ground.PROTECTED, path="good")
    assert refused(fresh, draft(fresh, written("good"), blocked=(fault,)))
