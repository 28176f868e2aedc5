"""What GitHub and bots would act upon in a text, judged by GitHub's own renderer and by patterns of its own.

The judge shares no parser and no pattern with the code: cmark-gfm renders, `html.parser` reads what it made.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
BLOCKS = {"p", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "td", "th", "tr", "table"}
BLOCKS |= {"pre", "hr", "thead", "tbody"}
PLAIN = BLOCKS | {"code", "a", "strong", "em", "del", "br", "input"}
ATTRIBUTES = {"href", "align", "type", "disabled", "checked", "lang", "class", "start"}
NAME = re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9]")
REFERENCE = re.compile(r"#[0-9]|(?<![A-Za-z0-9])GH-[0-9]", re.IGNORECASE)
KEYWORD = re.compile(r"(?<![A-Za-z])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[^A-Za-z0-9]*$", re.IGNORECASE)
ISSUE = re.compile(r"/(?:issues|pull)/\d")
COMMAND = re.compile(
    r"\s*(?:[/!.][A-Za-z]|(?:bors|lgtm|rebase|recheck|retest|dependabot|r\+)\b|ok to test|test this|co-authored-by:)",
    re.IGNORECASE,
)
RAW = re.compile(
    r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|\*\*\*NO_CI\*\*\*|skip-checks:\s*true"
    r"|<!--\s*alm-|@(?:dependabot|mergifyio|bors|claude)",
    re.IGNORECASE,
)
RAW_LINE = re.compile(r"\s*/[A-Za-z][\w-]*(?:\s|$)")


@dataclass
class Judge(HTMLParser):
    """Reads one rendered text; `found` names everything that would act."""

    found: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    block: str = ""
    shown: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in PLAIN or not {name for name, _ in attrs} <= ATTRIBUTES:
            self.found.append(f"tag {tag} {attrs}")
        if dict(attrs).get("lang") in {"suggestion", "mermaid", "math"}:
            self.found.append(f"active code {attrs}")
        href = dict(attrs).get("href") or ""
        if tag == "a" and ISSUE.search(href) and KEYWORD.search(self.block):
            self.found.append(f"keyword before {href}")
        if tag in BLOCKS:
            self._end_of_block()
        if tag == "br":
            self.block += "\n"
        elif tag not in {"hr", "input"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._end_of_block()
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"declaration {decl}")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"declaration {data}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"instruction {data}")

    def handle_data(self, data: str) -> None:
        self.shown += data
        if {"pre", "code"} & {*self.inside}:
            self.block += "`code`"
            return
        # A bare address is no sentence: a word at its end is no keyword.
        self.block += "address" if "a" in self.inside and data.startswith(("http", "www.")) else data
        if "a" not in self.inside:
            acting = (*NAME.finditer(data), *REFERENCE.finditer(data))
            self.found += [f"acts: {data[one.start() - 5 : one.end() + 9]}" for one in acting]

    def _end_of_block(self) -> None:
        commands = [line for line in self.block.split("\n") if COMMAND.match(line)]
        self.found += [f"command: {line[:30]}" for line in commands]
        self.block = ""


def rendered(markdown: str) -> str:
    """The HTML that GitHub's renderer makes, before anything is taken out of it."""
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, OPTIONS))


def judge(markdown: str) -> list[str]:
    """Everything in the text that GitHub or a bot would act upon."""
    reader = Judge()
    reader.feed(rendered(markdown))
    reader.close()
    raw = [f"raw: {one[0]}" for one in RAW.finditer(markdown)]
    lines = [f"raw line: {line}" for line in markdown.split("\n") if RAW_LINE.match(line)]
    return reader.found + raw + lines


def shown(markdown: str) -> str:
    """What a reader sees of it."""
    reader = Judge()
    reader.feed(rendered(markdown))
    return reader.shown
