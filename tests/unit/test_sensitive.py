"""What is published as a draft only: by path, by mode, and by content."""

import pytest

from orchestrator.domain.changeset import FileChange, FileMode
from orchestrator.domain.publishable import PROTECTED
from orchestrator.domain.repository_path import is_protected
from orchestrator.domain.sensitive import (
    BIDI_REASON,
    BINARY_REASON,
    INVISIBLE_REASON,
    PROGRAM_REASON,
    Base,
    SensitiveRules,
    draft_note,
    everyday_line,
    opening,
)
from orchestrator.domain.sensitive_paths import OTHER_REASON, SENSITIVE, is_everyday, path_reason

RUN_BY_THEMSELVES = """
.gitlab-ci.yml .gitlab-ci.yaml Jenkinsfile ci/Jenkinsfile.release .circleci/config.yml azure-pipelines.yml
azure-pipelines-nightly.yaml .azure-pipelines/build.yml .travis.yml bitbucket-pipelines.yml .drone.yml .drone.star
.buildkite/pipeline.yml cloudbuild.yaml buildspec.yml appveyor.yml .appveyor.yml .woodpecker.yml .woodpecker/test.yml
.tekton/push.yaml .teamcity/settings.kts .semaphore/semaphore.yml .cirrus.yml .gitea/workflows/ci.yml
.forgejo/workflows/ci.yml .github/scripts/build.sh .github/release.yml .husky/pre-commit .githooks/post-checkout
hooks/pre-commit .pre-commit-config.yaml .pre-commit-hooks.yaml lefthook.yml .lefthook.toml .overcommit.yml
.lintstagedrc.json .vscode/tasks.json .vscode/settings.json .vscode/launch.json packages/a/.vscode/extensions.json
my.code-workspace .idea/workspace.xml .idea/runConfigurations/x.xml .zed/tasks.json .exrc .nvimrc .dir-locals.el
.devcontainer/devcontainer.json .devcontainer.json .gitpod.yml devfile.yaml .envrc sub/.envrc .mise.toml
.tool-versions .gdbinit sitecustomize.py .npmrc packages/a/.npmrc .yarnrc .yarnrc.yml .yarn/releases/yarn-4.cjs
.yarn/plugins/p.cjs .pnpmfile.cjs .pypirc pip.conf .cargo/config.toml NuGet.Config .m2/settings.xml .bazelrc .netrc
.github/dependabot.yml .github/settings.yml renovate.json .renovaterc.json .github/renovate.json5 .mergify.yml
OWNERS .releaserc gradle/wrapper/gradle-wrapper.jar gradle/wrapper/gradle-wrapper.properties gradlew gradlew.bat
.mvn/wrapper/maven-wrapper.jar .mvn/extensions.xml mvnw mvnw.cmd CLAUDE.md sub/CLAUDE.md AGENTS.md GEMINI.md
.cursor/rules/x.mdc .cursor/mcp.json .cursorrules .windsurfrules .clinerules .github/copilot-instructions.md
.github/instructions/x.instructions.md .github/prompts/x.prompt.md .aider.conf.yml .codex/config.toml
.kiro/steering/x.md .gitmodules .lfsconfig docs/.gitattributes vercel.json netlify.toml Procfile
""".split()  # noqa: SIM905  # a table is read in rows
NOTHING = Base(content=lambda _: None, is_executable=lambda _: False)


def reasons(content: bytes, path: str = "a.py", base: bytes | None = None, limit: int = 1_000) -> list[str]:
    """Why one file with that content is sensitive."""
    rules = SensitiveRules((".never",), binary_bytes=limit)
    asked = Base(content=lambda _: base, is_executable=lambda _: False)
    change = FileChange.written(path, FileMode.REGULAR, content)
    return [one.reason for one in rules.in_change((change,), asked)]


@pytest.mark.parametrize("path", RUN_BY_THEMSELVES)
def test_what_runs_by_itself_is_never_published_unseen(path: str) -> None:
    assert path_reason(path, SENSITIVE) or is_protected(path, PROTECTED)
    assert path_reason(path.upper(), SENSITIVE) or is_protected(path.upper(), PROTECTED)


def test_there_are_as_many_of_them_as_the_review_named() -> None:
    assert len(RUN_BY_THEMSELVES) >= 89


@pytest.mark.parametrize(
    "path",
    [
        "src/main.py", "README.md", "package.json", "Makefile", "setup.py", "conftest.py", "pom.xml", "uv.lock",
        ".gitignore", ".github/README.md", ".github/ISSUE_TEMPLATE/bug.yml", "docs/agents.md.txt",
        "vscode/tasks.json", "src/hooks/pre-commit.ts", "Dockerfile", "tests/claude.py",
    ],
)  # fmt: skip
def test_everyday_work_is_not_held_back(path: str) -> None:
    assert path_reason(path, SENSITIVE) is None


