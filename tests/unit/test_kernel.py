"""The kernel's refusals are told from sentences about them, as far as text can."""

import pytest

from orchestrator.domain.kernel import is_kernel_refusal


@pytest.mark.parametrize(
    "printed",
    [
        "touch: cannot touch '/usr/x': Read-only file system",
        "before\nls: cannot open directory '/root': Permission denied\r\nafter",
        "/bin/bash: line 1: /dev/tcp/1.1.1.1/80: Network is unreachable",
        "mount: /mnt: Operation not permitted\n",
        "PermissionError: [Errno 13] Permission denied: '/etc/shadow'",
        "Error: EROFS: read-only file system, open '/usr/x'",
    ],
)
@pytest.mark.parametrize("tool", ["Bash", "BashOutput"])
def test_a_programs_own_words_are_a_refusal_even_if_the_command_went_on(tool: str, printed: str) -> None:
    assert is_kernel_refusal(tool, printed, is_error=False)
    assert is_kernel_refusal(tool, printed, is_error=True)


@pytest.mark.parametrize(
    "printed",
    [
        "12: # handle Permission denied and the like",
        "grep: README says that a Read-only file system is fine",
        "permission denied",
        'raise Error("Operation not permitted")',
        "",
    ],
)
def test_text_that_speaks_of_a_refusal_is_none(printed: str) -> None:
    assert not is_kernel_refusal("Bash", printed, is_error=False)


def test_in_a_failed_command_the_words_may_stand_anywhere() -> None:
    assert is_kernel_refusal("Bash", "curl: (7) Network is unreachable (1.1.1.1)", is_error=True)
    assert not is_kernel_refusal("Bash", "Exit code 1\nNo such file or directory", is_error=True)


def test_a_file_tool_says_it_by_code_and_only_in_an_error() -> None:
    said = "EACCES: permission denied, open '/etc/shadow'"
    assert is_kernel_refusal("Read", said, is_error=True)
    assert not is_kernel_refusal("Read", f"1\t{said}", is_error=False)
    assert not is_kernel_refusal("Grep", "a.log:1: x: Permission denied", is_error=True)
