"""What the agent is asked and what it did: the stream of the Claude Code CLI, read as data.

Source of the message shapes: `claude -p --output-format stream-json --verbose`, version 2.1.330.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from orchestrator.domain.kernel import is_kernel_refusal
from orchestrator.domain.ledger import Spent
from orchestrator.domain.text_limits import LONGEST_ANSWER, cut, cut_report
from orchestrator.domain.untrusted import scrubbed
from orchestrator.domain.wall import Probe, Rung, standing

# The CLI's own words, in the tags that no output of a tool starts with.
# The tool by which the agent gives its structured result, and the CLI's word for giving up on one.
ANSWER_TOOL = "StructuredOutput"
UNFORMED = "error_max_structured_output_retries"
# And for a run that came to the end of its turns or its budget.
OUT_OF_TURNS, OUT_OF_BUDGET = "error_max_turns", "error_max_budget_usd"
REMOVED_TOOL = "<tool_use_error>Error: No such tool available"
# A report deeper than this cannot be stored and read again; no schema of ours comes near.
DEEPEST_REPORT = 50
# Beyond this, or not a number at all, it is no amount anybody was charged.
HIGHEST_COST_USD = 1_000_000
# The kernel's words can be printed at will, so past this number of tool calls they count for nothing more.
MOST_KERNEL_DENIALS = 100
LONGEST_TOOL, LONGEST_TARGET = 80, 200


class Source(StrEnum):
    """Who said no."""

    RULE = "rule"
    MODE = "mode"
    TOOL_REMOVED = "tool_removed"
    KERNEL = "kernel"
    EGRESS = "egress"
    BUDGET = "budget"


class Denial(BaseModel):
    """Something the agent tried and was not allowed. The agent chose both texts, so both are short and scrubbed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tool: Annotated[str, AfterValidator(lambda name: scrubbed(name, LONGEST_TOOL))]
    source: Source
    target: Annotated[str, AfterValidator(lambda target: scrubbed(target, LONGEST_TARGET))] = ""


class Stop(StrEnum):
    """Why we ended the agent before it ended itself."""

    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    EXCESS = "excess"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class AgentRun:
    """One run of the agent, as it ended. `result` is the CLI's result message, None if it never came.

    `capped_s` is what the deployment gives to an agent, where that is less than the action's own time.
    """

    exit_status: int
    result: Mapping[str, Any] | None
    denials: tuple[Denial, ...] = ()
    stop: Stop | None = None
    model: str = ""
    turns: int = 0
    duration_ms: int = 0
    capped_s: float | None = None
    upstream_status: int | None = None
    offered: dict[str, Any] | None = None
    said: str = ""
    excess: str | None = None
    probes: tuple[Probe, ...] = ()
    spent: Spent | None = None

    @property
    def sandbox(self) -> Rung | None:
        """The wall it ran behind."""
        return standing(self.probes)

    @property
    def is_unformed(self) -> bool:
        """Whether the CLI gave up on the answer's form. What the agent `offered` and `said` last is all there is."""
        return (self.result or {}).get("subtype") == UNFORMED

    @property
    def text(self) -> str:
        """The agent's last word; with a report, that is the report again as JSON."""
        text = self.said if self.is_unformed else (self.result or {}).get("result")
        return cut(text.strip(), LONGEST_ANSWER, "the transcript") if isinstance(text, str) else ""

    @property
    def report(self) -> dict[str, Any] | None:
        """The structured result, where the agent gave one; the last it tried where none was accepted."""
        report = self.offered if self.is_unformed else (self.result or {}).get("structured_output")
        return (
            cut_report(report) if isinstance(report, dict) and _is_shallow(report, DEEPEST_REPORT) else None
        )

    @property
    def cost_usd(self) -> float | None:
        """The larger of what CLI and ledger say; None when both say nothing, which is not the same as free."""
        counted = None if self.spent is None else self.spent.cost_usd
        return max((cost for cost in (self._said_cost_usd, counted) if cost is not None), default=None)

    @property
    def is_overspent(self) -> bool:
        """Whether a model call was refused because the budget was gone."""
        return any(denial.source is Source.BUDGET for denial in self.denials)

    @property
    def is_cut_short(self) -> bool:
        """Whether it was ended at work, by its time, its budget, its turns or a person: what it did may be half-done.

        One ended for using too much of the machine is not: its work is not to be gone on with.
        """
        if self.stop is not None:
            return self.stop is not Stop.EXCESS
        ended = str((self.result or {}).get("subtype"))
        return ended in {OUT_OF_TURNS, OUT_OF_BUDGET} or self._is_stopped_by_ledger

    @property
    def _is_stopped_by_ledger(self) -> bool:
        return self.is_overspent and (self.result is None or bool(self.result.get("is_error")))

    @property
    def _said_cost_usd(self) -> float | None:
        cost = (self.result or {}).get("total_cost_usd")
        if isinstance(cost, bool) or not isinstance(cost, int | float):
            return None
        return float(cost) if 0 <= cost <= HIGHEST_COST_USD else None


