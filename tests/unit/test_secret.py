"""Secrets in outgoing text, in the allow-list and in transcripts."""

import json
from pathlib import Path

import pytest
from tests.builders import denial, fix_result, verdict
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import RULE, FakeScanner

from orchestrator.domain.redaction import without_secrets
from orchestrator.domain.secret import SecretFinding, redacted
from orchestrator.domain.secret_allow import MOST_ENTRIES, allow_list
from orchestrator.usecases import clean_transcript
from orchestrator.usecases.clean_transcript import CleanTranscript

VALUE = "SECRET-1234"
GONE = f"[secret removed: {RULE}]"


@pytest.mark.parametrize(
    "split",
    [
        VALUE,
        "SECRET\\-1234",
        "SEC**RET-1234**",
        "SEC`RET`-1234",
        "SECRET-12<!-- x -->34",
        "SECRET-<b>1234</b>",
        "&#83;ECRET-1234",
        "SECRET&#x2d;1234",
        "SECRET-12\u200b34",
        "S\u00adECRET-1234",
        "[SECRET](https://x.example)-1234",
        "~~SECRET~~-1234",
    ],
)
def test_a_value_that_markdown_splits_is_replaced_whole(split: str) -> None:
    text = FakeScanner().redact(f"before {split} after")
    assert GONE in text
    assert "1234" not in text
    assert (text.startswith("before "), text.endswith(" after")) == (True, True)


@pytest.mark.parametrize("text", ["", "a * b [c](d) &amp; <e> `f`", "SECRET-", "\\", "&#99999999;", "<!-- "])
def test_a_text_without_a_value_stays_as_it_is(text: str) -> None:
    assert FakeScanner().redact(text) == text


def test_findings_that_overlap_leave_nothing_of_either() -> None:
    found = (SecretFinding("a", 2, 6), SecretFinding("b", 4, 8), SecretFinding("c", 2, 3))
    assert redacted("xxAAAABBxx", found) == "xx[secret removed: a]xx"


def test_every_text_of_a_result_is_redacted_and_nothing_else() -> None:
    result = fix_result(
        summary=VALUE,
        text=f"a {VALUE}",
        verdict=verdict(reason=VALUE),
        report={"findings": [{"title": VALUE, "line": 3}], VALUE: None},
        denials=(denial(target=VALUE),),
    )
    clean = without_secrets(result, FakeScanner().redact)
    assert VALUE not in clean.model_dump_json(exclude={"changeset"})
    assert clean.report == {"findings": [{"title": GONE, "line": 3}], GONE: None}
    assert clean.changeset == result.changeset


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("app.py", "an entry is a path pattern"),
        ("app.py rule sha256:00 more", "an entry is a path pattern"),
        ("app.py rule sha256:00", "64 hex digits"),
        ("app.py rule 1234", "64 hex digits"),
        ("../x rule", "below the repository's root"),
        ("*a*a*a*a rule", "at most 3 stars"),
    ],
)
def test_a_line_that_is_no_entry_is_named_by_its_number_and_not_quoted(line: str, reason: str) -> None:
    read = allow_list(f"# first\n\n{line}\n".encode())
    assert (read.entries, len(read.faults)) == ((), 1)
    assert read.faults[0].startswith("Line 3 of")
    assert reason in read.faults[0]
    assert line not in read.faults[0]


def test_an_allow_list_is_bounded() -> None:
    assert "larger than" in allow_list(b"x" * 300_000).faults[0]
    many = allow_list(b"a r\n" * (MOST_ENTRIES + 1))
    assert (len(many.entries), len(many.faults)) == (MOST_ENTRIES, 1)
    assert allow_list(None).faults == ()


def cleaned(tmp_path: Path, content: bytes, clock: FakeClock | None = None) -> list[bytes]:
    """The lines that are kept of a transcript."""
    (tmp_path / "raw").write_bytes(content)
    CleanTranscript(FakeScanner(), clock or FakeClock())(tmp_path / "raw", tmp_path / "clean")
    return (tmp_path / "clean").read_bytes().splitlines()


def test_a_transcript_without_secrets_is_kept_byte_by_byte(tmp_path: Path) -> None:
    content = b'{"a":  [1, "\\u00e9"]}\nno json\n{"b": 1}'
    assert b"\n".join(cleaned(tmp_path, content)) == content


def test_a_secret_in_a_transcript_is_replaced_wherever_it_is(tmp_path: Path) -> None:
    escaped = '{"a": ["\\u0053ECRET-1234"], "SECRET-4321": {"n": 1.5}}\n'
    first, second = cleaned(tmp_path, f"{escaped}plain {VALUE} text\n".encode())
    assert json.loads(first) == {"a": [GONE], GONE: {"n": 1.5}}
    assert second.decode() == f"plain {GONE} text"


def test_a_name_that_is_given_twice_hides_nothing(tmp_path: Path) -> None:
    (line,) = cleaned(tmp_path, f'{{"a": "{VALUE}", "a": "x"}}\n'.encode())
    assert json.loads(line) == {"a": "x"}


def test_a_line_that_is_too_long_is_left_out_and_the_next_one_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_transcript, "LONGEST_LINE", 50)
    first, second = cleaned(tmp_path, b"x" * 220 + b'\n{"b": 1}\n')
    assert json.loads(first)["subtype"] == "left_out"
    assert second == b'{"b": 1}'


def test_what_cannot_be_searched_in_time_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b'{"a": "x"}\n')
    CleanTranscript(FakeScanner(is_slow=True), FakeClock())(tmp_path / "raw", tmp_path / "clean")
    assert json.loads((tmp_path / "clean").read_bytes())["subtype"] == "left_out"


def test_deep_json_is_searched_as_text(tmp_path: Path) -> None:
    (line,) = cleaned(tmp_path, b'{"a": ' + b"[" * 100_000 + VALUE.encode() + b"\n")
    assert VALUE.encode() not in line
