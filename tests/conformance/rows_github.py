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
    _mention("a mention in emphasis", "_@octocat_"),
    _mention("a mention after a slash", "see /@octocat"),
    _mention("a mention after a letter", "é@octocat"),
    _mention("a mention as an entity", "&commat;octocat"),
    _mention("a mention behind an attribute", '<a title="`">@octocat <a title="`">'),
    _mention("a mention between comments", "words <!-- ` -->@octocat<!-- ` -->"),
    _mention("a mention behind autolinks", "<https://a.example/`>@octocat<https://a.example/`>"),
    _mention("a mention in a fence that is none", "words\n    ~~~\n    @octocat\n    ~~~"),
    _mention(
        "a mention in a fence of a block of HTML", "<div>\n```\n</div>\n\n@octocat\n\n<div>\n```\n</div>"
    ),
    _close("a keyword with an entity", "Closes &num;12"),
    _close("a keyword with a link", f"Closes [x]({_ISSUE})"),
    GitHubTrick("a picture", "![x](https://a.example/pixel.png?carried)", Effect.IMAGE),
    GitHubTrick("a picture by reference", "![x]\n\n[x]: https://a.example/pixel.png", Effect.IMAGE),
    GitHubTrick("a picture as HTML", '<img src="https://a.example/pixel.png?carried">', Effect.HTML),
    GitHubTrick("text that is hidden", "<details><summary>x</summary>\n\nhidden\n\n</details>", Effect.HTML),
    GitHubTrick("a comment that nobody sees", "<!-- hidden -->", Effect.HTML),
    GitHubTrick("a command with a slash", "/ok-to-test", Effect.COMMAND),
    GitHubTrick("a command after other words", "words\n/approve", Effect.COMMAND),
    GitHubTrick("a command of bors", "bors r+", Effect.COMMAND),
    GitHubTrick("no CI by the title", "Totals [skip ci]", Effect.SKIP, in_line=True),
)
