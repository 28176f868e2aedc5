"""What keeps a change from being published: rules on the change alone, and those that need the repository too."""

import pytest
from tests.builders import changeset, fault

from orchestrator.domain import publishable
from orchestrator.domain.changeset import Fault, FileChange, FileMode, Ground
from orchestrator.domain.publishable import PROTECTED, faults, links_out, reviewed, shown, told, twins_in


def file(path: str, content: bytes = b"x") -> FileChange:
    return FileChange.written(path, FileMode.REGULAR, content)


def link(path: str, target: str) -> FileChange:
    return FileChange.written(path, FileMode.SYMLINK, target.encode("utf-8", "surrogateescape"))


def grounds(*changes: FileChange) -> list[tuple[str, str]]:
    return [(fault.ground.value, fault.path) for fault in faults(changes, PROTECTED)]


def test_an_ordinary_change_has_no_fault() -> None:
    changes = (file("src/a.py"), FileChange.deleted("docs/b.md"), link("src/c.py", "a.py"))
    assert grounds(*changes) == []


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".mcp.json", "docs/CODEOWNERS"])
@pytest.mark.parametrize("change", [file, FileChange.deleted, lambda path: link(path, "x")])
def test_a_protected_path_is_neither_written_nor_deleted(path: str, change: type) -> None:
    assert ("protected", path) in grounds(change(path))


def test_the_paths_that_are_protected_are_the_deployments() -> None:
    assert faults((file(".mcp.json"), file("infra/x")), ("infra/**",)) == (
        fault("infra/x", Ground.PROTECTED),
    )


@pytest.mark.parametrize("path", [".gitmodules", ".GITMODULES"])
@pytest.mark.parametrize("change", [file, FileChange.deleted])
def test_submodules_are_peoples_whatever_a_deployment_protects(path: str, change: type) -> None:
    assert faults((change(path),), ("x",)) == (fault(path, Ground.SUBMODULE),)


@pytest.mark.parametrize("target", ["b", "b/c", "./b", "b//c", "../b", "../../x", "..", "../x/..hidden"])
def test_a_link_that_stays_is_a_file_like_others(target: str) -> None:
    assert grounds(link("one/two/a", target)) == []


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "/",
        "//x",
        "../../../x",
        "../../..",
        "b/../../../../x",
        "b/../c",
        "",
        ".",
        ".git/config",
        "../../.git",
        "b/.GIT",
        "C:\\Windows",
        "..\\..\\x",
        "b\nc",
        "b\udcff",
        "a" * 2000,
    ],
)
def test_a_link_that_leaves_or_hides_where_it_goes_is_blocked(target: str) -> None:
    assert grounds(link("one/two/a", target)) == [("link", "one/two/a")]


@pytest.mark.parametrize("target", ["far/x", "near/../far", "near/x"])
def test_a_link_that_leaves_through_links_of_the_repository_is_blocked(target: str) -> None:
    known = {"far": "/etc", "near": "deep/way", "deep/way": "../far"}
    assert list(links_out((link("a", target),), known)) == [fault("a", Ground.LINK)]


def test_links_of_the_repository_that_stay_or_go_in_circles_end() -> None:
    known = {"far": "/etc", "round": "around", "around": "round/x", "stays": "docs"}
    assert list(links_out((link("a", "round"), link("b", "stays/x"), link("c", "farther")), known)) == []


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("readme.md", "README.md"),
        ("Docs/new", "docs/old"),
        ("docs", "Docs/old"),
        ("caf\u00e9", "cafe\u0301"),
        ("stra\u00dfe", "strasse"),
    ],
)
def test_a_twin_of_a_path_that_stands_there_or_comes_too_is_blocked(path: str, known: str) -> None:
    assert list(twins_in((file(path),), [known])) == [fault(path, Ground.TWIN)]
    assert ("twin", path) in grounds(file(path), file(known))


def test_one_path_written_twice_is_blocked() -> None:
    assert grounds(file("a", b"1"), file("a", b"2")) == [("twin", "a")]


def test_a_twin_that_goes_and_twins_that_were_there_are_no_faults() -> None:
    assert list(twins_in((file("readme.md"), FileChange.deleted("README.md")), ["README.md"])) == []
    assert list(twins_in((file("a"),), ["A", "a"])) == []


def test_an_odd_path_may_be_deleted_if_people_can_read_it() -> None:
    assert grounds(FileChange.deleted("aux.c"), FileChange.deleted("a:b")) == []
    assert grounds(FileChange.deleted("a\u200bb"), FileChange.deleted(".git/x")) == [
        ("unreadable", "a\u200bb"),
        ("git", ".git/x"),
    ]


def test_a_change_has_limits() -> None:
    many = tuple(file(str(number)) for number in range(301))
    assert grounds(*many[:300]) == []
    assert grounds(*many) == [("too_many_files", "")]
    whole = [file(f"{number}", bytes(5_000_000)) for number in range(5)]
    assert grounds(*whole) == []
    assert grounds(*whole, file("one", b"1")) == [("too_many_bytes", "")]
    assert grounds(file("a", bytes(5_000_001))) == [("too_large", "a")]


def test_a_path_without_end_is_judged_and_costs_nothing() -> None:
    endless = "a/" * 1_000_000 + "b"
    assert grounds(file(endless)) == [("too_long", endless)]


def test_what_a_changeset_was_blocked_for_stays_and_is_said_once() -> None:
    before = changeset(changes=(file(".mcp.json"),), blocked=(fault(), fault(".mcp.json", Ground.PROTECTED)))
    assert reviewed(before, PROTECTED).blocked == before.blocked
    assert reviewed(changeset(), PROTECTED) == changeset()


def test_every_ground_has_words() -> None:
    assert publishable.WORDS.keys() == set(Ground)


def test_ten_reasons_are_told_and_the_others_counted() -> None:
    said = told(tuple(fault(f"path-{number}") for number in range(25)))
    assert ("`path-9`: a repository inside" in said, "path-10" in said) == (True, False)
    assert said.endswith("- and 15 more")
    assert "more" not in told(tuple(fault(f"path-{number}") for number in range(10)))


def test_a_reason_for_the_whole_change_names_no_path() -> None:
    assert told((Fault(ground=Ground.TOO_MANY_FILES),)).endswith("- more than 300 files are changed")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a`b``c", "`a\u02cbb\u02cb\u02cbc`"),
        ("a\n## Head", "`a\\x0a## Head`"),
        ("a\u202eb", "`a\\x202eb`"),
        ("@somebody", "`@somebody`"),
        ("x" * 500, f"`{'x' * 120}…{'x' * 60}`"),
    ],
)
def test_a_path_cannot_end_the_code_it_is_shown_in(path: str, said: str) -> None:
    assert shown(path) == said
