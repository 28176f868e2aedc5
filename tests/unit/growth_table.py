"""Every function that reads or lays out text which people, repositories, the agent or the network wrote.

A module of the orchestrator that imports `re` must have a row here: `test_growth.py` checks it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.builders import (
    SCHEMA,
    action,
    agent_run,
    brief,
    cli_result,
    fault,
    fix,
    job,
    job_result,
    subject,
)
from tests.unit.growth_inputs import (
    fingerprints,
    headers,
    jira_issue,
    marked,
    paragraph,
    records,
    refusing,
    reported,
    stream,
    usage,
)

from orchestrator.adapters import (
    backoff,
    github_inline,
    github_markdown,
    github_text,
    jira_parsing,
    json_answer,
    markdown_adf,
    markdown_tokens,
    traffic,
)
from orchestrator.adapters.gateway import agent_http
from orchestrator.adapters.wall import own_user
from orchestrator.domain import (
    adf,
    adf_inline,
    adf_node,
    adf_plain,
    agent,
    bedrock,
    client_hello,
    comment,
    comment_text,
    egress,
    issue,
    jql,
    kernel,
    ledger,
    model_request,
    outcome,
    patch,
    permissions,
    prompt,
    publishable,
    pull_reference,
    report,
    repository_path,
    review,
    secret,
    text_limits,
    untrusted,
)
from orchestrator.domain.adf_node import Node
from orchestrator.domain.model_rules import ModelRules

_SERVER, _REPO = "https://github.example", "o/r"


@dataclass(frozen=True)
class Row:
    """One function, as the growth test calls it. `largest` is the longest text that its callers give it."""

    name: str
    run: Callable[[Any], object]
    largest: int = 8_000


# By module: text in.
TEXT: Mapping[str, tuple[Row, ...]] = {
    "domain.action": (Row("owns_branch", lambda text: fix().owns_branch(text, "A-1")),),
    "domain.adf": (
        Row("to_markdown, plain", lambda text: adf.to_markdown(paragraph(text))),
        Row("to_markdown, marked", lambda text: adf.to_markdown(marked(text))),
    ),
    "domain.adf_inline": (
        Row("longest_backtick_run", adf_inline.longest_backtick_run),
        Row("inline_markdown", lambda text: adf_inline.inline_markdown([Node("text", text)] * 2)),
    ),
    "domain.adf_plain": (
        Row("writable", adf_plain.writable),
        Row("as_code_block", adf_plain.as_code_block),
        Row("only_plain", lambda text: adf_plain.only_plain(marked(text))),
    ),
    "domain.agent": (
        Row("read_stream", lambda text: agent.read_stream(stream(text).split(b"\n"))),
        Row("read_stream, raw", lambda text: agent.read_stream(text.encode().split(b"\n"))),
        Row("target_of", lambda text: agent.target_of({"command": text})),
    ),
    "domain.bedrock": (
        Row("counted_model", bedrock.counted_model),
        Row("error_of", lambda text: bedrock.error_of(text, text, 500)),
    ),
    "domain.client_hello": (
        Row("read_hello", refusing(lambda text: client_hello.read_hello(text.encode()))),
        Row("SentRecords", refusing(records)),
    ),
    "domain.comment": (
        Row(
            "result_comment",
            lambda text: comment.result_comment(action(), job(), job_result(report=reported(text))),
            3_000,
        ),
        Row("result_comment, text", lambda text: comment.result_comment(None, job(), job_result(text=text))),
    ),
    "domain.comment_text": (
        Row("split_markdown, short parts", lambda text: comment_text.split_markdown(text, 100)),
        Row("split_markdown, longer parts", lambda text: comment_text.split_markdown(text, 1_000)),
    ),
    "domain.egress": (
        Row("normal_host", egress.normal_host),
        Row("host_pattern", refusing(egress.host_pattern)),
        Row("target_fault", lambda text: egress.target_fault(f"{text}:443", ("*.example.org",))),
        Row("is_public", egress.is_public),
    ),
    "domain.jql": (Row("quoted", refusing(jql.quoted)),),
    "domain.kernel": (
        Row("Bash", lambda text: kernel.is_kernel_refusal("Bash", text, is_error=True, target="kill 1")),
        Row(
            "Bash failed",
            lambda text: kernel.is_kernel_refusal("Bash", f"Exit code 126\n{text}", is_error=True),
        ),
        Row("Read", lambda text: kernel.is_kernel_refusal("Read", text, is_error=True, target=text)),
        Row("is_elsewhere", kernel.is_elsewhere),
        Row(
            "target",
            lambda text: kernel.is_kernel_refusal("Bash", "- No such process", is_error=True, target=text),
        ),
        Row(
            "silent", lambda text: kernel.is_kernel_refusal("Bash", "Exit code 6", is_error=True, target=text)
        ),
    ),
    "domain.ledger": (Row("price_of", ledger.price_of),),
    "domain.model_request": (
        Row("judged", lambda text: model_request.judged(text.encode(), ModelRules())),
        Row("judged, nested", lambda text: model_request.judged(b"[" * len(text), ModelRules())),
    ),
    "domain.model_usage": (Row("UsageReader", usage),),
    "domain.outcome": (
        Row(
            "decide_outcome",
            lambda text: outcome.decide_outcome(action(), agent_run(result=cli_result(result=text)), None),
        ),
    ),
    "domain.patch": (Row("commentable_lines", patch.commentable_lines),),
    "domain.permissions": (
        Row("Permissions", refusing(lambda text: permissions.Permissions(allow=(text,), deny=()))),
        Row(
            "Permissions, specified",
            refusing(lambda text: permissions.Permissions(allow=(f"Bash({text}",), deny=())),
        ),
    ),
    "domain.prompt": (
        Row(
            "prompt_values",
            lambda text: prompt.prompt_values(
                job(), brief(description=text, summary=text), subject(title=text, body=text), "nonce"
            ),
            3_000,
        ),
    ),
    "domain.publishable": (
        Row("shown", publishable.shown),
        Row("told", lambda text: publishable.told((fault(text),))),
    ),
    "domain.pull_reference": (
        Row("find_reference", lambda text: pull_reference.find_reference((text,), _SERVER, _REPO)),
    ),
    "domain.report": (
        Row("render", lambda text: report.render(SCHEMA, reported(text))),
        Row("says_something", lambda text: report.says_something(SCHEMA, reported(text))),
    ),
    "domain.repository_path": (
        Row("path_fault", repository_path.path_fault),
        # A setting: people of the deployment write it, and it is as long as a path.
        Row("pattern_fault", repository_path.pattern_fault, 2_000),
        Row("folded", repository_path.folded),
        Row(
            "is_protected",
            lambda text: repository_path.is_protected(text, publishable.PROTECTED, is_link=True),
            repository_path.LONGEST_PATH,
        ),
    ),
    "domain.review": (
        Row("findings_of", fingerprints),
        Row("standing_findings", lambda text: review.standing_findings([text])),
    ),
    "domain.text_limits": (Row("cut_report", lambda text: text_limits.cut_report(reported(text))),),
    "domain.untrusted": (
        Row("visible", untrusted.visible),
        Row("one_line", lambda text: untrusted.one_line(text, 200)),
        Row("scrubbed", lambda text: untrusted.scrubbed(text, 200)),
        Row("fenced", lambda text: untrusted.fenced("a", text, "nonce")),
    ),
    "adapters.backoff": (
        Row("asked_s", lambda text: backoff.asked_s({"retry-after": text, "x-ratelimit-reset": text}, 0.0)),
        Row("reason", lambda text: backoff.reason({"ratelimit-reason": text})),
    ),
    "adapters.gateway.agent_http": (
        Row("body_length", lambda text: agent_http.body_length(headers(text))),
        Row("is_dense", lambda text: agent_http.is_dense(text.encode())),
    ),
    "adapters.json_answer": (
        Row("shallow", lambda text: list(json_answer.shallow(text))),
        Row("shallow, nested", lambda text: list(json_answer.shallow(text * 2 + "[" * len(text)))),
    ),
    "adapters.markdown_adf": (Row("to_adf", markdown_adf.to_adf, 3_000),),
    "adapters.markdown_tokens": (
        Row("parse", refusing(markdown_tokens.parse), 3_000),
        Row("is_deceptive", lambda text: markdown_tokens.is_deceptive(text, f"https://x.example/{text}")),
        Row("split_addresses", lambda text: list(markdown_tokens.split_addresses(text))),
    ),
    "adapters.github_markdown": (Row("write_markdown", github_markdown.write_markdown, 3_000),),
    "adapters.github_inline": (
        Row("guard_line", github_inline.guard_line),
        Row("code_span", github_inline.code_span),
    ),
    "adapters.github_text": (
        Row("break_references", github_text.break_references),
        Row("is_marker", github_text.is_marker),
        Row("guard_block", github_text.guard_block),
        Row("guard_span", github_text.guard_span),
        Row("plain_line", lambda text: github_text.plain_line(text, 240)),
    ),
    "domain.secret": (Row("in_rendered", lambda text: list(secret.in_rendered(text, lambda _: ()))),),
    "adapters.traffic": (
        Row("remaining", lambda text: traffic.remaining({"ratelimit": text, "x-ratelimit-remaining": text})),
    ),
    "adapters.wall.own_user": (
        Row(
            "status",
            lambda text: own_user.resident_bytes_of(text.encode()),
        ),
    ),
    "adapters.jira_parsing": (
        Row("issue_from", lambda text: jira_parsing.issue_from(jira_issue(marked(text)))),
        Row(
            "claim",
            lambda text: issue.claimed_job(issue.Issue("1", "A-1", frozenset(), claim={"job_id": text})),
        ),
    ),
}
# ADF in, of so many nodes.
ADF: tuple[Row, ...] = (
    Row("adf.to_markdown", adf.to_markdown, 1_000),
    Row("adf_node.plain_text", adf_node.plain_text, 1_000),
    Row("adf_node.text_length", adf_node.text_length, 1_000),
    Row("adf_plain.only_plain", adf_plain.only_plain, 1_000),
    Row("jira_parsing.issue_from", lambda body: jira_parsing.issue_from(jira_issue(body)), 1_000),
)
