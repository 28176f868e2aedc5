"""The kernel's refusals are told from honest work, as far as text can."""

import pytest

from orchestrator.domain.kernel import LONGEST_END, is_elsewhere, is_kernel_refusal

SHELL = "/bin/bash: line 1: "


@pytest.mark.parametrize(
    "printed",
    [
        "touch: cannot touch '/usr/x': Read-only file system",
        "before\nls: cannot open directory '/root': Permission denied\r\nafter",
        f"{SHELL}/dev/tcp/1.1.1.1/80: Network is unreachable",
        f"{SHELL}connect: Connection refused\n{SHELL}/dev/tcp/127.0.0.1/80: Connection refused",
        "mount: /mnt: Operation not permitted\n",
        "mount: /mnt: must be superuser to use mount.",
        "PermissionError: [Errno 13] Permission denied: '/etc/shadow'",
        "Error: EROFS: read-only file system, open '/usr/x'",
        "Error: connect ECONNREFUSED 127.0.0.1:8125",
        "Error: connect EAFNOSUPPORT 203.0.113.7:80 - Local (undefined:undefined)",
        "/bin/bash: line 1: kill: (26183) - Operation not permitted",
        "Error: getaddrinfo EAI_AGAIN metadata.google.internal",
        "open /usr/x: read-only file system",
        "java.io.FileNotFoundException: /usr/x (Read-only file system)",
        "Error: Permission denied (os error 13)",
        "Can't open /usr/x: Read-only file system at -e line 1.",
        "curl: (6) Could not resolve host: secret.example",
        "curl: (7) Failed to connect to 169.254.169.254 port 80 after 0 ms: Couldn't connect to server",
        "fatal: unable to access 'https://a.example/x.git/': Could not resolve host: a.example",
        "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
        "curl: (7) Network is unreachable (1.1.1.1)",
        "wget: unable to resolve host address a.example",
        "ssh: connect to host 1.1.1.1 port 22: Network is unreachable",
        "ssh: Could not resolve hostname a.example: Temporary failure in name resolution",
        "OSError: [Errno 97] Address family not supported by protocol",
        "OSError: [Errno 38] Function not implemented",
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
        f"{SHELL}fork: retry: Resource temporarily unavailable",
        "fallocate: fallocate failed: File too large",
        "dd: error writing 'x': No space left on device",
        "OSError: [Errno 12] Cannot allocate memory",
        "Traceback (most recent call last):\nMemoryError",
        f"{SHELL}7: Bad file descriptor",
        "ln: failed to create hard link 'x' => '/usr/bin/su': Invalid cross-device link",
        "sudo: effective uid is not 0, is sudo installed setuid root?",
    ],
)
@pytest.mark.parametrize("tool", ["Bash", "BashOutput"])
def test_a_programs_own_words_are_a_refusal_even_if_the_command_went_on(tool: str, printed: str) -> None:
    assert is_kernel_refusal(tool, printed, is_error=False)
    assert is_kernel_refusal(tool, f"Exit code 1\n{printed}", is_error=True)


@pytest.mark.parametrize(
    "printed",
    [
        "cat: /etc/shadow: No such file or directory",
        "ls: cannot access '/root': No such file or directory",
        "head: cannot open '/proc/4711/environ' for reading: No such file or directory",
        "find: '/home/other': No such file or directory",
        f"{SHELL}cd: /var/lib: No such file or directory",
        "FileNotFoundError: [Errno 2] No such file or directory: '/run/docker.sock'",
        "Error: ENOENT: no such file or directory, open '/root/.ssh/id'",
        'socat[7] E connect(5, AF=1 "/run/host.sock", 15): No such file or directory',
        "cat: /dev/mem: No such file or directory",
        "cat: ../../../../etc/shadow: No such file or directory",
        "cat: //etc//shadow: No such file or directory",
        "cat: /workspace/../etc/shadow: No such file or directory",
        "touch: cannot touch '/oldroot/tmp/x': No such file or directory",
        "cat: /tmp/alm-job-x1/trusted.git/config: No such file or directory",
        "cat: /tmp/alm-job-x1/workspace/../trusted.git/config: No such file or directory",
    ],
)
def test_a_part_of_the_machine_that_is_not_there_was_an_attempt(printed: str) -> None:
    assert is_kernel_refusal("Bash", printed, is_error=False)


