"""Attacks by the answer on GitHub: what the pull request, its commit and the review are made of."""

from dataclasses import dataclass

from tests.conformance.github_text import Effect


@dataclass(frozen=True)
class GitHubTrick:
    """Text of an answer, and what it does on GitHub if it arrives as it is. `in_line` is for a title or a commit."""

    name: str
    text: str
    effect: Effect
    in_line: bool = False

    @property
    def paragraphs(self) -> str:
        """The text between others, as an answer has it."""
        return f"Some words.\n\n{self.text}\n\nSome more."


def _mention(name: str, text: str) -> GitHubTrick:
    return GitHubTrick(name, text, Effect.MENTION)


def _close(name: str, text: str) -> GitHubTrick:
    return GitHubTrick(name, text, Effect.CLOSE)


_ISSUE = "https://github.com/acme/shop/issues/12"
TRICKS = (
    _mention("a mention", "Ask @octocat about it."),
    _mention("a mention of a team", "(@acme/owners)"),
    _mention("a mention after a code span", "`code` @octocat"),
    _mention("a mention in a table", "| a | b |\n|---|---|\n| x | @octocat |"),
    _mention("a mention in a heading", "# @octocat"),
    _close("a keyword", "Closes #12"),
    _close("a keyword with a repository", "Fixes: acme/shop#12"),
    _close("a keyword with the old form", "resolved GH-12"),
    _close("a keyword with an address", f"Fixes {_ISSUE}"),
    GitHubTrick("a mention in a title", "@octocat", Effect.MENTION, in_line=True),
    GitHubTrick("a keyword in a title", "Closes #12", Effect.CLOSE, in_line=True),
    GitHubTrick("a command of dependabot", "@dependabot merge", Effect.COMMAND),
    GitHubTrick("no CI by a trailer", "Totals\n\nskip-checks: true", Effect.SKIP, in_line=True),
)
