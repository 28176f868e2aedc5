"""The publisher's gate: secrets block, sensitive files make a draft, and the worker's word counts for neither."""

import hashlib
from collections.abc import Mapping

import pytest
from tests.builders import changeset, fault
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import RULE, FakeFiles, FakeScanner

from orchestrator.domain.changeset import Changeset, FileChange, FileMode
from orchestrator.domain.secret import ScanTimeout
from orchestrator.domain.secret_allow import ALLOW_FILE
from orchestrator.domain.sensitive import EXECUTABLE_REASON
from orchestrator.usecases.judge_change import MOST_LEAKS, SCAN_S, JudgeChange, Judgement

VALUE = "SECRET-1234"
KEY = f"one\nkey = {VALUE}\n".encode()


def file(path: str, content: bytes = b"x\n", mode: FileMode = FileMode.REGULAR) -> FileChange:
    return FileChange.written(path, mode, content)


def judged(
    *changes: FileChange, files: FakeFiles | None = None, scanner: FakeScanner | None = None
) -> Judgement:
    judge = JudgeChange(scanner or FakeScanner(), files or FakeFiles(), FakeClock())
    return judge(changeset(changes=changes))


def test_a_secret_blocks_and_the_reason_names_path_line_and_rule_and_not_the_value() -> None:
    judgement = judged(file("app.py", KEY))
    assert f"- `app.py` line 2: `{RULE}`" in judgement.reason
    assert judgement.holds_secret
    assert VALUE not in judgement.reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_a_secret_is_found_in_whatever_encoding_the_file_has(encoding: str) -> None:
    text = KEY.decode() + ("é" if encoding == "latin-1" else "")
    assert judged(file("app.py", text.encode(encoding))).holds_secret


def test_a_secret_in_a_file_name_blocks_and_is_not_shown() -> None:
    judgement = judged(file(f"keys/{VALUE}.txt"))
    assert f"`keys/[secret removed: {RULE}].txt`, the name itself" in judgement.reason
    assert VALUE not in judgement.reason


def test_a_secret_as_the_target_of_a_link_blocks() -> None:
    assert judged(file("link", VALUE.encode(), FileMode.SYMLINK)).holds_secret


@pytest.mark.parametrize(
    "base", [{"app.py": KEY}, {"old.py": KEY}], ids=["the same file", "a file moved away"]
)
def test_a_value_that_the_repository_held_on_the_base_commit_does_not_block(
    base: Mapping[str, bytes],
) -> None:
    files = FakeFiles(base=base)
    assert judged(file("app.py", b"more\n" + KEY), FileChange.deleted("old.py"), files=files) == Judgement()
    assert {commit for _, commit in files.asked} == {"a" * 40}


def test_what_the_worker_says_was_there_before_counts_for_nothing() -> None:
    liar = FileChange.written("app.py", FileMode.REGULAR, KEY, before="100644 " + "0" * 40)
    stored = Changeset(base_sha="a" * 40, changes=(liar,), diff=f" key = {VALUE}")
    assert JudgeChange(FakeScanner(), FakeFiles(), FakeClock())(stored).holds_secret


def test_a_second_value_in_a_file_that_held_one_blocks() -> None:
    new = KEY + b"other = SECRET-9999\n"
    judgement = judged(file("app.py", new), files=FakeFiles(base={"app.py": KEY}))
    assert "line 3" in judgement.reason
    assert "line 2" not in judgement.reason


def test_a_change_without_a_hit_costs_no_request() -> None:
    files = FakeFiles()
    assert judged(file("app.py"), files=files) == Judgement()
    assert files.asked == []


def test_a_false_alarm_is_allowed_by_the_default_branch_only() -> None:
    digest = hashlib.sha256(VALUE.encode()).hexdigest()
    entry = f"# why\napp/*.py {RULE} sha256:{digest}\n".encode()
    change = file("app/a.py", KEY)
    assert judged(change, files=FakeFiles(trunk={ALLOW_FILE: entry})) == Judgement()
    assert judged(change, files=FakeFiles(base={ALLOW_FILE: entry})).holds_secret
    assert judged(file("other.py", KEY), files=FakeFiles(trunk={ALLOW_FILE: entry})).holds_secret
    assert judged(file("app/a.py", b"SECRET-5555"), files=FakeFiles(trunk={ALLOW_FILE: entry})).holds_secret


def test_a_malformed_entry_is_reported_whether_the_change_is_published_or_not() -> None:
    lines = f"app.py {RULE}\napp.py {RULE} {VALUE}\n".encode()
    files = FakeFiles(trunk={ALLOW_FILE: lines})
    passed = judged(file("app.py", KEY), files=files)
    assert (passed.reason, len(passed.notes)) == ("", 1)
    assert "Line 2 of `.alm-secrets-allow` allows nothing" in passed.notes[0]
    assert "Line 2" in judged(file("b.py", KEY), files=files).reason
    assert VALUE not in passed.notes[0]


@pytest.mark.parametrize("path", [ALLOW_FILE, ".ALM-secrets-allow"])
def test_the_allow_list_is_protected_whatever_the_deployment_protects(path: str) -> None:
    judge = JudgeChange(FakeScanner(), FakeFiles(), FakeClock(), protected=("infra/",))
    assert "a protected path" in judge(changeset(changes=(file(path),))).reason


def test_a_change_that_is_blocked_for_another_reason_is_searched_too() -> None:
    judge = JudgeChange(FakeScanner(), FakeFiles(), FakeClock())
    judgement = judge(changeset(changes=(file("app.py", KEY),), blocked=(fault(),)))
    assert judgement.holds_secret
    assert "vendor/x" in judgement.reason


def test_a_change_that_cannot_be_searched_in_time_is_not_published() -> None:
    with pytest.raises(ScanTimeout, match="not published"):
        judged(file("app.py"), scanner=FakeScanner(is_slow=True))


def test_all_files_together_have_one_time_limit() -> None:
    clock = FakeClock()

    class Slow(FakeScanner):
        def find(self, text: str, timeout_s: float | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN202
            clock.now += SCAN_S / 3
            return super().find(text, timeout_s)

    changes = tuple(file(f"{number}.py") for number in range(10))
    with pytest.raises(ScanTimeout):
        JudgeChange(Slow(), FakeFiles(), clock)(changeset(changes=changes))


def test_the_search_ends_when_there_is_enough_to_say() -> None:
    scanner = FakeScanner()
    judged(*(file(f"{number}.py", KEY) for number in range(3 * MOST_LEAKS)), scanner=scanner)
    assert len(scanner.asked) < 3 * MOST_LEAKS


def test_a_sensitive_file_makes_a_draft_and_an_everyday_one_a_line() -> None:
    judgement = judged(file(".gitlab-ci.yml"), file("package.json"), file("src/a.py"))
    assert [one.path for one in judgement.sensitive] == [".gitlab-ci.yml"]
    assert judgement.everyday == "Files that run code when somebody builds or tests: `package.json`."
    assert judgement.reason == ""


def test_a_file_that_was_executable_on_the_base_commit_is_everyday_work() -> None:
    script = file("run.sh", b"#!/bin/sh\n", FileMode.EXECUTABLE)
    assert judged(script, files=FakeFiles(executable=frozenset({"run.sh"}))).sensitive == ()
    (found,) = judged(script).sensitive
    assert (found.path, found.reason) == ("run.sh", EXECUTABLE_REASON)
