"""A result whose texts hold no secret: what an agent wrote is redacted before any other rule takes it apart."""

from collections.abc import Callable
from typing import Any

from orchestrator.domain.agent import Denial
from orchestrator.domain.outcome import JobResult


def without_secrets(result: JobResult, redact: Callable[[str], str]) -> JobResult:
    """The same result; its change is not touched, since that is judged by itself."""
    verdict = result.verdict.model_copy(update={"reason": redact(result.verdict.reason)})
    texts: dict[str, Any] = {
        "verdict": verdict,
        "summary": redact(result.summary),
        "text": redact(result.text),
        "report": _redacted(result.report, redact),
        "denials": tuple(_denial(one, redact) for one in result.denials),
    }
    return result.model_copy(update=texts)


def _denial(denial: Denial, redact: Callable[[str], str]) -> Denial:
    return denial.model_copy(update={"tool": redact(denial.tool), "target": redact(denial.target)})


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(one, redact) for one in value]
    if isinstance(value, dict):
        return {redact(name): _redacted(one, redact) for name, one in value.items()}
    return value
