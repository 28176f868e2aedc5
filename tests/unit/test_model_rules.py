"""What the deployment has agreed to with the model's service."""

from typing import Any

import pytest

from orchestrator.domain.model_request import Refused, judged
from orchestrator.domain.model_rules import MOST_TOKENS, ModelRules, agreed_models, allowed_betas, id_of

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("model", "listed", "offered", "agreed"),
    [
        (None, NONE, NONE, {OPUS, SONNET, HAIKU}),
        ("sonnet", NONE, NONE, {SONNET, HAIKU}),
        ("opus[1m]", NONE, NONE, {OPUS, HAIKU}),
        ("claude-x-1", NONE, NONE, {"claude-x-1", HAIKU}),
        (None, {"sonnet", "claude-x-1"}, NONE, {SONNET, "claude-x-1"}),
        ("sonnet", {"sonnet"}, NONE, {SONNET}),
        (None, NONE, {OPUS, "claude-x-1"}, {OPUS, "claude-x-1"}),
        ("opus", NONE, {OPUS, SONNET}, {OPUS}),
        ("opus", NONE, {OPUS, SONNET, HAIKU}, {OPUS, HAIKU}),
        (None, {"opus", "sonnet"}, {SONNET, HAIKU}, {SONNET}),
    ],
)
def test_the_models_are_those_listed_else_the_one_named_and_the_small_one_else_those_with_an_id(
    model: str | None, listed: frozenset[str], offered: frozenset[str], agreed: set[str]
) -> None:
    assert agreed_models(model, frozenset(listed), frozenset(offered)) == agreed


def test_a_name_of_the_cli_is_the_id_it_asks_for() -> None:
    assert (id_of("opus"), id_of("haiku[1m]"), id_of("claude-x-1")) == (OPUS, HAIKU, "claude-x-1")


@pytest.mark.parametrize(
    "model", ["claude-fable-5-2", f"{OPUS} ", OPUS.upper(), "", None, 7, [OPUS], {OPUS: 1}]
)
def test_a_call_for_another_model_is_refused_as_one_that_does_not_exist(model: Any) -> None:
    refused = ModelRules(frozenset({OPUS})).refusal({"model": model})
    assert refused == "a model this deployment has not agreed to"


def test_a_call_without_a_model_is_refused_where_models_are_agreed() -> None:
    found = judged(b"{}", ModelRules(frozenset({OPUS})))
    assert found == Refused("a model this deployment has not agreed to", 404)
    assert judged(b"{}", ModelRules()) == {}


@pytest.mark.parametrize(("asked", "bounded"), [(10**9, 50_000), (1e9, 50_000), (50_001, 50_000)])
def test_an_answer_is_no_longer_than_agreed(asked: float, bounded: int) -> None:
    request = {"max_tokens": asked, "model": OPUS}
    assert ModelRules(most_tokens=50_000).bounded(request) == {"max_tokens": bounded, "model": OPUS}


@pytest.mark.parametrize("asked", [1, 50_000, "many", None, [10**9]])
def test_a_request_within_bounds_goes_as_it_came(asked: Any) -> None:
    request = {"max_tokens": asked}
    assert ModelRules(most_tokens=50_000).bounded(request) is request


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        ({"type": "enabled", "budget_tokens": 90_000}, {"type": "enabled", "budget_tokens": 49_999}),
        ({"type": "enabled", "budget_tokens": 50_000}, {"type": "enabled", "budget_tokens": 49_999}),
        ({"type": "enabled", "budget_tokens": 4_000}, {"type": "enabled", "budget_tokens": 4_000}),
        ({"type": "adaptive"}, {"type": "adaptive"}),
        ("odd", "odd"),
    ],
)
def test_thinking_stays_shorter_than_a_bounded_answer(thinking: Any, sent: Any) -> None:
    request = {"max_tokens": 100_000, "thinking": thinking}
    assert ModelRules(most_tokens=50_000).bounded(request) == {"max_tokens": 50_000, "thinking": sent}


def test_a_thinking_budget_is_bounded_where_the_answer_needs_no_bound() -> None:
    request = {"max_tokens": 1000, "thinking": {"type": "enabled", "budget_tokens": 10**6}}
    assert ModelRules(most_tokens=50_000).bounded(request) == {
        "max_tokens": 1000,
        "thinking": {"type": "enabled", "budget_tokens": 49_999},
    }


def test_an_answer_has_a_bound_where_nothing_is_configured() -> None:
    assert ModelRules().bounded({"max_tokens": 128_000}) == {"max_tokens": MOST_TOKENS}


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("", ()),
        ("effort-2025-11-24, context-1m-2025-08-07,x", ("effort-2025-11-24",)),
        (" claude-code-20250219 ,,", ("claude-code-20250219",)),
        ("CLAUDE-CODE-20250219", ()),
    ],
)
def test_only_betas_of_the_pinned_cli_pass(header: str, kept: tuple[str, ...]) -> None:
    assert allowed_betas(header) == kept
