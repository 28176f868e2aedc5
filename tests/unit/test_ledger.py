"""What calls cost, what their answers say of it, and when a job has had enough."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.ledger import (
    MOST_AT_ONCE,
    MOST_CALLS,
    MOST_OUTPUT_TOKENS,
    Admission,
    Ledger,
    Price,
    Quote,
    price_of,
    quote,
)
from orchestrator.domain.model_content import ADDED_TOKENS
from orchestrator.domain.model_usage import LONGEST_LINE, MOST_TOKENS, Usage, UsageReader

STREAM = "text/event-stream; charset=utf-8"
START = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 70,
    "cache_read_input_tokens": 300,
    "output_tokens": 1,
}
LIVES = {"cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 50}}
WHOLE = Usage(input=10, output=40, cache_write_5m=20, cache_write_1h=50, cache_read=300)


def event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


OPENING = event("message_start", message={"usage": {**START, **LIVES}})
TEXT = event("content_block_delta", delta={"type": "text_delta", "text": 'x "message_delta" \n data: {}'})
ENDING = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40})
ANSWER = OPENING + event("ping") + TEXT + ENDING + event("message_stop")


def read(*chunks: bytes, kind: str = STREAM, encoding: str = "") -> UsageReader:
    reader = UsageReader(kind, encoding)
    for chunk in chunks:
        reader.feed(chunk)
    reader.end()
    return reader


def known(reader: UsageReader) -> tuple[bool, Usage]:
    return reader.complete, reader.usage


@pytest.mark.parametrize("tokens", [None, 0, -1, "9", 1.5, True, MOST_OUTPUT_TOKENS + 1])
def test_a_call_that_does_not_say_how_much_it_wants_may_want_the_most(tokens: object) -> None:
    assert quote({"model": "haiku", "max_tokens": tokens}, 0).max_tokens == MOST_OUTPUT_TOKENS


def test_the_worst_case_is_all_of_the_prompt_and_all_of_the_output() -> None:
    quoted = quote({"model": "claude-haiku-4-5", "max_tokens": 1000}, 4000)
    assert quoted.worst_usd == pytest.approx((4000 + ADDED_TOKENS + 1000 * 5) / 1e6)
    assert quote({"max_tokens": 1}, 0).price == price_of("?")


@pytest.mark.parametrize(
    ("thinking", "tokens"),
    [
        (None, 2000),
        ({"type": "adaptive"}, 2000),
        ({"budget_tokens": 1999}, 2000),
        ({"budget_tokens": 9000}, 9000),
        ({"budget_tokens": "9000"}, MOST_OUTPUT_TOKENS),
        ({"budget_tokens": -1}, MOST_OUTPUT_TOKENS),
        ({"budget_tokens": True}, MOST_OUTPUT_TOKENS),
        ({"budget_tokens": MOST_OUTPUT_TOKENS + 1}, MOST_OUTPUT_TOKENS),
    ],
)
def test_a_thinking_budget_above_the_answers_length_is_part_of_the_worst_case(
    thinking: object, tokens: int
) -> None:
    assert quote({"model": "opus", "max_tokens": 2000, "thinking": thinking}, 0).max_tokens == tokens


def test_no_more_calls_are_made_at_once_than_the_bound() -> None:
    ledger = Ledger(1000.0)
    for _ in range(MOST_AT_ONCE):
        assert ledger.admission() is Admission.NOW
        ledger = ledger.opened(small(0.001))
    assert ledger.admission() is Admission.LATER
    assert ledger.closed(small(0.001), 0, Usage()).admission() is Admission.NOW


def test_a_stream_tells_its_usage_at_start_and_end() -> None:
    assert known(read(ANSWER)) == (True, WHOLE)


def test_a_whole_answer_tells_its_usage() -> None:
    body = json.dumps({"usage": {**START, **LIVES, "output_tokens": 40}, "content": []}, indent=1).encode()
    assert known(read(body[:30], body[30:], kind="application/json")) == (True, WHOLE)


@given(st.lists(st.integers(0, len(ANSWER))))
def test_where_a_stream_is_cut_into_chunks_changes_nothing(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]
    chunks = [ANSWER[start:end] for start, end in pairwise(edges)]
    assert known(read(*chunks)) == (True, WHOLE)


def test_line_ends_of_windows_are_read() -> None:
    assert known(read(ANSWER.replace(b"\n", b"\r\n"))) == (True, WHOLE)


def test_a_stream_without_a_last_line_end_is_read() -> None:
    assert known(read(OPENING + ENDING.rstrip())) == (True, WHOLE)


def test_the_usage_at_the_end_may_repeat_and_complete_that_of_the_start() -> None:
    ending = event("message_delta", usage={**START, "input_tokens": 500, "output_tokens": 40})
    assert read(OPENING + ending).usage.input == 500


def test_passes_that_the_sums_leave_out_are_counted() -> None:
    passes = [{"input_tokens": 900, "output_tokens": 5}, {"input_tokens": 10, "output_tokens": 40}]
    ending = event("message_delta", usage={"output_tokens": 40, "iterations": passes})
    assert read(OPENING + ending).usage == Usage(910, 45, 20, 50, 300)


def test_a_giant_line_is_passed_over_and_not_kept() -> None:
    reader = UsageReader(STREAM)
    reader.feed(OPENING + b"data: ")
    for _ in range(4):
        reader.feed(b"x" * LONGEST_LINE)
        assert len(reader._line) <= LONGEST_LINE  # noqa: SLF001  # the bound is the rule
    reader.feed(b"\n" + ENDING)
    assert known(reader) == (True, WHOLE)


@pytest.mark.parametrize(
    "chunks",
    [
        b"",
        ENDING,
        ENDING + OPENING.replace(b"message_start", b"message_star"),
        event("error", error={"type": "overloaded_error"}),
        b"data: {not JSON message_start\n",
        b"data: " + b"[" * 100_000 + b"message_start\n",
        b"data: " + b" " * LONGEST_LINE + OPENING.partition(b"data:")[2],
        ANSWER.replace(b"\n", b"\r"),
        b"data: \xff message_start\n",
    ],
    ids=lambda chunks: chunks[:30],
)
def test_an_answer_that_does_not_say_where_it_started_is_unknown(chunks: bytes) -> None:
    assert known(read(chunks))[0] is False
    assert not read(chunks).started


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        TEXT,
        TEXT + event("error", error={"type": "api_error"}),
        event("message_delta", delta={}),
        event("message_delta", usage={}),
        event("message_delta", usage={"output_tokens": "40"}),
        event("message_delta", usage=[40]),
        ENDING[:-9],
    ],
)
def test_an_answer_that_breaks_off_counts_all_the_output_it_could_have_had(rest: bytes) -> None:
    quoted = Quote(price_of("opus"), Usage(cache_write_1h=1000), max_tokens=32_000)
    reader = read(OPENING + rest)
    assert not reader.complete
    assert quoted.cost_usd(reader) == pytest.approx(price_of("opus").of(Usage(10, 32_000, 20, 50, 300)))


@pytest.mark.parametrize(
    ("body", "kind", "encoding"),
    [
        (b"{}", "application/json", ""),
        (b'{"usage": null}', "application/json", ""),
        (b'{"usage": {"input_tokens": 3}}', "application/json", ""),
        (b'{"usage": {"input_tokens": 3, "output_tokens": -4}}', "application/json", ""),
        (b'{"usage": {"output_tokens": %d}}' % (MOST_TOKENS + 1), "application/json", ""),
        (b'{"usage": {"output_tokens": true}}', "application/json", ""),
        (b'{"usage": {"output_tokens": 4}}' + b" " * LONGEST_LINE, "application/json", ""),
        (b'{"usage": {"output_tokens": 4}', "application/json", ""),
        (b"\x1f\x8b\x08", "application/json", "gzip"),
        (ANSWER, "application/json", ""),
        (ANSWER, STREAM, "gzip"),
        (ANSWER, STREAM, "br, identity"),
    ],
)
def test_an_answer_that_says_nothing_readable_costs_the_worst_case(
    body: bytes, kind: str, encoding: str
) -> None:
    quoted = Quote(price_of("opus"), Usage(cache_write_1h=1000), max_tokens=32_000)
    assert quoted.cost_usd(read(body, kind=kind, encoding=encoding)) == quoted.worst_usd


@given(st.lists(st.binary(max_size=200)), st.sampled_from([STREAM, "application/json"]))
def test_no_bytes_make_the_reader_fail(chunks: list[bytes], kind: str) -> None:
    assert read(*chunks, kind=kind).usage == Usage()


def small(worst_usd: float) -> Quote:
    """A call that can cost this much."""
    return Quote(Price(worst_usd / 5), Usage(), 1_000_000)


def test_the_first_call_of_a_small_budget_is_made() -> None:
    assert Ledger(1.0).admission() is Admission.NOW
    opus = quote({"model": "opus", "max_tokens": 128_000}, 200_000)
    assert opus.worst_usd > 1
    assert Ledger(1.0).opened(opus).admission() is Admission.LATER


def test_a_call_that_cost_less_than_it_could_leaves_the_rest() -> None:
    ledger = Ledger(1.0).opened(small(3)).closed(small(3), 0.4, WHOLE)
    assert (ledger.admission(), ledger.reserved_usd) == (Admission.NOW, 0)
    assert (ledger.spent.requests, ledger.spent.input_tokens, ledger.spent.output_tokens) == (1, 380, 40)
    assert ledger.spent.cost_usd == pytest.approx(0.4)


@pytest.mark.parametrize("cost_usd", [1.0, 1.7])
def test_a_budget_that_is_gone_stays_gone(cost_usd: float) -> None:
    ledger = Ledger(1.0).opened(small(3)).closed(small(3), cost_usd, Usage())
    assert ledger.admission() is Admission.NEVER
    assert ledger.opened(small(1)).closed(small(1), 0, Usage()).admission() is Admission.NEVER


def test_calls_that_cost_nothing_come_to_an_end_too() -> None:
    ledger = Ledger(1.0, calls=MOST_CALLS - 1)
    assert ledger.admission() is Admission.NOW
    assert ledger.opened(small(1)).closed(small(1), 0, Usage()).admission() is Admission.NEVER


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.booleans())))
def test_a_job_costs_less_than_its_budget_and_the_worst_case_of_one_call(
    attempts: list[tuple[float, float, bool]],
) -> None:
    ledger, open_calls, dearest = Ledger(2.0), list[tuple[Quote, float]](), 0.0
    for worst, share, ends in attempts:
        if ledger.admission() is Admission.NOW:
            quoted = small(worst)
            dearest = max(dearest, quoted.worst_usd)
            ledger = ledger.opened(quoted)
            open_calls.append((quoted, share * quoted.worst_usd))
        if ends and open_calls:
            quoted, cost = open_calls.pop(0)
            ledger = ledger.closed(quoted, cost, Usage())
    for quoted, cost in open_calls:
        ledger = ledger.closed(quoted, cost, Usage())
    assert ledger.spent.cost_usd <= 2.0 + dearest + 1e-6
