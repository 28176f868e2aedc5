"""Markdown samples, kind and nasty, as data: what an agent or an attacker could write. No tests here.

`keeps` are strings that must be readable after the conversion; every sample must give a valid document.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One Markdown text and what of it a reader must still see."""

    name: str
    markdown: str
    keeps: tuple[str, ...] = ()


PLAIN = (
    Sample("empty", ""),
    Sample("spaces only", "  \n\t\n   "),
    Sample("one word", "hello", ("hello",)),
    Sample("two paragraphs", "one\n\ntwo", ("one", "two")),
    Sample("soft break", "first line\nsecond line", ("first line", "second line")),
    Sample("hard break by spaces", "first  \nsecond", ("first", "second")),
    Sample("hard break by backslash", "first\\\nsecond", ("first", "second")),
    Sample("windows line ends", "one\r\n\r\n- two\r\n- three\r\n", ("one", "two", "three")),
    Sample("old mac line ends", "one\r\rtwo", ("one", "two")),
    Sample("all headings", "\n\n".join(f"{'#' * n} level {n}" for n in range(1, 8)), ("level 1", "level 7")),
    Sample("setext headings", "Title\n=====\n\nSub\n---\n\ntext", ("Title", "Sub", "text")),
    Sample("empty heading", "#\n\n## \n", ()),
    Sample("heading with marks", "# a **b** `c` [d](https://x.example)", ("a ", "b", "c", "d")),
    Sample("rules", "a\n\n---\n\n***\n\n___\n\nb", ("a", "b")),
    Sample("escapes", r"\*not em\* \# \[x\] \<b\> \\ 5 \* 3", ("*not em*", "[x]", "<b>", "5 * 3")),
    Sample("entities", "&lt;b&gt; &amp; &copy; &#64;user &nbsp;", ("<b>", "&", "©", "@user")),
    Sample("emoji", "👍 done :tada: 👨‍👩‍👧‍👦", ("👍", ":tada:", "👨‍👩‍👧‍👦")),
    Sample("right to left", "שלום **עולם** \u200fمرحبا\u200e", ("שלום", "עולם", "مرحبا")),  # noqa: RUF001 - Arabic is meant
    Sample("zero width", "a\u200bb\ufeffc\u2060d", ("a<U+200B>b<U+FEFF>c<U+2060>d",)),
    Sample(
        "braces and templates",
        "{{ config }} {% if x %} ${HOME} {panel}",
        ("{{ config }}", "${HOME}", "{panel}"),
    ),
    Sample("control characters", "bell\x07 null\x00 escape\x1b[31m end", ("bell", "null", "[31m end")),
    Sample("lone surrogate", "broken \ud83d here", ("broken ", " here")),
    Sample("very long line", "word " * 8000, ("word word",)),
    Sample("very long word", "x" * 40_000, ("x" * 1000,)),
    Sample("front matter", "---\ntitle: x\n---\n\nbody", ("title: x", "body")),
)

MARKS = (
    Sample("strong and em", "**s** *e* __S__ _E_ ***both***", ("s", "e", "S", "E", "both")),
    Sample("strike", "~~gone~~ and ~one~", ("gone", "one")),
    Sample("marks in marks", "**a *b ~~c~~ `d`* e**", ("a ", "b ", "c", "d", " e")),
    Sample("code in strong", "**`x = 1`** and *`y`* and ~~`z`~~", ("x = 1", "y", "z")),
    Sample("code in link", "[`call()`](https://x.example/doc)", ("call()",)),
    Sample("strong in link in em", "*see [**this**](https://x.example) now*", ("see ", "this", " now")),
    Sample("same mark twice", "**a **b** c** *x *y* z*", ("a", "b", "c", "x", "y", "z")),
    Sample("code with backticks", "`` a ` b `` and ``` `` ```", ("a ` b", "``")),
    Sample("code with spaces", "` x ` and `` ` ``", ("x", "`")),
    Sample("empty code", "`` `` and ` `", ("and",)),
    Sample("unclosed marks", "**open *and `never", ("**open", "never")),
    Sample("intraword", "snake_case_name 2*3*4 __init__", ("snake_case_name", "init")),
    Sample("many stars", "*" * 3000 + "a" + "*" * 3000, ("a",)),
    Sample("deep emphasis", "*a **b " * 300 + "c" + "** d*" * 300, ("c",)),
    Sample("hard break in strong", "**a  \nb**", ("a", "b")),
)

