"""A service that is overloaded: the gateway waits in the agent's place, within the service's hints."""

import json
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from tests.contract.cloud_models import (
    bedrock_gateway,
    bedrock_standin,
    vertex_gateway,
    vertex_standin,
)
from tests.contract.cloud_models import call as cloud_call
from tests.contract.gateway_client import CALL, TIMEOUT_S, Hours, ask, call
from tests.contract.overloaded_service import Crowded, OwnTime, Service, opened, overloaded

from orchestrator.adapters.gateway.patience import COUNT_HOLD_S, HOLD_S
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.ledger import Spent
from orchestrator.domain.model_overload import MOST_SPREAD_S

BODY = json.dumps(CALL).encode()
COUNT = "/v1/messages/count_tokens"


@pytest.fixture
def gateway(url: str, hours: Hours, tmp_path: Path) -> Iterator[Gateway]:
    with opened(url, tmp_path, hours.patience()) as running:
        yield running


@pytest.mark.parametrize("status", [429, 503, 529])
def test_an_overloaded_service_is_asked_again_until_it_answers_and_the_agent_only_waits(
    gateway: Gateway, service: Service, status: int
) -> None:
    service.refusals = [overloaded(status)] * 5
    answer = call(gateway.socket)
    assert (answer.status, answer.json()["content"][0]["text"]) == (200, "hello")
    assert (len(service.times), gateway.upstream_status) == (6, None)


def test_what_was_refused_costs_nothing_however_often(gateway: Gateway, service: Service) -> None:
    call(gateway.socket)
    once = gateway.budget.final(TIMEOUT_S).cost_usd
    service.refusals = [overloaded()] * 5
    call(gateway.socket)
    sums = gateway.budget.final(TIMEOUT_S)
    assert sums.requests == 7
    assert sums.cost_usd == pytest.approx(2 * once)


@pytest.mark.parametrize("as_date", [False, True])
def test_the_service_is_not_asked_before_it_said(
    gateway: Gateway, service: Service, hours: Hours, as_date: bool
) -> None:
    hint = formatdate(hours() + 90, usegmt=True) if as_date else "90"
    service.refusals = [overloaded(429, retry_after=hint)]
    assert call(gateway.socket).status == 200
    first, second = service.times
    assert 90 <= second - first <= 90 + MOST_SPREAD_S


def test_one_call_is_held_for_less_than_the_cli_waits_and_then_answered_with_what_it_repeats(
    gateway: Gateway, service: Service, hours: Hours
) -> None:
    began, service.refusals = hours(), [overloaded()] * 1000
    answer = call(gateway.socket)
    assert (answer.status, answer.json()["error"]["type"]) == (504, "timeout_error")
    assert hours() - began == pytest.approx(HOLD_S)
    assert gateway.upstream_status == 529
    assert gateway.budget.final(TIMEOUT_S) == Spent(requests=len(service.times))


def test_a_hint_beyond_the_hold_is_kept_for_the_calls_that_come_after_it(
    gateway: Gateway, service: Service
) -> None:
    service.refusals = [overloaded(429, retry_after=str(2 * HOLD_S + 10))]
    assert [call(gateway.socket).status for _ in range(3)] == [504, 504, 200]
    first, second = service.times
    assert second - first >= 2 * HOLD_S + 10


def test_a_hint_for_one_model_keeps_no_other_waiting(
    gateway: Gateway, service: Service, hours: Hours
) -> None:
    service.refusals = [overloaded(429, retry_after="3600")]
    assert call(gateway.socket).status == 504
    asked = hours()
    other = json.dumps({**CALL, "model": "another"}).encode()
    assert ask(gateway.socket, "POST", "/v1/messages", other).status == 200
    assert service.times[-1] == asked


def test_a_service_that_says_it_will_not_do_it_is_asked_once(gateway: Gateway, service: Service) -> None:
    service.refusals = [overloaded(429, x_should_retry="false")]
    assert (call(gateway.socket).status, len(service.times)) == (429, 1)


def test_a_token_count_is_worth_a_moment_only(hours: Hours, tmp_path: Path) -> None:
    began, never = hours(), Crowded(OwnTime())
    with Gateway(tmp_path / "s", never, patience=hours.patience()) as gateway:
        assert call(gateway.socket, COUNT).status == 504
    assert hours() - began == COUNT_HOLD_S


def test_bedrock_and_vertex_are_waited_for_too(service: Service, hours: Hours, tmp_path: Path) -> None:
    with (
        bedrock_standin(service) as model,
        bedrock_gateway(tmp_path, model.url) as gateway,
    ):
        gateway.patience = hours.patience()
        service.refusals = [overloaded(429, retry_after="90"), overloaded(503)]
        assert cloud_call(gateway, stream=True).status == 200
        assert service.times[1] - service.times[0] >= 90
    service.times.clear()
    with (
        vertex_standin(service) as vertex,
        vertex_gateway(tmp_path, vertex.url, vertex.credential()) as gateway,
    ):
        gateway.patience = hours.patience()
        service.refusals = [overloaded(429, retry_after="90"), overloaded(503)]
        assert cloud_call(gateway, stream=True).status == 200
        assert service.times[1] - service.times[0] >= 90
