"""The part of JQL we need, as a parser and a matcher; everything else is refused."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alm.standins.jira_store import Issue

FIELDS = ("project", "labels", "issuetype")
_TOKEN = re.compile(r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[\w.-]+)|(?P<sign>[=(),]))""")


class JqlError(ValueError):
    """A query the stand-in (or Jira) does not accept."""


@dataclass(frozen=True)
class Clause:
    """`field in values`; `=` is a list of one."""

    field: str
    values: tuple[str, ...]

    def holds(self, issue: Issue) -> bool:
        """Say whether the issue satisfies the clause; only labels are case-sensitive."""
        if self.field == "labels":
            return not set(self.values).isdisjoint(issue.labels)
        actual = issue.type if self.field == "issuetype" else issue.key.rpartition("-")[0]
        return actual.lower() in {value.lower() for value in self.values}


@dataclass(frozen=True)
class Query:
    """Clauses that must all hold, and the direction of the creation date."""

    clauses: tuple[Clause, ...]
    descending: bool

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Labels of which every match bears one; None if the query names none."""
        return next((clause.values for clause in self.clauses if clause.field == "labels"), None)

    def matches(self, issue: Issue) -> bool:
        """Say whether every clause holds."""
        return all(clause.holds(issue) for clause in self.clauses)


@dataclass(frozen=True)
class _Token:
    text: str
    quoted: bool = False

    def is_(self, word: str) -> bool:
        return not self.quoted and self.text.upper() == word


_END = _Token("")


def parse_jql(jql: str) -> Query:
    """Parse a bounded query, or raise `JqlError`."""
    tokens = _Tokens(jql)
    clauses = list(_clauses(tokens))
    descending = _order(tokens)
    if not clauses:
        raise JqlError(
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
        )
    return Query(tuple(clauses), descending)


class _Tokens:
    def __init__(self, jql: str) -> None:
        self._tokens = list(_tokenize(jql))

    def peek(self) -> _Token:
        return self._tokens[0] if self._tokens else _END

    def take(self) -> _Token:
        return self._tokens.pop(0) if self._tokens else _END

    def skip(self, word: str) -> bool:
        found = self.peek().is_(word)
        if found:
            self.take()
        return found

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.skip(word):
                raise JqlError(f"Error in the JQL Query: expecting '{word}' but got '{self.peek().text}'.")


def _tokenize(jql: str) -> Iterator[_Token]:
    position, text = 0, jql.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise JqlError(f"Error in the JQL Query at character {position + 1}.")
        position = match.end()
        if match["quoted"] is not None:
            yield _Token(_unescaped(match["quoted"]), quoted=True)
        else:
            yield _Token(match["word"] or match["sign"])


def _unescaped(text: str) -> str:
    if not re.fullmatch(r"(?:[^\\]|\\[\"'\\])*", text):
        raise JqlError(f"'{text}' contains an illegal JQL escape sequence.")
    return re.sub(r"\\(.)", r"\1", text)


def _clauses(tokens: _Tokens) -> Iterator[Clause]:
    if tokens.peek() == _END or tokens.peek().is_("ORDER"):
        return
    yield _clause(tokens)
    while tokens.skip("AND"):
        yield _clause(tokens)


def _clause(tokens: _Tokens) -> Clause:
    field = tokens.take().text.lower()
    if field not in FIELDS:
        raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")
    if tokens.skip("="):
        return Clause(field, (_value(tokens),))
    tokens.expect("IN", "(")
    values = [_value(tokens)]
    while tokens.skip(","):
        values.append(_value(tokens))
    tokens.expect(")")
    return Clause(field, tuple(values))


def _value(tokens: _Tokens) -> str:
    token = tokens.take()
    if token == _END or (not token.quoted and not re.fullmatch(r"[\w.-]+", token.text)):
        raise JqlError(f"Error in the JQL Query: expecting a value but got '{token.text}'.")
    return token.text


def _order(tokens: _Tokens) -> bool:
    descending = True
    if tokens.skip("ORDER"):
        tokens.expect("BY", "CREATED")
        descending = tokens.skip("DESC") or not tokens.skip("ASC")
    if tokens.peek() != _END:
        raise JqlError(f"Error in the JQL Query: unexpected '{tokens.peek().text}'.")
    return descending