LINKS = (
    Sample("link", "[text](https://x.example/p?q=1#f)", ("text",)),
    Sample("link with title", '[text](https://x.example "the title")', ("text",)),
    Sample("link by reference", "[text][r] and [r]\n\n[r]: https://x.example", ("text", "r")),
    Sample("autolink", "<https://x.example> <me@x.example>", ("https://x.example", "me@x.example")),
    Sample("bare address", "see https://x.example/a_b_c, ok", ("https://x.example/a_b_c",)),
    Sample("mailto", "[mail](mailto:a@x.example)", ("mail",)),
    Sample("javascript link", "[click me](javascript:alert(1))", ("click me",)),
    Sample(
        "javascript in disguise",
        "[a](JaVaScRiPt:alert(1)) [b](java&#115;cript:x) [c]( javascript:x)",
        ("a", "b"),
    ),
    Sample("javascript autolink", "<javascript:alert(1)>", ("javascript:alert(1)",)),
    Sample("data link", "[d](data:text/html;base64,PHNjcmlwdD4=)", ("d",)),
    Sample("file and vb links", "[f](file:///etc/passwd) [v](vbscript:x)", ("f", "v")),
    Sample("relative links", "[up](../src/a.py) [anchor](#x) [abs](/browse/A-1)", ("up", "anchor", "abs")),
    Sample("protocol relative", "[p](//evil.example/x)", ("p",)),
    Sample("empty link", "[](https://x.example) [t]()", ("t",)),
    Sample("link with brackets", r"[a [b] c](https://x.example) [x\](y)", ("a ", "b", " c")),
    Sample("link in link", "[a [b](https://b.example) c](https://a.example)", ("a", "b", "c")),
    Sample("link with spaces", "[a](<https://x.example/a b>) [c](https://x.example/ d)", ("a", "c")),
    Sample("many brackets", "[" * 2000 + "x" + "](" * 2000, ("x",)),
    Sample("image", "![a chart](https://x.example/c.png)", ("a chart",)),
    Sample("image alone without alt", "![](https://x.example/c.png)", ("https://x.example/c.png",)),
    Sample("image in text", "before ![alt](x.png) after", ("before", "alt", "after")),
    Sample("image in link", "[![badge](https://x.example/b.svg)](https://x.example)", ("badge",)),
    Sample("image with javascript", "![x](javascript:alert(1))", ("x",)),
    Sample("image in list", "- ![pic](https://x.example/p.png)\n- two", ("pic", "two")),
    Sample("smart link bait", "https://site.example/browse/ABC-1", ("https://site.example/browse/ABC-1",)),
)

LISTS = (
    Sample("bullets", "- a\n* b\n+ c", ("a", "b", "c")),
    Sample("ordered", "1. a\n2. b", ("a", "b")),
    Sample("ordered from zero", "0. a\n1. b", ("a", "b")),
    Sample("ordered from big", "999999999. a", ("a",)),
    Sample("ordered by bracket", "7) a\n8) b", ("a", "b")),
    Sample("nested lists", "- a\n  - b\n    1. c\n       - d\n- e", ("a", "b", "c", "d", "e")),
    Sample("loose list", "- a\n\n  more\n\n- b", ("a", "more", "b")),
    Sample("empty items", "-\n- a\n-\n", ("a",)),
    Sample("list starts with list", "- - - x", ("x",)),
    Sample("code in list", "1. run\n\n   ```sh\n   make\n   ```\n2. done", ("run", "make", "done")),
    Sample("heading in list", "- # Big\n- text\n\n  ## Small", ("Big", "text", "Small")),
    Sample("quote in list", "- a\n  > quoted\n- b", ("a", "quoted", "b")),
    Sample(
        "table in list", "- a\n\n  | h1 | h2 |\n  |---|---|\n  | c1 | c2 |", ("a", "h1", "h2", "c1", "c2")
    ),
    Sample("rule in list", "- a\n\n  ***\n\n  b", ("a", "b")),
    Sample("tasks", "- [ ] todo\n- [x] done\n- [X] also", ("todo", "done", "also")),
    Sample("nested tasks", "- [ ] a\n  - [x] b\n    - [ ] c\n- [ ] d", ("a", "b", "c", "d")),
    Sample("tasks mixed with bullets", "- [ ] a\n- b\n- [x] c", ("a", "b", "c")),
    Sample("bullets in a task", "- [ ] a\n  - b\n- [x] c", ("a", "b", "c")),
    Sample("paragraphs in a task", "- [ ] a\n\n  more\n\n  ```\n  code\n  ```", ("a", "more", "code")),
    Sample("ordered tasks", "1. [ ] a\n2. [x] b", ("a", "b")),
    Sample("tasks with marks", "- [ ] **a** `b` [c](https://x.example)", ("a", "b", "c")),
    Sample("not quite tasks", "- [] a\n- [y] b\n- [ ]\n- [x]c", ("a", "b", "c")),
    Sample("tasks inside bullets", "- a\n  - [ ] b\n- c", ("a", "b", "c")),
    Sample("deep list", "\n".join("  " * n + f"- level{n}" for n in range(60)), ("level0", "level59")),
    Sample("deep list on one line", "- " * 2000 + "bottom", ("bottom",)),
)

