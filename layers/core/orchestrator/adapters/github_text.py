"""Text on which neither GitHub nor a bot acts: names, references, closing keywords, CI markers, commands.

GitHub reads rendered text and, in titles and commit messages, raw text. A squash merge turns a pull request's
description into a commit message. Other bots read raw lines, also inside code blocks. In text, one U+200B breaks what
any of them would act upon: readers do not see it and no pattern skips it. In code, a backslash does, which readers
see, because code that people copy must not hold invisible characters.
"""

import re

from orchestrator.domain.untrusted import one_line

BREAK = "\u200b"
IN_CODE = "\\"

_KEYWORD = r"(?<![A-Za-z])(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))"
_STEM = r"(?<![A-Za-z])(?:clo(?=s)|fi(?=x)|reso(?=lv))(?=(?:s|x|lv)(?:e[sd]?|ing)?[^A-Za-z0-9]{0,40}"
_SKIP = r"\[(?=[^\[\]\n]{0,40}\])(?=[^\[\]\n]{0,40}(?:skip|\bno[ _-]?ci\b))"
# https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_ACTED_UPON = re.compile(
    rf"""
    @(?!\s)(?!(?<=[A-Za-z0-9]@)[A-Za-z0-9-]{{1,63}}\.[A-Za-z])  # a name, unless it is an e-mail address
    | \#(?=\w) | (?<![A-Za-z0-9])GH-(?=\d)
    | {_SKIP} | NO_(?=CI(?![A-Za-z])) | (?:skip|request)-(?=checks)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_KEYWORD_AT_END = re.compile(rf"{_STEM}$)", re.IGNORECASE)
_KEYWORD_BEFORE_ADDRESS = re.compile(rf"{_STEM}https?://)", re.IGNORECASE)

_BOTS = (
    r"(?:bors|claude|codex|coderabbitai|copilot|cursor(?:agent)?|dependabot|devin|gemini|homu|jules|mergify(?:io)?|"
    r"openhands(?:-agent)?|renovate(?:bot)?|rustbot|[a-z0-9-]{1,30}[-_]?bot)(?![a-z0-9])"
)
_WORDS = (
    r"jenkins|buildkite|bazel-io|azp|cc|lgtm|ship ?it|approved?|(?:auto)?-?merge|squash|rebase|backport|deploy"
    r"|re-?(?:check|test|verify|build|run)|ok to test|test this|add to whitelist|cherry-?pick|[a-z-]{2,20}-by:"
    r"|run (?:all|ci|e2e|integration|tests?|buildkite)"
)
# A word that begins with a sign, or one of the words that bots take without a sign.
COMMAND = re.compile(
    rf"[/!.?%+~;][A-Za-z]|[+-][12](?!\w)|r[?+=]|(?:{_BOTS}|{_WORDS})(?![a-z0-9])", re.IGNORECASE
)
_IN_SPAN = (
    rf"{_SKIP}|\*NO_(?=CI\*)|@(?={_BOTS})|<!(?=--\s*alm-)|skip-(?=checks:\s{{0,9}}true)"
    rf"|{_KEYWORD}:?\s{{1,9}}(?=[\w./-]{{0,100}}\#\d|GH-\d|https?://)"
)
_MARKER = re.compile(_SKIP, re.IGNORECASE)
_SPAN = re.compile(_IN_SPAN, re.IGNORECASE)
_BLOCK = re.compile(
    rf"^[ \t]*(?=/[a-z][\w-]{{0,60}}(?:[ \t]|$)|(?:bors|homu)[ \t])|{_IN_SPAN}",
    re.IGNORECASE | re.MULTILINE,
)


def break_references(text: str, *, before_link: bool = False) -> str:
    """The text with everything broken up that GitHub acts upon; a closing keyword if a link follows the text."""
    broken = _ACTED_UPON.sub(rf"\g<0>{BREAK}", text)
    return _KEYWORD_AT_END.sub(rf"\g<0>{BREAK}", broken) if before_link else broken


def is_marker(words: str) -> bool:
    """Whether the words are a CI marker once they stand in brackets."""
    return _MARKER.match(f"[{words}]") is not None


def guard_block(code: str) -> str:
    """The lines of a code block, a backslash in all that somebody acts upon even in code."""
    return _BLOCK.sub(rf"\g<0>{re.escape(IN_CODE)}", code)


def guard_span(code: str) -> str:
    """The same for code within a line, which begins no line."""
    return _SPAN.sub(rf"\g<0>{re.escape(IN_CODE)}", code)


def plain_line(text: str, limit: int) -> str:
    """A title, which is a commit's first line too: one line without Markdown, whose last word stays if it is cut."""
    line = one_line(text, limit)
    guarded = f"{BREAK}{line}" if COMMAND.match(line) else line
    broken = _KEYWORD_BEFORE_ADDRESS.sub(rf"\g<0>{BREAK}", break_references(guarded))
    if len(broken) <= limit:
        return broken
    last = f" {broken.rpartition(' ')[2][-60:]}"
    return f"{broken[: limit - len(last) - 1]}…{last}"
