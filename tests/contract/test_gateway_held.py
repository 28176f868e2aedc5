"""While a call is held by an overload: who is asked, what is reserved, and what ends it."""

import json
import socket
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.contract.gateway_client import CALL, TIMEOUT_S, Hours, call, dialled
from tests.contract.overloaded_service import Crowded, OwnTime, Service, opened, overloaded

from orchestrator.adapters.gateway import patience as patience_module
from orchestrator.adapters.gateway.patience import HOLD_S, Patience
from orchestrator.adapters.gateway.server import Gateway
from orchestrator.domain.ledger import Ledger, Spent
from orchestrator.domain.model_overload import MOST_SPREAD_S

BODY = json.dumps(CALL).encode()


def test_calls_refused_together_do_not_come_back_together(tmp_path: Path) -> None:
    number, time = 20, OwnTime()
    service, chances = Crowded(time), iter(n / 40 for n in range(1000))
    patience = Patience(HOLD_S, time, time, lambda: next(chances), time.wait)
    with Gateway(tmp_path / "s", service, patience=patience) as running:
        calls = [Thread(target=call, args=(running.socket,), daemon=True) for _ in range(number)]
        for thread in calls:
            thread.start()
        for thread in calls:
            thread.join(2 * TIMEOUT_S)
    # Each was told at most once, and then it went well; those that came later kept to what others had been told.
    assert number < len(service.asked) <= 2 * number
    well = [when for when in service.asked if when >= 60]
    assert len(set(well)) == len(well) == number
    assert max(well) - min(well) > MOST_SPREAD_S / 4


def test_while_a_call_is_held_nothing_is_reserved_for_it(
    url: str, service: Service, hours: Hours, tmp_path: Path
) -> None:
    sums: list[Spent] = []

    def looking(over: Event, wait_s: float) -> bool:
        sums.append(running.budget.final(0))
        return hours.wait(over, wait_s)

    service.refusals = [overloaded(retry_after="1")]
    with opened(url, tmp_path, Patience(clock=hours, wait=looking)) as running:
        assert call(running.socket).status == 200
    assert sums[0] == Spent(requests=1)


def test_a_budget_that_goes_while_a_call_is_held_refuses_it(
    url: str, service: Service, hours: Hours, tmp_path: Path
) -> None:
    def spending(over: Event, wait_s: float) -> bool:
        running.budget.ledger = Ledger(1.0, Spent(cost_usd=1.0))
        return hours.wait(over, wait_s)

    service.refusals = [overloaded()]
    with opened(url, tmp_path, Patience(clock=hours, wait=spending)) as running:
        assert call(running.socket).status == 403
    assert len(service.times) == 1


def test_nobody_is_asked_for_an_agent_that_has_hung_up(
    url: str, service: Service, hours: Hours, tmp_path: Path
) -> None:
    def hanging_up(over: Event, wait_s: float) -> bool:
        agent.close()
        return hours.wait(over, wait_s)

    service.refusals = [overloaded(retry_after="30")]
    began = hours()
    with opened(url, tmp_path, Patience(clock=hours, wait=hanging_up)) as running:
        agent = dialled(running.socket)
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        while not drained(running):
            pass  # until the thread of the one that left has ended
    assert (len(service.times), hours() - began) == (1, patience_module.LOOK_EVERY_S)


def drained(gateway: Gateway) -> bool:
    """Whether a call was made and nothing of it is held."""
    return gateway.budget.ledger.calls > 0 and gateway.in_flight.held_bytes == 0


def test_an_agent_that_only_has_no_more_to_say_gets_its_answer(
    url: str, service: Service, hours: Hours, tmp_path: Path
) -> None:
    service.refusals = [overloaded(retry_after="30")]
    with opened(url, tmp_path, hours.patience()) as running, dialled(running.socket) as agent:
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
        agent.shutdown(socket.SHUT_WR)
        assert agent.recv(12) == b"HTTP/1.1 200"


def test_a_hold_ends_with_the_agent_at_once(
    url: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience_module, "LOOK_EVERY_S", 3600.0)
    waits = Event()

    def waiting(over: Event, wait_s: float) -> bool:
        waits.set()
        return over.wait(wait_s)

    service.refusals = [overloaded(retry_after="200")]
    with opened(url, tmp_path, Patience(wait=waiting)) as running, dialled(running.socket) as agent:
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert waits.wait(TIMEOUT_S)
        running.patience.end()
        assert agent.recv(1) == b""
    assert len(service.times) == 1


def test_no_call_goes_out_once_the_agent_has_ended(url: str, service: Service, tmp_path: Path) -> None:
    with opened(url, tmp_path, Patience()) as running, dialled(running.socket) as agent:
        running.patience.end()
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
        assert agent.recv(1) == b""
    assert service.times == []


def test_a_gateway_that_closes_keeps_no_call(url: str, service: Service, tmp_path: Path) -> None:
    ends: list[bool] = []
    waits = Event()

    def waiting(over: Event, wait_s: float) -> bool:
        waits.set()
        ends.append(over.wait(TIMEOUT_S))
        return over.is_set() or not wait_s

    service.refusals = [overloaded(retry_after="200")]
    with opened(url, tmp_path, Patience(wait=waiting)) as running:
        agent = dialled(running.socket)
        agent.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert waits.wait(TIMEOUT_S)
    agent.close()
    assert ends == [True]