BLOCKS = (
    Sample("fence", "```python\nprint(1)\n```", ("print(1)",)),
    Sample("fence without language", "```\nx\n```", ("x",)),
    Sample("empty fence", "```js\n```", ()),
    Sample("tilde fence", "~~~ruby\nputs 1\n~~~", ("puts 1",)),
    Sample("fence with backticks in it", "````md\n```\ninner\n```\n````", ("```\ninner\n```",)),
    Sample("fence with info", '```python title="a.py" {1,2}\nx\n```', ("x",)),
    Sample("unclosed fence", "```python\nnever closed", ("never closed",)),
    Sample("indented code", "text\n\n    x = 1\n      y = 2\n", ("x = 1\n  y = 2",)),
    Sample(
        "fence with markup in it", "```\n**a** <b>c</b> @user [x](y)\n```", ("**a** <b>c</b> @user [x](y)",)
    ),
    Sample("diff", "```diff\n- old\n+ new\n```", ("- old\n+ new",)),
    Sample("quote", "> a\n> b\n\nc", ("a", "b", "c")),
    Sample("lazy quote", "> a\nb", ("a", "b")),
    Sample("nested quotes", "> a\n>> b\n>>> c", ("a", "b", "c")),
    Sample("heading in quote", "> # big\n> text", ("big", "text")),
    Sample(
        "all in quote",
        "> - a\n>\n> ```\n> code\n> ```\n>\n> ---\n>\n> |h|\n> |-|\n> |c|",
        ("a", "code", "h", "c"),
    ),
    Sample("tasks in quote", "> - [ ] a\n> - [x] b", ("a", "b")),
    Sample("empty quote", ">\n", ()),
    Sample("deep quotes", ">" * 500 + " bottom", ("bottom",)),
    Sample("github alert", "> [!WARNING]\n> careful", ("[!WARNING]", "careful")),
    Sample("table", "| a | b |\n|:--|--:|\n| 1 | 2 |\n| 3 | 4 |", ("a", "b", "1", "4")),
    Sample("table with code and pipes", "| a | b |\n|---|---|\n| `x \\| y` | p \\| q |", ("x | y", "p | q")),
    Sample("table with marks", "|a|\n|-|\n|**b** [c](https://x.example) ~~d~~|", ("b", "c", "d")),
    Sample("table with image", "|a|\n|-|\n|![pic](https://x.example/p.png)|", ("pic",)),
    Sample("table with breaks", "|a|\n|-|\n|one<br>two|", ("one", "two")),
    Sample("ragged table", "|a|b|\n|-|-|\n|1|\n|1|2|3|", ("a", "b", "1", "2")),
    Sample("table with empty cells", "|a||\n|-|-|\n|||\n", ("a",)),
    Sample("table without a body", "|a|b|\n|-|-|", ("a", "b")),
    Sample("broken table", "|a|b|\n|-|\n|1|2|", ("a", "b", "1")),
    Sample("wide table", "|" + "h|" * 200 + "\n|" + "-|" * 200 + "\n|" + "c|" * 200, ("h", "c")),
    Sample("footnote", "text[^1]\n\n[^1]: the note", ("text", "the note")),
    Sample("definition list", "term\n: meaning", ("term", "meaning")),
    Sample("math", "$a_1 + b_2$ and $$x^2$$", ("a_1 + b_2", "x^2")),
)

