"""What a stranger packs small and git unpacks large is refused before it is unpacked, at once and for good."""

import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

import pytest
from tests.contract.git_workspace import cloner, files_below
from tests.contract.test_git_review import made_up

from alm.standins.github import GitHubStandIn
from orchestrator.adapters import git_tree
from orchestrator.adapters.git_cli import GitCloner
from orchestrator.domain.repository_limits import COSTLY, RepositoryLimits
from orchestrator.errors import RepositoryTooLarge

MIB = 1024 * 1024
PEOPLE = {f"GIT_{role}_{what}": "person" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
FILE, FOLDER = b"100644 blob", b"040000 tree"


@pytest.fixture(autouse=True)
def temporary(github: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Clones go here, and nothing may be left of them."""
    github.seed({"app.py": b"x = 1\n"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def tree(github: GitHubStandIn, entries: dict[bytes, tuple[bytes, str]]) -> str:
    """A tree object, whatever is in it."""
    lines = b"".join(b"%s %s\t%s\0" % (kind, sha.encode(), name) for name, (kind, sha) in entries.items())
    return github.repository.git("mktree", "-z", stdin=lines).decode().strip()


def blob(github: GitHubStandIn, content: bytes = b"x") -> str:
    return github.repository.blob(content)


def commit(github: GitHubStandIn, top: str) -> str:
    """A commit of that tree that no branch has, as a fork's head."""
    return github.repository.git("commit-tree", "-m", "Bomb", top, extra=PEOPLE).decode().strip()


def nested(github: GitHubStandIn, top: str, levels: int, width: int) -> str:
    """Folders that each hold the next one so many times."""
    for _ in range(levels):
        top = tree(github, {b"%d" % number: (FOLDER, top) for number in range(width)})
    return top


def limited(github: GitHubStandIn, **limits: int) -> GitCloner:
    return replace(cloner(github), limits=RepositoryLimits(**limits))


def refusal(github: GitHubStandIn, head: str, made: GitCloner | None = None) -> str:
    """What the ticket says of a review of that head; on a branch it says the same."""
    base = github.branch_head("trunk") or ""
    github.repository.git("update-ref", "refs/heads/bomb", head)
    made = made or cloner(github)
    said = set[str]()
    with pytest.raises(RepositoryTooLarge) as refused, made.clone_review(made_up(head, base)):
        pass
    said.add(str(refused.value))
    with pytest.raises(RepositoryTooLarge) as refused, made.clone("bomb"):
        pass
    said.add(str(refused.value))
    (sentence,) = said
    return sentence


def test_one_blob_under_a_hundred_thousand_names_is_refused(github: GitHubStandIn) -> None:
    """100,015 files: it is 1.7 MiB to serve, and less as here."""
    files = {b"file-%06d" % number: (FILE, blob_sha) for blob_sha in [blob(github)] for number in range(317)}
    head = commit(github, tree(github, {b"%d" % n: (FOLDER, tree(github, files)) for n in range(316)}))
    assert refusal(github, head) == (
        "The commit holds more than 100,000 files. Nothing was unpacked and the agent was not started. Work on a "
        "smaller commit, or ask the operator to raise REPOSITORY_MAX_FILES."
    )


@pytest.mark.parametrize("has_file", [True, False])
def test_a_billion_entries_in_a_kilobyte_are_refused_in_seconds(
    github: GitHubStandIn, has_file: bool
) -> None:
    bottom = tree(github, {b"x": (FILE, blob(github))}) if has_file else tree(github, {})
    head = commit(github, nested(github, bottom, levels=30, width=2))
    started = time.monotonic()
    assert "more than 100,000 folders" in refusal(github, head)
    assert time.monotonic() - started < 30


def test_bytes_without_end_are_refused(github: GitHubStandIn) -> None:
    """A terabyte of one mebibyte: a million names for one blob."""
    bottom = tree(github, {b"%03d" % number: (FILE, blob(github, bytes(MIB))) for number in range(100)})
    head = commit(github, nested(github, bottom, levels=2, width=100))
    assert refusal(github, head) == (
        "The files of the commit have more than 2 GiB. Nothing was unpacked and the agent was not started. Work on a "
        "smaller commit, or ask the operator to raise REPOSITORY_MAX_BYTES."
    )


def test_one_huge_blob_is_never_held_in_memory(github: GitHubStandIn) -> None:
    head = commit(github, tree(github, {b"zeros": (FILE, blob(github, bytes(200 * MIB)))}))
    assert "have more than 104,857,600 bytes" in refusal(github, head, limited(github, max_bytes=100 * MIB))
    said, peak_bytes = reviewed_apart(github, head)
    assert (said, peak_bytes < 100 * MIB) == ("passed", True)


def reviewed_apart(github: GitHubStandIn, head: str) -> tuple[str, int]:
    """How a clone of that head ends, in a process of its own, and the memory of the largest git that it started."""
    program = (
        "import resource; from orchestrator.adapters.git_cli import GitCloner\n"
        "from orchestrator.domain.pull_request import PullState, ReviewSubject\n"
        f"pull = ReviewSubject(number=1, url='', title='', body='', state=PullState.OPEN, head_sha={head!r},"
        f" merge_base_sha={github.branch_head('trunk')!r}, changed_files=1)\n"
        f"cloner = GitCloner({github.url!r}, {github.settings.full_name!r}, {github.settings.read_token!r})\n"
        "try:\n  with cloner.clone_review(pull): said = 'passed'\n"
        "except Exception as error: said = str(error)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, said)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    peak, _, said = done.stdout.strip().partition(" ")
    return said, int(peak)


def test_a_large_download_is_ended_while_it_comes(github: GitHubStandIn) -> None:
    noise = random.Random(1).randbytes(20 * MIB)  # noqa: S311  # not packable, no secret
    head = commit(github, tree(github, {b"noise": (FILE, blob(github, noise))}))
    sentence = refusal(github, head, limited(github, max_bytes=5 * MIB))
    assert sentence.startswith("The download of the commit has more than 5,242,880 bytes.")


def test_a_delta_that_unpacks_to_more_memory_than_git_may_have_is_refused(github: GitHubStandIn) -> None:
    """A pack of some kilobytes in which one object is 700 MiB of copies of another."""
    base, bomb = store_delta_bomb(github, 16 * MIB, 700 * MIB)
    head = commit(github, tree(github, {b"base": (FILE, base), b"zeros": (FILE, bomb)}))
    said, peak_bytes = reviewed_apart(github, head)
    assert (said, peak_bytes < 200 * MIB) == (COSTLY, True)


def store_delta_bomb(github: GitHubStandIn, base_bytes: int, size: int) -> tuple[str, str]:
    """Put a pack of a blob of zeros and a delta on it into the emulator's repository; both ids."""
    base = bytes(base_bytes)
    base_sha = sha1(b"blob %d\0" % base_bytes + base).digest()  # noqa: S324  # git's
    target = sha1(b"blob %d\0" % size)  # noqa: S324  # git's
    for _ in range(size // MIB):
        target.update(bytes(MIB))
    copies = b"".join(b"\xf0" + piece.to_bytes(3, "little") for piece in pieces(size, 0xFFFFFF))
    delta = varint(base_bytes) + varint(size) + copies
    body = b"PACK" + (2).to_bytes(4) + (2).to_bytes(4)
    body += header(3, base_bytes) + zlib.compress(base, 9)
    body += header(7, len(delta)) + base_sha + zlib.compress(delta, 9)
    body += sha1(body).digest()  # noqa: S324  # git's
    github.repository.git("index-pack", "--stdin", stdin=body)
    return base_sha.hex(), target.hexdigest()


def pieces(size: int, largest: int) -> Iterator[int]:
    while size:
        yield min(size, largest)
        size -= min(size, largest)


def varint(value: int) -> bytes:
    said = b""
    while value > 0x7F:
        said += bytes([value & 0x7F | 0x80])
        value >>= 7
    return said + bytes([value])


def header(kind: int, size: int) -> bytes:
    first = kind << 4 | size & 0x0F
    size >>= 4
    return bytes([first | (0x80 if size else 0)]) + (varint(size) if size else b"")


def test_folders_nested_deeper_than_a_path_can_be_are_refused(github: GitHubStandIn) -> None:
    top = tree(github, {b"x": (FILE, blob(github))})
    for _ in range(2000):
        content = b"40000 abc\0" + bytes.fromhex(top)
        top = sha1(b"tree %d\0" % len(content) + content).hexdigest()  # noqa: S324  # git's
        folder = github.repository.path / "objects" / top[:2]
        folder.mkdir(exist_ok=True)
        (folder / top[2:]).write_bytes(zlib.compress(b"tree %d\0" % len(content) + content))
    assert "A path of the commit is longer than 4,096 bytes" in refusal(github, commit(github, top))


def test_a_listing_that_takes_too_long_is_ended(
    github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_tree, "LISTING_S", 0.0)
    assert "more time, memory or disk" in refusal(github, github.branch_head("trunk") or "")


@pytest.mark.parametrize(
    ("limits", "passes"),
    [({"max_files": 3}, True), ({"max_files": 2}, False), ({"max_bytes": 10**6}, True)],
)
def test_a_repository_at_the_limit_passes(
    github: GitHubStandIn, limits: dict[str, int], passes: bool
) -> None:
    github.push_commit("trunk", {"a\nb.py": b"x", "c\td": b"y"})
    made = limited(github, **limits)
    if not passes:
        assert "more than 2 files" in refusal(github, github.branch_head("trunk") or "", made)
        return
    with made.clone(None) as checkout:
        assert {path.name for path in files_below(checkout.workspace) if ".git" not in path.parts} == {
            "app.py",
            "a\nb.py",
            "c\td",
        }


def test_a_submodule_is_counted_without_a_size(github: GitHubStandIn) -> None:
    base = github.branch_head("trunk") or ""
    head = commit(github, tree(github, {b"sub": (b"160000 commit", "1" * 40)}))
    with cloner(github).clone_review(made_up(head, base)) as checkout:
        assert (checkout.workspace / "sub").is_dir()


def test_a_repository_of_sixty_thousand_files_passes_and_counting_takes_little_of_its_time(
    github: GitHubStandIn,
) -> None:
    """Printed with -s; the counting is a fraction of the clone."""
    fast_import(github, 60_000)
    started = time.monotonic()
    with cloner(github).clone("many") as checkout:
        cloned_s = time.monotonic() - started
        counting = time.monotonic()
        git_tree.check_tree(checkout.repository.git_dir, checkout.base_sha, os.environ, RepositoryLimits())
        counted_s = time.monotonic() - counting
        found = sum(1 for _ in files_below(checkout.workspace / "src"))
    print(f"60,000 files: clone {cloned_s:.1f} s, of which counting {counted_s:.2f} s")  # noqa: T201  # the measured number
    assert found == 60_000
    assert counted_s < max(cloned_s / 4, 1)


def fast_import(github: GitHubStandIn, files: int) -> None:
    """A branch `many` with that many files."""
    parts = [b"commit refs/heads/many\ncommitter p <p> 1 +0000\ndata 4\nMany\n"]
    for number in range(files):
        content = b"value = %d\n" % (number % 3000)
        parts.append(b"M 100644 inline src/%02d/%02d/file_%d.py\n" % (number % 97, number % 31, number))
        parts.append(b"data %d\n%s\n" % (len(content), content))
    github.repository.git("fast-import", "--quiet", stdin=b"".join(parts))
