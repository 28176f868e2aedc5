"""Anthropic's words in Bedrock's and Vertex's, and theirs in Anthropic's."""

import json
from typing import Any

import pytest

from orchestrator.domain import bedrock, vertex

REQUEST: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "max_tokens": 9,
    "messages": [],
    "context_management": {"edits": []},
    "output_config": {"effort": "medium"},
}


def test_bedrock_gets_only_betas_it_knows() -> None:
    known, other = "interleaved-thinking-2025-05-14", "claude-code-20250219"
    assert bedrock.body(REQUEST, (other, known))["anthropic_beta"] == [known]
    assert "anthropic_beta" not in bedrock.body(REQUEST, (other,))


def test_what_stands_in_the_address_is_in_no_body() -> None:
    kept = {"max_tokens": 9, "messages": [], "output_config": {"effort": "medium"}}
    assert bedrock.body(REQUEST, ()) == {**kept, "anthropic_version": "bedrock-2023-05-31"}
    sent = {**kept, "stream": True, "anthropic_version": "vertex-2023-10-16"}
    assert vertex.body(REQUEST) == sent
    assert vertex.counting_body(REQUEST, "m@1") == {**sent, "model": "m@1"}


def test_no_version_of_the_agents_own_is_sent() -> None:
    assert bedrock.body({"anthropic_version": "x"}, ())["anthropic_version"] == bedrock.VERSION
    assert vertex.body({"anthropic_version": "x"})["anthropic_version"] == vertex.VERSION


@pytest.mark.parametrize(
    ("model_id", "counted"),
    [
        ("eu.anthropic.claude-a-v1:0", "anthropic.claude-a-v1:0"),
        ("global.anthropic.claude-a", "anthropic.claude-a"),
        ("us-gov.anthropic.claude-a", "anthropic.claude-a"),
        ("anthropic.claude-a", "anthropic.claude-a"),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.a", None),
        ("eu.other.model", None),
    ],
)
def test_tokens_are_counted_by_the_models_id_without_its_geography(
    model_id: str, counted: str | None
) -> None:
    assert bedrock.counted_model(model_id) == (counted or model_id)


@pytest.mark.parametrize(
    ("thinking", "most"),
    [
        ({"budget_tokens": 40}, 41),
        ({"type": "adaptive"}, 1),
        (None, 1),
        ("x", 1),
        ({"budget_tokens": "x"}, 1),
    ],
)
def test_a_call_to_count_is_a_whole_one(thinking: Any, most: int) -> None:
    assert bedrock.countable({"messages": [], "thinking": thinking}, ())["max_tokens"] == most


def test_an_event_is_one_line_whatever_it_says() -> None:
    said = bedrock.event(json.dumps({"type": "x", "text": "a\n\nevent: y\r\n\u2028"}, indent=2).encode())
    assert said.count(b"\n") == 3
    assert json.loads(said.split(b"\n")[1].removeprefix(b"data: "))["text"] == "a\n\nevent: y\r\n\u2028"


def test_the_name_of_an_event_ends_no_line() -> None:
    assert bedrock.event(b'{"type": "x\\ndata: y"}').split(b"\n")[0] == b"event: x\\ndata: y"


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'"x"', b"7", b"\xff"])
def test_what_is_no_event_is_none(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        bedrock.event(payload)


def test_what_bedrock_adds_is_left_out() -> None:
    assert bedrock.event(b'{"type": "message_stop", "amazon-bedrock-invocationMetrics": {}}') == (
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


@pytest.mark.parametrize(
    ("code", "status", "found"),
    [
        ("ValidationException", 400, (400, "prompt is too long: a resource")),
        ("AccessDeniedException", 403, (403, "the worker's role may not use this model")),
        ("ExpiredTokenException", 403, (403, "the worker's role may not use this model")),
        ("ModelNotReadyException", 429, (429, "the model's service limits how often it may be asked")),
        ("ModelTimeoutException", 408, (504, "the model took too long")),
        ("ServiceUnavailableException", 503, (529, "the model's service is overloaded")),
        ("ModelErrorException", 424, (500, "prompt is too long: a resource")),
        ("Unheard", 418, (418, "prompt is too long: a resource")),
    ],
)
def test_an_error_of_bedrock_has_anthropics_status_and_names_no_account(
    code: str, status: int, found: tuple[int, str]
) -> None:
    message = "prompt is too long: arn:aws:iam::123456789012:role/x"
    assert bedrock.error_of(code, message, status) == found


def test_an_error_without_words_has_some() -> None:
    assert bedrock.error_of("InternalServerException", "", 500)[1] == "the model's service failed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "error", "error": {"type": "x", "message": "prompt is too long"}}, "prompt is too long"),
        ({"error": {"code": 400, "message": "wrong", "status": "INVALID_ARGUMENT"}}, "wrong"),
        ([{"error": {"message": "wrong"}}], "wrong"),
        ({"error": "wrong"}, "the model's service failed"),
        ([], "the model's service failed"),
        (7, "the model's service failed"),
    ],
)
def test_an_error_of_vertex_is_read_in_googles_form_and_in_anthropics(body: Any, said: str) -> None:
    assert vertex.error_of(400, json.dumps(body).encode()) == (400, said)


def test_an_error_of_vertex_that_names_the_project_is_said_in_other_words() -> None:
    body = json.dumps({"error": {"message": "projects/secret-project denied"}}).encode()
    assert all("secret" not in vertex.error_of(status, body)[1] for status in (401, 403, 404, 429, 503))


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("europe-west1", "https://europe-west1-aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
    ],
)
def test_a_region_has_an_address(region: str, host: str) -> None:
    assert vertex.host(region) == host


@pytest.mark.parametrize(
    ("request_", "counts", "method"),
    [
        ({"stream": True}, False, "a-b@1:streamRawPredict"),
        ({"stream": False}, False, "a-b@1:rawPredict"),
        ({"stream": "yes"}, False, "a-b@1:rawPredict"),
        ({"stream": True}, True, "count-tokens:rawPredict"),
    ],
)
def test_the_address_says_how_the_model_answers(request_: Any, counts: bool, method: str) -> None:
    assert vertex.method(request_, "a-b@1", counts=counts) == method
