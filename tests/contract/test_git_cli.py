"""GitCloner against real git over HTTP: what is cloned, where the token is not, what is said when it fails."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.errors import fails
from tests.contract.git_workspace import GITLINK, cloner, files_below, kept, push_raw
from tests.contract.raw_server import RawServer, sends

from alm.standins.faults import Faults
from alm.standins.github import Executable, GitHubStandIn, Symlink
from alm.standins.http import Fault, Request
from orchestrator.adapters.git_cli import GitCloner
from orchestrator.errors import JobFailed, TransientError


@pytest.fixture(autouse=True)
def temporary(github: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Clones go here, and nothing may be left of them."""
    github.seed({"app.py": b"x = 1\n", "run.sh": Executable(b"#!/bin/sh\n"), "link": Symlink("app.py")})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def clone(cloner: GitCloner, branch: str | None = None) -> list[str]:
    with cloner.clone(branch) as checkout:
        return sorted(path.name for path in checkout.workspace.iterdir())


def test_a_clone_is_the_default_branch_whatever_its_name(github: GitHubStandIn) -> None:
    github.push_commit("main", {"app.py": b"x = 9\n"})
    with cloner(github).clone(None) as checkout:
        assert checkout.base_sha == github.branch_head("trunk")
        assert (checkout.workspace / "app.py").read_bytes() == b"x = 1\n"
        assert (checkout.workspace / "run.sh").stat().st_mode & 0o111
        assert (checkout.workspace / "link").readlink() == Path("app.py")
        assert kept(checkout.changeset()) == {}


def test_a_named_branch_is_cloned(github: GitHubStandIn) -> None:
    head = github.push_commit("fix-DEMO-1", {"app.py": b"x = 2\n"})
    with cloner(github).clone("fix-DEMO-1") as checkout:
        assert checkout.base_sha == head
        assert (checkout.workspace / "app.py").read_bytes() == b"x = 2\n"


def test_a_clone_is_one_commit_deep_and_whole(github: GitHubStandIn) -> None:
    github.push_commit("trunk", {"app.py": b"x = 2\n"})
    with cloner(github).clone(None) as checkout:
        assert checkout.repository.text("rev-list", "--count", "HEAD") == "1"
        checkout.repository.run("fsck", "--connectivity-only")


def test_the_agents_git_directory_works_and_knows_no_remote(github: GitHubStandIn) -> None:
    with cloner(github).clone(None) as checkout:
        config = (checkout.workspace / ".git" / "config").read_text()
        assert "remote" not in config
        assert github.url not in config
        assert not (checkout.workspace / ".git").samefile(checkout.repository.git_dir)


def test_the_token_is_nowhere_in_what_is_cloned(github: GitHubStandIn) -> None:
    with cloner(github).clone(None) as checkout:
        job_folder = checkout.workspace.parent
        token = github.settings.read_token.encode()
        assert (checkout.workspace / ".git" / "config") in (found := list(files_below(job_folder)))
        assert not [path for path in found if not path.is_symlink() and token in path.read_bytes()]