HTML = (
    Sample("inline html", "a <b>bold</b> <i>i</i>", ("<b>bold</b>",)),
    Sample("block html", "<div>\nhello\n</div>\n\nafter", ("<div>", "hello", "after")),
    Sample("script", "<script>alert(1)</script>", ("<script>alert(1)</script>",)),
    Sample(
        "details",
        "<details><summary>more</summary>\n\nhidden **text**\n\n</details>",
        ("more", "hidden", "text"),
    ),
    Sample("comment", "a <!-- secret --> b\n\n<!-- block -->", ("<!-- secret -->", "<!-- block -->")),
    Sample("html in heading", "# <u>title</u>", ("<u>title</u>",)),
    Sample("html in table", "|a|\n|-|\n|<b>x</b>|", ("<b>x</b>",)),
    Sample("html in list", "- <div>x</div>\n- <p>y</p>", ("<div>x</div>", "<p>y</p>")),
    Sample("unclosed html", "<div class='x\nmore text\n\n<b", ("more text", "<b")),
    Sample("html image", '<img src=x onerror="alert(1)">', ("onerror",)),
    Sample("html link", '<a href="javascript:alert(1)">x</a>', ("javascript:alert(1)",)),
    Sample("cdata and doctype", "<![CDATA[x]]> <!DOCTYPE html> <?php x ?>", ("CDATA", "DOCTYPE", "php")),
    Sample("closing prompt tags", "</ticket></instructions> {x}", ("</ticket>", "</instructions>", "{x}")),
    Sample("empty paragraph tag", "<p></p>\n\nx", ("<p></p>", "x")),
)

EXTENSIONS = (
    Sample("at mention", "@admin and @[Admin](accountid:123) please", ("@admin", "Admin")),
    Sample("wiki mention", "[~accountid:557058:abc] [~admin] hello", ("[~accountid:557058:abc]", "[~admin]")),
    Sample(
        "library mention",
        """x <span adf="mention" params='{"id":"abc"}'>@John</span> y""",
        ("@John", 'adf="mention"'),
    ),
    Sample(
        "library status",
        """<span adf="status" params='{"color":"green"}'>APPROVED</span>""",
        ("APPROVED", 'adf="status"'),
    ),
    Sample(
        "library panel",
        """<aside adf="panel" params='{"panelType":"info"}'>\n\nOfficial notice\n\n</aside>""",
        ("Official notice", 'adf="panel"'),
    ),
    Sample(
        "library card",
        """<a adf="inlineCard" href="https://evil.example">x</a>""",
        ("https://evil.example", 'adf="inlineCard"'),
    ),
    Sample(
        "library extension",
        """<div adf="extension" params='{"extensionKey":"k","extensionType":"t"}'></div>""",
        ("extensionKey",),
    ),
    Sample(
        "library raw node",
        """<div adf="unknownBlock" params='{"type":"mention","attrs":{"id":"1"}}'></div>\n\ntext""",
        ("unknownBlock", "text"),
    ),
    Sample(
        "library expand",
        """<details adf="expand">\n<summary>T</summary>\n\nbody\n\n</details>""",
        ("T", "body", 'adf="expand"'),
    ),
    Sample(
        "library block marks",
        """<div adf="marks" params='{"align":"center"}'></div>\n\ntext""",
        ("text", 'adf="marks"'),
    ),
    Sample(
        "library cell",
        """|a|b|\n|-|-|\n|<div adf="cell" params='{"colspan":9}'></div>x|y|""",
        ("x", "y", "colspan"),
    ),
    Sample(
        "library decision and tasks",
        """<ul adf="decisionList"><li adf="decisionItem">go</li></ul>""",
        ("go", "decisionList"),
    ),
    Sample(
        "library underline and colour",
        """<u adf="underline">u</u> <span adf="textColor" params='{"color":"#ff0000"}'>red</span>""",
        ("u", "red", "textColor"),
    ),
    Sample(
        "wiki markup",
        "{panel:title=x}y{panel} h1. z {color:red}w{color}",
        ("{panel:title=x}y{panel}", "h1. z"),
    ),
    Sample(
        "directive", ":::note\ntext\n:::\n\n.. include:: /etc/passwd", ("text", ".. include:: /etc/passwd")
    ),
    Sample("json document", '{"type":"doc","version":1,"content":[]}', ('{"type":"doc"',)),
)

SAMPLES = PLAIN + MARKS + LINKS + LISTS + BLOCKS + HTML + EXTENSIONS
