"""Paths: which may be written, which are the same on another file system, which are protected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.changeset import Ground
from orchestrator.domain.publishable import PROTECTED
from orchestrator.domain.repository_path import folded, is_protected, path_fault, pattern_fault


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "src/app/[id]/page.tsx",
        ".gitignore",
        ".github/dependabot.yml",
        "docs/Über uns.md",
        "日本語/名前.txt",
        "a~b",
        "~backup",
        "legit~12345678",
        "console.py",
        "auxiliary",
        "com10",
        "github",
        "git",
        "x.git",
        "a" * 255,
    ],
)
def test_an_ordinary_path_may_be_written(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "ground"),
    [
        *(
            (path, Ground.GIT)
            for path in (
                ".git",
                ".git/config",
                "a/.GIT/b",
                ".git.",
                ".git ",
                ".git. .",
                ".git::$INDEX_ALLOCATION",
                "git~1",
                "GIT~1/x",
                "gi7eba~1",
                "a/git~22",
                ".g\u200cit",
                "\ufeff.git",
                ".gi\u202et",
            )
        ),
        *(
            (path, Ground.UNREADABLE)
            for path in (
                "",
                "/etc/passwd",
                "a/",
                "a//b",
                "../a",
                "a/./b",
                "a/..",
                "a\nb",
                "a\rb",
                "a\tb",
                "\x1b[31m",
                "a\x00b",
                "a\x7f",
                "a\u200bb",
                "a\u202eb",
                "a\u2066b",
                "a\u00a0b",
                "a\u2028b",
                "a\u3164b",
                "a\ud800b",
                "a\ue000b",
                "a\ufe0f\ufe0fb",
            )
        ),
        *(
            (path, Ground.UNPORTABLE)
            for path in (
                "CON",
                "con.txt",
                "a/NUL",
                "nul .txt",
                "AUX.h",
                "com1",
                "LPT\u00b9.x",
                "conin$",
                "a:b",
                "a\\b",
                "a*",
                "a?",
                'a"',
                "a|b",
                "a<b",
                "dot.",
                "space ",
                " space",
                "a./b",
                "GITHUB~1/workflows/x.yml",
                "CODEOW~1",
                "MCP~1.JSO",
            )
        ),
        ("a" * 256, Ground.TOO_LONG),
        ("ä" * 128, Ground.TOO_LONG),
        ("/".join(["a" * 200] * 6), Ground.TOO_LONG),
    ],
)
def test_an_odd_path_is_known_by_its_kind(path: str, ground: Ground) -> None:
    assert path_fault(path) is ground


@pytest.mark.parametrize(
    ("one", "other"),
    [("README.md", "readme.MD"), ("straße", "STRASSE"), ("é", "e\u0301"), ("É", "e\u0301"), ("K", "\u212a")],
)
def test_paths_that_a_file_system_may_take_for_one_are_folded_to_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_paths_that_no_file_system_takes_for_one_stay_two() -> None:
    assert len({folded(path) for path in ("a", "b", "e", "é", "fi", "ﬀ")}) == 6


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/workflows/deep/er.yml",
        ".GitHub/Workflows/ci.yml",
        ".github/actions/x/action.yml",
        ".claude/settings.json",
        "packages/a/.claude/hooks/x.sh",
        ".Claude/x",
        ".mcp.json",
        "packages/a/.MCP.json",
        "CODEOWNERS",
        "codeowners",
        ".github/CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitattributes",
        "docs/.gitattributes",
    ],
)
def test_ours_are_protected_in_any_case(path: str) -> None:
    assert is_protected(path, PROTECTED)


@pytest.mark.parametrize(
    "path",
    [
        ".github/dependabot.yml",
        "x/.github/workflows/ci.yml",
        ".github/workflows",
        "claude/x",
        ".claudex/x",
        "mcp.json",
        "x/CODEOWNERS",
        "CODEOWNERS.md",
        ".github/workflows.md",
        "docs/a.md",
    ],
)
def test_what_is_beside_them_is_not(path: str) -> None:
    assert not is_protected(path, PROTECTED)


@pytest.mark.parametrize("path", [".github", ".github/workflows", ".claude", "a/.claude", ".github/actions"])
def test_a_link_counts_as_what_it_may_stand_for(path: str) -> None:
    assert is_protected(path, PROTECTED, is_link=True)


@pytest.mark.parametrize("path", ["link", "docs/link", "x/workflows", ".github/x"])
def test_a_link_elsewhere_is_a_link(path: str) -> None:
    assert not is_protected(path, PROTECTED, is_link=True)


@pytest.mark.parametrize(
    ("pattern", "holds", "holds_not"),
    [
        ("*.tf", "a/b/main.tf", "main.tfx"),
        ("/infra", "infra/x/y", "a/infra"),
        ("infra/", "a/infra/x", "infrastructure/x"),
        ("a/*/c", "a/b/c/d", "a/b/b/c"),
        ("a/**/c", "a/c", "b/a/c"),
        ("a/**/c", "a/x/y/c", "a/x/y/d"),
        ("a/?.py", "a/b.py", "a/bb.py"),
        ("a.b", "x/a.b", "x/aXb"),
        ("[Mm]akefile.[!x]", "a/MAKEFILE.y", "makefile.x"),
        (r"a\*", "x/a*", "x/ab"),
        ("docs/*.md", "docs/a.md", "x/docs/a.md"),
    ],
)
def test_a_pattern_means_what_it_means_in_gitignore(pattern: str, holds: str, holds_not: str) -> None:
    assert pattern_fault(pattern) is None
    assert is_protected(holds, (pattern,))
    assert not is_protected(holds_not, (pattern,))


def test_a_later_pattern_can_take_back_an_earlier_one() -> None:
    patterns = ("infra/*", "!infra/README.md")
    assert is_protected("infra/main.tf", patterns)
    assert not is_protected("infra/readme.md", patterns)


@pytest.mark.parametrize("pattern", ["", "/", "#a", "  ", "../a", "a//b", "a\nb", "a/\u200b"])
def test_a_pattern_that_would_protect_nothing_is_a_fault(pattern: str) -> None:
    assert pattern_fault(pattern)


@given(st.text())
def test_every_text_is_judged(path: str) -> None:
    assert (path_fault(path) is None) in {True, False}
    assert is_protected(path, PROTECTED) in {True, False}
    assert folded(folded(path)) == folded(path)