@dataclass
class Transcript:
    """Reads the stream line by line and keeps what decides: result, model, turns, denials."""

    result: dict[str, Any] | None = None
    model: str = ""
    unread_lines: int = 0
    offered: dict[str, Any] | None = None
    said: str = ""
    _answered: int = 0
    _denied: dict[str, Denial] = field(default_factory=dict)
    _calls: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """Turns as the CLI counts them against its limit; messages seen so far where it has not said."""
        said = (self.result or {}).get("num_turns")
        return said if type(said) is int and said >= 0 else self._answered

    @property
    def denials(self) -> tuple[Denial, ...]:
        """Each denied tool call once, in the order in which they came."""
        return tuple(self._denied.values())

    def feed(self, line: bytes) -> None:
        """Take one line; half a line or noise is counted, never an error."""
        try:
            self._take(_parsed(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.unread_lines += bool(line.strip())

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"], message.get("subtype"):
            case "system", "init":
                self.model = str(message["model"])
            case "system", "permission_denied":
                self._deny_event(message)
            case "assistant", _:
                self._take_assistant(message["message"])
            case "user", _:
                self._take_tool_results(message["message"]["content"])
            case "result", _:
                self._take_result(message)

    def _take_assistant(self, message: dict[str, Any]) -> None:
        self._answered += any(block["type"] in {"text", "tool_use"} for block in message["content"])
        for block in message["content"]:
            if block["type"] == "text":
                self.said = str(block["text"])
            if block["type"] == "tool_use":
                self._take_call(block)

    def _take_call(self, block: Mapping[str, Any]) -> None:
        self._calls[block["id"]] = (block["name"], target_of(block["input"]))
        if block["name"] == ANSWER_TOOL and isinstance(block["input"], dict):
            self.offered = block["input"]

    def _take_tool_results(self, content: str | list[dict[str, Any]]) -> None:
        for block in content if isinstance(content, list) else ():
            if block["type"] == "tool_result":
                self._take_tool_result(block)

    def _take_tool_result(self, block: Mapping[str, Any]) -> None:
        identity, is_error = block["tool_use_id"], bool(block.get("is_error"))
        name, target = self._calls.get(identity, ("?", ""))
        if is_error and REMOVED_TOOL in json.dumps(block.get("content")):
            self._deny(identity, Denial(tool=name, source=Source.TOOL_REMOVED, target=target))
        elif is_kernel_refusal(name, _text_of(block.get("content")), is_error=is_error, target=target):
            self._deny_by_kernel(identity, Denial(tool=name, source=Source.KERNEL, target=target))

    def _deny_by_kernel(self, identity: str, denial: Denial) -> None:
        if sum(known.source is Source.KERNEL for known in self._denied.values()) < MOST_KERNEL_DENIALS:
            self._deny(identity, denial)

    def _deny_event(self, message: Mapping[str, Any]) -> None:
        identity = str(message["tool_use_id"])
        source = Source.MODE if message.get("decision_reason_type") == "mode" else Source.RULE
        target = self._calls.get(identity, ("", ""))[1]
        self._deny(identity, Denial(tool=str(message["tool_name"]), source=source, target=target))

    def _take_result(self, message: dict[str, Any]) -> None:
        self.result = message
        for denied in message.get("permission_denials") or ():
            target = target_of(denied.get("tool_input"))
            denial = Denial(tool=str(denied["tool_name"]), source=Source.RULE, target=target)
            self._deny(str(denied["tool_use_id"]), denial)

    def _deny(self, identity: str, denial: Denial) -> None:
        self._denied.setdefault(identity, denial)


def _parsed(line: bytes) -> Any:
    """The line's value. Half a surrogate pair, which JSON can write and UTF-8 cannot, becomes a question mark."""
    message = json.loads(line.decode("utf-8", "replace"))
    if b"\\ud" not in line.lower():
        return message
    return json.loads(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace"))


def _is_shallow(value: Any, depth: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return depth > 0 and all(_is_shallow(item, depth - 1) for item in inner)


def target_of(tool_input: Any) -> str:
    """What a tool call was aimed at, shortened: a path, a command, a URL."""
    if not isinstance(tool_input, Mapping):
        return ""
    known = ("file_path", "path", "command", "url", "pattern")
    value = next((tool_input[key] for key in known if key in tool_input), "")
    return scrubbed(str(value), LONGEST_TARGET)


def _text_of(content: Any) -> str:
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    return "\n".join(str(block.get("text", "")) for block in content if isinstance(block, Mapping))


def read_stream(lines: Iterable[bytes]) -> Transcript:
    """The transcript of a whole stream."""
    transcript = Transcript()
    for line in lines:
        transcript.feed(line)
    return transcript
