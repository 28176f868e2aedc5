"""A service's answer as JSON, whatever strangers put into it: what is nested too deep for Python becomes null.

Anybody who may edit an issue may write a property of 32,768 characters, which is enough for 16,000 lists in lists.
Jira shows it on a page with the issues of everybody else.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import requests

# What Jira's documents and properties of ours never reach.
DEEPEST = 200
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def json_of(answer: requests.Response) -> Any:
    """The answer's value; ValueError if it holds no JSON."""
    try:
        return answer.json()
    except RecursionError:
        return json.loads("".join(shallow(answer.text)))


def shallow(text: str) -> Iterator[str]:
    """The text with null for every value that is nested deeper than `DEEPEST`."""
    depth, start = 0, 0
    for found in _STRUCTURE.finditer(text):
        if found[0] in ("[", "{"):
            depth += 1
            if depth == DEEPEST + 1:
                yield f"{text[start : found.start()]}null"
        elif found[0] in ("]", "}"):
            if depth == DEEPEST + 1:
                start = found.end()
            depth -= 1
    yield text[start:] if depth <= DEEPEST else ""
