"""CloudWatch's filter patterns for JSON, as far as infra/alarms.yaml uses them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_TERM = re.compile(
    r"\(?\s*\$(?P<path>[.\w\[\]]+)\s*(?P<by>>=|=|>)\s*(?:\"(?P<text>[^\"]*)\"|(?P<number>[\d.]+))\s*\)?"
)
_BY: Mapping[str, Callable[[Any, Any], bool]] = {"=": operator.eq, ">": operator.gt, ">=": operator.ge}


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Whether the line is counted: terms, `&&`, `||` and parentheses; what is missing in a line matches nothing."""
    inner = pattern.strip()
    assert inner[0] == "{", pattern
    assert inner[-1] == "}", pattern
    truths = _TERM.sub(lambda term: f"({_is_true(term, line)})", inner[1:-1])
    logic = truths.replace("&&", " and ").replace("||", " or ")
    assert re.fullmatch(r"(True|False|and|or|[()\s])+", logic), pattern
    return bool(eval(logic))  # noqa: S307  # nothing but True, False, and, or and parentheses: see above


def value_at(path: str, line: Mapping[str, Any]) -> Any:
    """What stands at `$.a[0].b`; None if nothing does."""
    found: Any = line
    for step in re.findall(r"\w+", path):
        try:
            found = found[int(step)] if step.isdigit() else found[step]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def logged(printed: str) -> list[dict[str, Any]]:
    """Every line a function printed."""
    return [json.loads(line) for line in printed.splitlines()]


def _is_true(term: re.Match[str], line: Mapping[str, Any]) -> bool:
    found = value_at(term["path"], line)
    wanted = term["text"] if term["text"] is not None else float(term["number"])
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return isinstance(found, str) is isinstance(wanted, str) and (
        (isinstance(found, str) or is_number) and _BY[term["by"]](found, wanted)
    )