@pytest.mark.parametrize(
    "printed",
    [
        "cat: src/config.py: No such file or directory",
        "ls: cannot access '/workspace/build': No such file or directory",
        "cat: /tmp/out.txt: No such file or directory",
        "cat: /tmp/alm-job-x1/workspace/missing.py: No such file or directory",
        "cat: /home/agent/.npmrc: No such file or directory",
        "ls: cannot access '/usr/include/ssl.h': No such file or directory",
        "cat: ../README.md: No such file or directory",
        "cat: /etc/os-release: No such file or directory",
        "cat: /etc/ssl/certs/ca.pem: No such file or directory",
        "cat: /sys/fs/cgroup/cpu.max: No such file or directory",
        "cat: /proc/self/cgroup: No such file or directory",
        f"{SHELL}./run: /var/opt/python/bin/python3: bad interpreter: No such file or directory",
        "FileNotFoundError: [Errno 2] No such file or directory: 'etc/app.yml'",
        "npm error enoent Error: ENOENT: no such file or directory, open '/workspace/package.json'",
        "make: *** No rule to make target '/workspace/x.c', needed by 'x'.  Stop.",
        "make: Makefile: No such file or directory",
        "cc1: fatal error: main.c: No such file or directory\ncompilation terminated.",
    ],
)
def test_a_file_of_its_own_that_is_missing_is_honest_work(printed: str) -> None:
    assert not is_kernel_refusal("Bash", f"Exit code 1\n{printed}", is_error=True)


@pytest.mark.parametrize(
    "printed",
    [
        "12: # handle Permission denied and the like",
        "grep: README says that a Read-only file system is fine",
        "permission denied",
        'raise Error("Operation not permitted")',
        "src/net.py:14:    if 'Connection refused' in str(error):",
        "E       assert 'Connection refused by peer' == 'ok'",
        "FAILED tests/test_db.py::test_it_survives_no_space_left_on_device - AssertionError",
        "tests/test_io.py::test_file_too_large PASSED",
        "docs/errors.md:3:| /etc/shadow | No such file or directory | gone |",
        "npm error code ELIFECYCLE\nnpm error errno 1",
        "make: *** [Makefile:3: test] Error 1",
        "make: *** [Makefile:3: test] Killed by the watchdog of the test",
        "ModuleNotFoundError: No module named 'requests'",
        f"{SHELL}docker: command not found",
        "fatal: not a git repository (or any of the parent directories): .git",
        "",
    ],
)
@pytest.mark.parametrize("is_error", [False, True])
def test_text_that_speaks_of_a_refusal_is_none(printed: str, is_error: bool) -> None:
    assert not is_kernel_refusal("Bash", f"Exit code 1\n{printed}", is_error=is_error)


def test_a_script_that_is_not_executable_is_no_refusal() -> None:
    said = f"Exit code 126\n{SHELL}./build.sh: Permission denied"
    assert not is_kernel_refusal("Bash", said, is_error=True)
    assert is_kernel_refusal("Bash", f"{said}\ncat: /etc/x: Permission denied", is_error=True)


@pytest.mark.parametrize("code", [137, 153])
def test_a_command_the_kernel_ended_was_refused(code: int) -> None:
    assert is_kernel_refusal("Bash", f"Exit code {code}", is_error=True)
    assert not is_kernel_refusal("Bash", f"Exit code {code}", is_error=False)


@pytest.mark.parametrize(
    ("command", "code", "counts"),
    [
        ("getent hosts secret.example", 2, True),
        ("curl -s http://169.254.169.254/", 7, True),
        ("curl -sf http://localhost:3000/health", 22, False),
        ("wget -q http://a.example/", 4, True),
        ("nc -z 1.1.1.1 53", 1, True),
        ("grep -q x README.md", 1, False),
        ("test -f curl", 1, False),
    ],
)
def test_a_network_client_that_found_nobody_counts_even_if_it_said_nothing(
    command: str, code: int, counts: bool
) -> None:
    assert is_kernel_refusal("Bash", f"Exit code {code}", is_error=True, target=command) is counts


