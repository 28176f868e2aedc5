"""No content is quoted below what it can be charged for, and honest content not far above it."""

import base64
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alm.standins import model_charges
from orchestrator.domain.ledger import quote
from orchestrator.domain.model_content import LONGEST_PROMPT, MOST_IMAGE_TOKENS, most_prompt

Block = dict[str, Any]


def png(width: int, height: int, size: int = 0) -> str:
    """A picture's head, and as many bytes of data as asked."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return base64.b64encode(head + b"\0" * size).decode()


def pdf(pages: int, text_bytes: int = 0) -> str:
    """Pages and, packed a thousand to one, so much text on them."""
    page = b"<< /Type /Page >>\n" * pages
    return base64.b64encode(
        b"%PDF-1.7\n" + page + b"stream\n" + zlib.compress(b"0" * text_bytes, 9) + b"endstream"
    ).decode()


def image(data: str, **more: Any) -> Block:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}, **more}


def document(source: Block, **more: Any) -> Block:
    return {"type": "document", "source": source, **more}


def asking(*content: Block, **more: Any) -> dict[str, Any]:
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": list(content)}],
        **more,
    }


def size_of(request: dict[str, Any]) -> int:
    return len(json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def tokens(request: dict[str, Any]) -> int:
    return most_prompt(request, size_of(request)).input_tokens


PDF = {"type": "base64", "media_type": "application/pdf", "data": pdf(1)}
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
texts = st.builds(lambda said: {"type": "text", "text": said}, words)
cached = st.sampled_from(
    [
        {},
        {"cache_control": {"type": "ephemeral"}},
        {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
)
images = st.builds(
    lambda width, height, size, more: image(png(width, height, size), **more),
    st.integers(1, 8000),
    st.integers(1, 8000),
    st.integers(0, 30_000),
    cached,
)
pdfs = st.builds(
    lambda pages, size: {**PDF, "data": pdf(pages, size)}, st.integers(0, 600), st.integers(0, 2_000_000)
)
plain = st.builds(lambda said: {"type": "text", "media_type": "text/plain", "data": said}, words)
inner = st.lists(st.one_of(texts, images), max_size=3)
whole = st.builds(lambda content: {"type": "content", "content": content}, inner)
documents = st.builds(
    lambda source, more: document(source, **more),
    st.one_of(pdfs, plain, whole),
    st.sampled_from([{}, {"citations": {"enabled": True}}, {"title": "x"}]),
)
results = st.builds(
    lambda content: {"type": "tool_result", "tool_use_id": "t", "content": content},
    st.one_of(words, st.lists(st.one_of(texts, images, documents), max_size=3)),
)
found = st.builds(
    lambda content: {"type": "search_result", "source": "x", "title": "y", "content": content},
    st.lists(texts, max_size=2),
)
calls = st.builds(
    lambda said: {"type": "tool_use", "id": "t", "name": "Read", "input": {"path": said}}, words
)
thoughts = st.builds(lambda said: {"type": "thinking", "thinking": said, "signature": "s"}, words)
blocks = st.one_of(texts, images, documents, results, found, calls, thoughts)
tools = st.lists(
    st.builds(
        lambda said: {"name": "x", "description": said, "input_schema": {"type": "object"}},
        st.text(max_size=99),
    ),
    max_size=2,
)
requests = st.builds(
    lambda content, system, offered, hint: {
        **asking(*({**block, **hint} for block in content), system=system),
        **({"tools": offered} if offered else {}),
    },
    st.lists(blocks, max_size=6),
    st.one_of(words, st.lists(texts, max_size=2)),
    tools,
    cached,
)


@settings(max_examples=400, deadline=None)
@given(requests, st.booleans())
def test_no_request_is_charged_above_its_quote(request: dict[str, Any], is_ascii: bool) -> None:
    sent = json.dumps(request, separators=(",", ":"), ensure_ascii=is_ascii)
    quoted = quote(request, len(sent.encode()))
    charged = quoted.price.of(_charged(request))
    assert charged <= quoted.worst_usd


def _charged(request: dict[str, Any]) -> Any:
    from orchestrator.domain.model_usage import usage_of  # noqa: PLC0415  # how the gateway reads it

    return usage_of({**model_charges.usage(request), "output_tokens": request["max_tokens"]})


@pytest.mark.parametrize(
    "block",
    [
        document(PDF),
        {"type": "tool_result", "content": [document(PDF)]},
        {"type": "tool_result", "content": [{"type": "tool_result", "content": [document(PDF)]}]},
        {"type": "tool_result", "source": {"content": []}, "content": [document(PDF)]},
        document({"type": "content", "content": [document(PDF)]}),
        document({"type": "url", "url": "https://x"}),
        document({"type": "file", "file_id": "x"}),
        document({"type": "text", "data": "x."}, citations={"enabled": True}),
        document({"type": "text", "data": "x."}, citations="odd"),
        document({}),
        {"type": "document"},
        {"type": "search_result", "content": [], "citations": {"enabled": True}},
        {"type": "web_fetch_tool_result", "content": {}},
        {"type": "container_upload", "file_id": "x"},
        {"type": "tool_reference", "tool_name": "x"},
        {"type": "of the future"},
        {"type": None},
        {"type": "tool_result", "content": {"type": "document"}},
        {},
        "a string",
    ],
    ids=str,
)
def test_what_bytes_do_not_bound_is_quoted_at_the_context_window(block: Any) -> None:
    assert tokens(asking(block)) == LONGEST_PROMPT
    assert tokens(asking(system=[block])) == LONGEST_PROMPT


def test_the_depth_of_a_request_is_no_danger() -> None:
    block: Block = document(PDF)
    for _ in range(20_000):
        block = {"type": "tool_result", "content": [block]}
    assert most_prompt(asking(block), 100).input_tokens == LONGEST_PROMPT


@pytest.mark.parametrize(
    "more", [{"system": None}, {"messages": None}, {"messages": "hi"}, {"messages": [None, 1, {}]}]
)
def test_a_request_of_another_form_is_quoted_all_the_same(more: dict[str, Any]) -> None:
    assert most_prompt(asking(**more), 100).input_tokens > 100


def test_an_image_costs_its_maximum_however_many_bytes_it_has() -> None:
    bare = tokens(asking(image("")))
    assert tokens(asking(image(png(8000, 8000, 5_000_000)))) == bare
    assert bare < MOST_IMAGE_TOKENS + 2500
    assert tokens(asking(*[image("")] * 3)) > 3 * MOST_IMAGE_TOKENS


def test_data_that_is_no_image_is_counted_by_its_bytes() -> None:
    odd = {"type": "image", "source": {"type": "of the future", "data": "x" * 50_000}}
    assert tokens(asking(odd)) > 50_000
    assert (
        tokens(asking({"type": "text", "text": "x", "source": {"type": "base64", "data": "x" * 50_000}}))
        > 50_000
    )


def test_no_prompt_is_longer_than_the_context_window() -> None:
    assert most_prompt(asking(), 30_000_000).input_tokens == LONGEST_PROMPT


@pytest.mark.parametrize(
    ("hint", "field"),
    [
        (None, "input"),
        ({"type": "ephemeral"}, "cache_write_5m"),
        ({"type": "ephemeral", "ttl": "5m"}, "cache_write_5m"),
        ({"type": "ephemeral", "ttl": "1h"}, "cache_write_1h"),
        ({"type": "ephemeral", "ttl": "9h"}, "cache_write_1h"),
        ("odd", "cache_write_1h"),
    ],
)
def test_the_cache_that_is_asked_for_is_in_the_quote(hint: Any, field: str) -> None:
    for place in (
        asking({"type": "text", "text": "x", "cache_control": hint}),
        asking(tools=[{"name": "x", "cache_control": hint}]),
    ):
        quoted = most_prompt(place, 1000)
        assert getattr(quoted, field) == quoted.input_tokens > 0
    both = asking({"type": "text", "cache_control": {}}, {"type": "text", "cache_control": {"ttl": "1h"}})
    assert most_prompt(both, 1000).cache_write_1h > 0
