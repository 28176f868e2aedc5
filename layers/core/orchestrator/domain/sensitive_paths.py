"""Paths that act by themselves, by kind, and paths of everyday work that run code when somebody builds or tests."""

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.domain.repository_path import is_protected


class Kind(StrEnum):
    """What makes a path sensitive."""

    CI = "ci"
    HOOK = "hook"
    EDITOR = "editor"
    MACHINE = "machine"
    SOURCE = "source"
    BOT = "bot"
    WRAPPER = "wrapper"
    AGENT = "agent"
    GIT = "git"
    DEPLOY = "deploy"


REASONS: Mapping[Kind, str] = {
    Kind.CI: "it runs in CI, with what CI may do, as soon as the branch exists",
    Kind.HOOK: "it runs on the machine of whoever commits, pulls or checks out",
    Kind.EDITOR: "an editor runs it, or takes settings from it, when somebody opens the folder",
    Kind.MACHINE: "it runs on a developer's machine when a shell, tool or container is started in the folder",
    Kind.SOURCE: "it decides where packages come from or where credentials are sent",
    Kind.BOT: "it steers a bot or the settings of the repository",
    Kind.WRAPPER: "it is, or fetches, a program that the build starts",
    Kind.AGENT: "coding agents follow it as instructions, or start programs from it",
    Kind.GIT: "it changes what git fetches, stores or shows",
    Kind.DEPLOY: "a hosting service builds or deploys by it, without being asked again",
}
OTHER_REASON = "this deployment lists it as sensitive"
# Below `.github` everything but words for people: scripts, local actions and templates of CI that are not protected.
_BY_KIND: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(text.split())
    for kind, text in {
        Kind.CI: """
            .gitlab-ci.yml .gitlab-ci.yaml **/.gitlab/ci/** Jenkinsfile* *.jenkinsfile .jenkins/ .circleci/
            azure-pipelines*.yml azure-pipelines*.yaml .azure-pipelines/ .azuredevops/ .travis.yml
            bitbucket-pipelines.yml .drone.yml .drone.yaml .drone.star .drone.jsonnet .buildkite/
            cloudbuild.yaml cloudbuild.yml cloudbuild.json buildspec*.yml buildspec*.yaml appveyor.yml
            .appveyor.yml .woodpecker.yml .woodpecker.yaml .woodpecker/ .tekton/ .teamcity/
            .semaphore/ .cirrus.yml .cirrus.star .forgejo/ .gitea/ .harness/ .concourse/
            .builds/ .build.yml codefresh.yml wercker.yml bitrise.yml codemagic.yaml .sourcehut/
            screwdriver.yaml .zuul.yaml .zuul.d/ prow.yaml .earthly/ Earthfile .github/**
            !.github/**/*.md !.github/ISSUE_TEMPLATE/** !.github/PULL_REQUEST_TEMPLATE/**
            !.github/FUNDING.yml
        """,
        Kind.HOOK: """
            .husky/ .githooks/ .git-hooks/ hooks/pre-* hooks/post-* .pre-commit-config.yaml
            .pre-commit-config.yml .pre-commit-hooks.yaml lefthook*.yml lefthook*.yaml lefthook*.toml
            .lefthook* .lefthook/ .overcommit.yml .lintstagedrc* lint-staged.config.* .captainhook.json
            captainhook.json .simple-git-hooks.* simple-git-hooks.*
        """,
        Kind.EDITOR: """
            .vscode/ *.code-workspace .idea/ .fleet/ .zed/ .vs/ .nvim.lua .nvimrc .exrc .vimrc
            .lvimrc .dir-locals.el .dir-locals-2.el .sublime-project *.sublime-project .theia/
            .settings/
        """,
        Kind.MACHINE: """
            .devcontainer/ .devcontainer.json .gitpod.yml .gitpod.Dockerfile .gitpod/ devfile.yaml
            .devfile.yaml .envrc .envrc.* .autoenv .autoenv.zsh .mise.toml mise.toml .mise/ .tool-versions
            .rtx.toml devbox.json .bashrc .bash_profile .zshrc .zshenv .profile .gdbinit .lldbinit .pythonrc
            sitecustomize.py usercustomize.py .Rprofile .irbrc .pryrc .psqlrc .inputrc .jupyter/
            .ipython/
        """,
        Kind.SOURCE: """
            .npmrc .yarnrc .yarnrc.yml **/.yarn/releases/** **/.yarn/plugins/** .pnpmfile.cjs pnpmfile.js .pypirc
            pip.conf pip.ini .pip/ .condarc **/.bundle/config .cargo/ nuget.config .m2/** .curlrc .wgetrc
            .netrc .gemrc .composer/ /auth.json .sbt/ .ivy2/** .bazelrc .bazeliskrc
        """,
        Kind.BOT: """
            .github/dependabot.y*ml .github/settings.yml .github/renovate* renovate.json* .renovaterc*
            .mergify.yml .github/mergify.yml .mergify/ .kodiak.toml .bulldozer.yml .policy.yml .probot/
            .prow/ OWNERS OWNERS_ALIASES .asf.yaml .bors.toml bors.toml .pullapprove.yml
            .sonarcloud.properties .releaserc* .goreleaser.y*ml
        """,
        Kind.WRAPPER: """
            gradle-wrapper.jar gradle-wrapper.properties gradlew gradlew.bat init.gradle init.gradle.kts
            .mvn/ mvnw mvnw.cmd sbt-launch*.jar wrapper.cmd .bazelversion bazelisk* .sdkmanrc
        """,
        Kind.AGENT: """
            CLAUDE.md CLAUDE.local.md AGENTS.md AGENTS.override.md AGENT.md GEMINI.md .gemini/ .cursor/
            .cursorrules .cursorignore .windsurf/ .windsurfrules .clinerules .clinerules/ .roo/
            .roorules .continue/ .aider* .codex/ .kiro/ .junie/ .amazonq/ .augment/ .goosehints
            .openhands/ .agents/ .opencode/ opencode.json* .github/copilot-instructions.md
            .github/instructions/** .github/prompts/** .github/agents/** .github/chatmodes/** mcp.json
            .rules
        """,
        Kind.GIT: """
            .gitmodules .gitattributes .lfsconfig .gitconfig .gitallowed
        """,
        Kind.DEPLOY: """
            vercel.json netlify.toml render.yaml fly.toml Procfile .platform.app.yaml .platform/ .do/
            wrangler.toml wrangler.json* amplify.yml .ebextensions/ apprunner.yaml railway.json
            railway.toml firebase.json .readthedocs.y*ml
        """,
    }.items()
}
# Kinds with a narrower meaning are looked at first: `.github/dependabot.yml` steers a bot and is below `.github`.
_ORDER = (
    Kind.BOT,
    Kind.AGENT,
    Kind.HOOK,
    Kind.EDITOR,
    Kind.MACHINE,
    Kind.SOURCE,
    Kind.WRAPPER,
    Kind.GIT,
    Kind.DEPLOY,
    Kind.CI,
)
# The exceptions below `.github` come right after it, and what is an exception there can still be of another kind.
SENSITIVE = tuple(pattern for kind in reversed(_ORDER) for pattern in _BY_KIND[kind])
# Listed in the pull request, and not held back: most changes of a program touch one of them.
EVERYDAY = tuple(
    """
    package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-workspace.yaml
    bun.lock* deno.json* deno.lock [Mm]akefile* GNUmakefile *.mk [Jj]ustfile Taskfile.y*ml setup.py
    setup.cfg pyproject.toml conftest.py tox.ini pytest.ini noxfile.py tasks.py requirements*.txt
    Pipfile* poetry.lock uv.lock pdm.lock CMakeLists.txt *.cmake configure configure.ac meson.build
    *.gradle *.gradle.kts gradle.properties pom.xml build.xml build.sbt build.sc Gemfile* Rakefile
    *.gemspec Cargo.toml Cargo.lock build.rs go.mod go.sum composer.json composer.lock *.csproj *.fsproj
    *.vbproj *.vcxproj *.sln *.targets *.props Directory.Build.* Package.swift Podfile* mix.exs mix.lock
    rebar.config stack.yaml *.cabal BUILD BUILD.bazel WORKSPACE* MODULE.bazel* gulpfile.* Gruntfile.*
    webpack.config.* vite.config.* vitest.config.* rollup.config.* babel.config.* jest.config.*
    playwright.config.* karma.conf.* [Dd]ockerfile* *.dockerfile docker-compose*.y*ml compose.y*ml *.tf
    flake.nix shell.nix devenv.nix Vagrantfile
    """.split()  # noqa: SIM905  # a table is read in rows
)


def path_reason(path: str, patterns: tuple[str, ...], *, is_link: bool = False) -> str | None:
    """Why the path is sensitive in this deployment, None if it is not."""
    if not is_protected(path, patterns, is_link=is_link):
        return None
    kinds = (kind for kind in _ORDER if is_protected(path, _BY_KIND[kind], is_link=is_link))
    kind = next(kinds, None)
    return OTHER_REASON if kind is None else REASONS[kind]


def is_everyday(path: str) -> bool:
    """Whether the file runs code, or decides which code runs, when somebody builds or tests."""
    return is_protected(path, EVERYDAY)