class Watch(Faults):
    """Breaks nothing; looks at the command lines of every git that runs while a request is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes] = []

    def take(self, request: Request) -> Fault | None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:
                continue  # it has ended
            if b"git" in line:
                self.seen.append(line)
        return super().take(request)


def test_the_token_is_in_no_command_line_and_no_address(github: GitHubStandIn) -> None:
    github.faults = watch = Watch()
    clone(cloner(github))
    token = github.settings.read_token
    assert any(b"clone" in line and github.clone_url.encode() in line for line in watch.seen)
    assert not [line for line in watch.seen if token.encode() in line]
    assert not [request.target for request in github.requests if token in request.target]
    assert any("authorization" in request.headers for request in github.requests)


def test_the_token_does_not_follow_a_redirect_to_another_server(github: GitHubStandIn) -> None:
    challenge = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    with RawServer(sends(challenge)) as elsewhere:
        target = f"{elsewhere.url}/acme/shop.git/info/refs?service=git-upload-pack"
        github.faults.add(Fault("GET", "/info/refs", 302, {"Location": target}, b""))
        fails(JobFailed, lambda: clone(cloner(github)), [github.settings.read_token])
        assert elsewhere.requests
        assert not [request for request in elsewhere.requests if b"authorization" in request.lower()]


def test_the_cloner_does_not_print_its_token(github: GitHubStandIn) -> None:
    assert github.settings.read_token not in repr(cloner(github))


def test_an_empty_repository_has_nothing_to_work_on() -> None:
    with GitHubStandIn() as github:
        error = fails(JobFailed, lambda: clone(cloner(github)))
    assert "acme/shop has no commit yet" in str(error)


def test_an_unknown_repository_is_told_to_the_ticket(github: GitHubStandIn) -> None:
    error = fails(JobFailed, lambda: clone(cloner(github, repo="acme/nothing")))
    assert "no repository acme/nothing, or the read token may not see it" in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_told_to_the_ticket_and_not_shown(
    github: GitHubStandIn, status: int
) -> None:
    wrong = "ghs_wrong"
    if status == 403:
        github.faults.add(Fault("GET", "/info/refs", 403, times=9))
    error = fails(JobFailed, lambda: clone(cloner(github, wrong)), [wrong])
    assert "refused the read token for acme/shop" in str(error)


def test_a_branch_that_is_gone_is_planned_anew_by_the_next_delivery(github: GitHubStandIn) -> None:
    error = fails(TransientError, lambda: clone(cloner(github), "fix-DEMO-1"))
    assert "branch" in str(error)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", "/info/refs", 500),
        Fault("GET", "/info/refs", 503, times=9),
        Fault("GET", "/info/refs", 429, {"Retry-After": "3600"}),
        Fault("GET", "/info/refs", cut=True),
        Fault("POST", "/git-upload-pack", 502),
        Fault("POST", "/git-upload-pack", cut=True, when="after", times=9),
        Fault("POST", "/git-upload-pack", 200, body=b"0011half a pack"),
    ],
    ids=lambda fault: f"{fault.method}-{'cut' if fault.cut else fault.status}",
)
def test_a_server_that_fails_is_tried_again_later(github: GitHubStandIn, fault: Fault) -> None:
    github.faults.add(fault)
    fails(TransientError, lambda: clone(cloner(github)), [github.settings.read_token])


def test_nobody_listening_is_tried_again_later(github: GitHubStandIn) -> None:
    github.stop()
    fails(TransientError, lambda: clone(cloner(github)))


def test_a_repository_of_odd_things_is_cloned_and_shows_no_change(github: GitHubStandIn) -> None:
    blob = github.repository.blob(b"odd\n")
    names = (b"new\nline", b"lat\xefn", b'quo"te', b"back\\slash", b"-dash", "ünï".encode(), b"a b/c d")
    push_raw(
        github,
        {
            **dict.fromkeys(names, ("100644", blob)),
            b"vendor/lib": GITLINK,
            b"dangling": ("120000", github.repository.blob(b"/nowhere")),
            b"loop": ("120000", github.repository.blob(b"loop")),
            b"outside": ("120000", github.repository.blob(b"../../../../etc")),
        },
    )
    with cloner(github).clone(None) as checkout:
        changeset = checkout.changeset()
    assert (changeset.changes, changeset.blocked, changeset.diff) == ((), (), "")


def test_attributes_and_hooks_of_the_repository_run_nothing_and_change_nothing(
    github: GitHubStandIn, temporary: Path
) -> None:
    mark = temporary.parent / "ran"
    hook = Executable(f"#!/bin/sh\ntouch {mark}\n".encode())
    attributes = (
        b"* filter=evil ident\n*.txt text eol=crlf\n*.utf working-tree-encoding=UTF-16\n*.bin diff=evil"
    )
    config = f'[filter "evil"]\n\tsmudge = touch {mark}\n\tclean = touch {mark}\n'.encode()
    files = {".gitattributes": attributes, ".gitconfig": config, "a.txt": b"a\nb\n", "b.utf": b"x\n"}
    github.push_commit("trunk", {**files, "hooks/post-checkout": hook, "id": b"$Id$\n", "c.bin": b"\0"})
    with cloner(github).clone(None) as checkout:
        assert (checkout.workspace / "a.txt").read_bytes() == b"a\nb\n"
        assert kept(checkout.changeset()) == {}
    assert not mark.exists()


def test_everything_is_gone_when_the_job_fails(github: GitHubStandIn, temporary: Path) -> None:
    def work() -> None:
        with cloner(github).clone(None) as checkout:
            assert checkout.workspace.is_relative_to(temporary)
            raise JobFailed

    fails(JobFailed, work)