@pytest.mark.parametrize(
    "path",
    ["package.json", "a/package.json", "Makefile", "makefile", "setup.py", "tests/conftest.py", "build.gradle.kts",
     "requirements-dev.txt", "Cargo.lock", "Dockerfile", "x/CMakeLists.txt"],
)  # fmt: skip
def test_build_files_are_named_in_the_pull_request(path: str) -> None:
    assert is_everyday(path)
    assert f"`{path}`" in everyday_line((FileChange.deleted(path),))


@pytest.mark.parametrize("path", [".vscode", ".husky", "a/.devcontainer", ".github"])
def test_a_link_counts_as_the_folder_it_may_stand_for(path: str) -> None:
    assert path_reason(path, SENSITIVE, is_link=True)


@pytest.mark.parametrize(
    ("path", "word"),
    [(".gitlab-ci.yml", "CI"), (".husky/x", "commits"), (".vscode/x", "editor"), ("CLAUDE.md", "agents"),
     (".npmrc", "packages"), (".github/dependabot.yml", "bot"), (".github/x.sh", "CI"), (".gitmodules", "git")],
)  # fmt: skip
def test_each_kind_has_its_own_reason(path: str, word: str) -> None:
    assert word in str(path_reason(path, SENSITIVE))


def test_the_deployments_own_paths_take_the_place_of_ours() -> None:
    assert path_reason("infra/main.tf", ("infra/",)) == OTHER_REASON
    assert path_reason(".gitlab-ci.yml", ("infra/",)) is None
    assert path_reason("CLAUDE.md", ("CLAUDE.md",)) != OTHER_REASON


def test_a_deletion_of_a_sensitive_file_counts() -> None:
    found = SensitiveRules().in_change((FileChange.deleted(".pre-commit-config.yaml"),), NOTHING)
    assert [one.path for one in found] == [".pre-commit-config.yaml"]


@pytest.mark.parametrize(
    "start", [b"\x7fELF\x02\x01", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xca\xfe\xba\xbe"]
)
def test_a_compiled_program_is_sensitive_whatever_its_mode_and_size(start: bytes) -> None:
    assert reasons(start + b"\0") == [PROGRAM_REASON]


def test_a_binary_file_is_sensitive_above_the_limit_only() -> None:
    assert reasons(b"\x89PNG\0" + b"x" * 2_000) == [BINARY_REASON]
    assert reasons(b"\x89PNG\0" + b"x" * 500) == []
    assert reasons(b"x = 1\n" * 2_000) == []


@pytest.mark.parametrize(
    "character", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"]
)
def test_text_that_runs_in_another_order_than_it_shows_is_sensitive(character: str) -> None:
    assert reasons(f"if x:{character} # ok\n".encode()) == [BIDI_REASON]


@pytest.mark.parametrize("character", [*"\u200b\u2060\u00ad\ufeff\u3164\U000e0041", "a\u200db"])
def test_characters_that_nobody_sees_are_sensitive(character: str) -> None:
    assert reasons(f"x = 1{character}\n".encode()) == [INVISIBLE_REASON]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffx = 1\n",
        "naïve = 'Ä'\n",
        "👩\u200d💻 ✔\ufe0f\n",
        "\u0645\u06cc\u200c\u062e\u0648\n",
        "a\x0cb\té\n",
    ],
)
def test_text_as_people_write_it_is_not(text: str) -> None:
    assert reasons(text.encode()) == []


def test_only_added_lines_count() -> None:
    old = "x = 1\u202e\n".encode()
    assert reasons(old + b"y = 2\n", base=old) == []
    assert reasons(old + "z\u202e\n".encode(), base=old) == [BIDI_REASON]


def test_the_pull_request_begins_with_the_files_and_the_ticket_names_them() -> None:
    changes = (FileChange.deleted(".envrc"), FileChange.deleted("`@x`/CLAUDE.md"))
    found = SensitiveRules().in_change(changes, NOTHING)
    text = opening(found)
    assert text.startswith("**This pull request is a draft because")
    assert "- `.envrc`: it runs on a developer's machine" in text
    assert "`\u02cb@x\u02cb/CLAUDE.md`" in text
    assert "- `.envrc`: " in draft_note(found)
    assert (opening(()), draft_note(()), everyday_line(())) == ("", "", "")


def test_a_long_list_is_cut() -> None:
    found = SensitiveRules().in_change(
        tuple(FileChange.deleted(f"{number}/.envrc") for number in range(200)), NOTHING
    )
    assert "and 150 more" in opening(found)
    assert "and 190 more" in draft_note(found)
