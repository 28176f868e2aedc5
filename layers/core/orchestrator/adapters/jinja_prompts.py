"""Prompt templates by Jinja: the template is ours and is compiled, the values are data and are not."""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestrator.domain.prompt import VALUES

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


class JinjaPrompts:
    """Renders a template."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The prompt."""
        return _ENVIRONMENT.from_string(template).render(values)


def template_fault(template: str) -> str | None:
    """What is wrong with a template, None if nothing is: its syntax, and every name it uses."""
    try:
        unknown = meta.find_undeclared_variables(_ENVIRONMENT.parse(template)) - VALUES
        if unknown:
            return (
                f"unknown name {', '.join(sorted(unknown))}; a template may use {', '.join(sorted(VALUES))}"
            )
        ticket = dict.fromkeys(("key", "type", "summary", "description"), "x")
        pull_request = dict.fromkeys(("title", "description", "diff_command"), "x")
        compiled = _ENVIRONMENT.from_string(template)
        compiled.render(ticket=ticket, context="x", pull_request=pull_request, continued=True)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except Exception as error:  # noqa: BLE001  # whatever rendering stumbles over is the template's fault
        return str(error) or type(error).__name__
    return None