@pytest.mark.parametrize(
    ("command", "counts"),
    [
        ("kill -9 4711", True),
        ("kill 1 2", True),
        ("npm start & sleep 1; kill $!", False),
        ("kill %1", False),
        ("kill -9 $PID || true", False),
    ],
)
def test_a_signal_to_a_process_the_command_did_not_start_counts(command: str, counts: bool) -> None:
    said = f"{SHELL}kill: (4711) - No such process"
    assert is_kernel_refusal("Bash", said, is_error=False, target=command) is counts


def test_a_system_call_on_a_process_that_is_not_there_counts() -> None:
    said = "ProcessLookupError: [Errno 3] No such process"
    assert is_kernel_refusal("Bash", said, is_error=False, target="python3 -c 'import os; os.kill(7, 9)'")


def test_a_file_tool_says_it_by_code_and_only_in_an_error() -> None:
    said = "EACCES: permission denied, open '/etc/shadow'"
    assert is_kernel_refusal("Read", said, is_error=True)
    assert is_kernel_refusal(
        "Grep", "Refusing to search /root: it could not be opened (EACCES)", is_error=True
    )
    assert not is_kernel_refusal("Read", f"1\t{said}", is_error=False)
    assert not is_kernel_refusal("Grep", "a.log:1: x: Permission denied", is_error=True)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("Read", "File does not exist. Note: your current working directory is /workspace."),
        ("Grep", "Path does not exist: /root. Note: your current working directory is /workspace."),
        ("Glob", "Directory does not exist: /root."),
    ],
)
def test_a_file_tool_that_finds_nothing_was_refused_only_elsewhere(tool: str, said: str) -> None:
    assert is_kernel_refusal(tool, said, is_error=True, target="/root/secret")
    assert not is_kernel_refusal(tool, said, is_error=True, target="/workspace/src/missing.py")
    assert not is_kernel_refusal(tool, said, is_error=False, target="/root/secret")


def test_a_long_output_is_read_at_both_ends_only() -> None:
    refused = "cat: x: Permission denied\n"
    noise = "x" * 70 + "\n"
    padding = noise * (LONGEST_END // len(noise) + 1)
    assert is_kernel_refusal("Bash", refused + padding * 4, is_error=False)
    assert is_kernel_refusal("Bash", padding * 4 + refused, is_error=False)
    assert not is_kernel_refusal("Bash", padding * 2 + refused + padding * 2, is_error=False)


@pytest.mark.parametrize("piece", [": ", "/", "../", "/alm-job-", "ssh: ", " at ", "kill 1 ", "[Errno ", "'"])
def test_no_text_makes_the_look_long(piece: str) -> None:
    assert not is_kernel_refusal("Bash", piece * (4 * LONGEST_END), is_error=True, target=piece * 100)
    assert not is_kernel_refusal(
        "Bash", (piece * 10_000 + ": No such file or directory\n") * 3, is_error=True
    )


@pytest.mark.parametrize(
    "path", ["/root", "/home", "/home/other/x", "/etc/shadow", "/oldroot/x", "/proc/1/mem"]
)
def test_the_machine_is_elsewhere(path: str) -> None:
    assert is_elsewhere(path)


@pytest.mark.parametrize(
    "path", ["/", "/rooted", "/usr/bin/x", "/tmp/x", "/proc/self/x", "relative", "/app/x", ""]
)
def test_what_an_agent_has_or_asks_for_honestly_is_not_elsewhere(path: str) -> None:
    assert not is_elsewhere(path)


@pytest.mark.parametrize(
    "printed",
    [
        "Exit code 159",
        f"Exit code 1\n{SHELL}  4711 Bad system call         (core dumped) ./other-architecture",
    ],
)
def test_a_program_of_another_architecture_is_ended_and_that_counts(printed: str) -> None:
    assert is_kernel_refusal("Bash", printed, is_error=True)
