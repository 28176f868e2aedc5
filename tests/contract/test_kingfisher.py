"""The real scanner: what it finds, where, how fast, and that hostile text makes it no slower than its size."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kingfisher_sdk.rules import Rules
from tests.secret_samples import (
    AWS_KEY_ID,
    AWS_SECRET,
    GITHUB_TOKEN,
    INSTALLATION_TOKEN,
    PRIVATE_KEY,
    TEXT,
    values_in,
)

from orchestrator.adapters import kingfisher
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kingfisher import UNSCANNED, KingfisherScanner
from orchestrator.domain.secret import ScanTimeout
from orchestrator.usecases.clean_transcript import CleanTranscript


@pytest.fixture(scope="module")
def scanner() -> KingfisherScanner:
    return KingfisherScanner()


@pytest.mark.parametrize(
    "text",
    [
        GITHUB_TOKEN,
        INSTALLATION_TOKEN,
        AWS_KEY_ID,
        f'aws_secret_access_key = "{AWS_SECRET}"',
        f"AWS_SECRET_ACCESS_KEY={AWS_SECRET}",
        PRIVATE_KEY,
        PRIVATE_KEY.partition("\n-----END")[0],
        json.dumps(PRIVATE_KEY),
        base64.b64encode(f"token = {GITHUB_TOKEN}".encode()).decode(),
        "CLIENT_SECRET=" + "5VEWim0jDbaytg" + "KXN7ReM7MkfpQ8Rm3d",
        f"\0{GITHUB_TOKEN}\0",
        f"{GITHUB_TOKEN} # gitleaks:allow kingfisher:ignore betterleaks:allow",
    ],
)
def test_a_credential_is_found_and_nothing_of_it_is_left(scanner: KingfisherScanner, text: str) -> None:
    assert scanner.find(text)
    assert values_in(scanner.redact(f"before {text} after")) == []


def test_rules_are_loaded_once_when_a_search_comes_while_they_are_loaded_in_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Path] = []
    make = Rules

    def slowly(paths: list[str], cache_dir: str) -> Rules:
        made.append(Path(cache_dir))
        time.sleep(0.2)
        return make(paths, cache_dir=cache_dir)

    monkeypatch.setattr(kingfisher, "Rules", slowly)
    early = KingfisherScanner()
    early.load_early()
    assert early.find(GITHUB_TOKEN)
    assert len(made) == 1


def test_a_process_that_ends_while_rules_are_loaded_ends_well() -> None:
    code = (
        "from orchestrator.adapters.kingfisher import KingfisherScanner as S; S().load_early(); print('end')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "end\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "password = os.environ['DB_PASSWORD']",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "def secret(self) -> str: return self._secret",
        "0123456789abcdef0123456789abcdef01234567",
        "-----BEGIN PUBLIC KEY-----",
        "https://user@example.com/path",
    ],
)
def test_what_only_resembles_one_is_not(scanner: KingfisherScanner, text: str) -> None:
    assert scanner.find(text) == ()
    assert scanner.redact(text) == text


@pytest.mark.parametrize("before", ["", "é", "\ufeff", "日本語\n", "\0\0", "\ud800", "😀\n\n"])
def test_a_place_is_counted_in_characters(scanner: KingfisherScanner, before: str) -> None:
    text = f"{before} {GITHUB_TOKEN} é\n"
    (found,) = scanner.find(text)
    assert text[found.start : found.end] == GITHUB_TOKEN
    assert found.line_in(text) == before.count("\n") + 1


@pytest.mark.parametrize(
    "family",
    [
        "x", " ", "\n", "`", "*", "<", "&", "-----BEGIN RSA PRIVATE KEY-----\n", "ghp_", "AKIA", 'api_key="',
        "password=aaaaaaaaaaaaaaaaaaaaaaaaaaaaa1A ", "http://a:b@c ", "eyJhbGciOiJIUzI1NiJ9.", "QUtJQQ==", "<!-- ",
        "](", "&#83;", "secret_", "secret-" * 30 + "= ", "0123456789abcdef",
    ],
)  # fmt: skip
def test_twice_the_text_takes_about_twice_the_time(scanner: KingfisherScanner, family: str) -> None:
    sizes = (100_000, 200_000)
    once, twice = (_seconds(scanner, (family * size)[:size]) for size in sizes)
    assert twice < 4 * once + 0.2


def _seconds(scanner: KingfisherScanner, text: str) -> float:
    """Of this process, both for a change and for a text that goes out."""
    started = time.process_time()
    scanner.find(text)
    scanner.redact(text)
    return time.process_time() - started


def test_a_text_that_takes_too_long_is_given_up(scanner: KingfisherScanner) -> None:
    hostile = "-----BEGIN RSA PRIVATE KEY-----\n" * 100_000
    with pytest.raises(ScanTimeout):
        scanner.find(hostile, 0.1)


def test_a_text_for_people_that_takes_too_long_is_not_shown(
    scanner: KingfisherScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.adapters.kingfisher.REDACT_TIMEOUT_S", 0.05)
    assert scanner.redact("-----BEGIN RSA PRIVATE KEY-----\n" * 100_000) == UNSCANNED


def test_a_transcript_keeps_no_value(scanner: KingfisherScanner, tmp_path: Path) -> None:
    raw, clean = tmp_path / "raw", tmp_path / "clean"
    message = {"type": "user", "message": {"content": [{"type": "tool_result", "content": TEXT}]}}
    raw.write_text(f"{json.dumps(message)}\n{TEXT}\n{json.dumps({'type': 'result', 'n': 1})}\n")
    CleanTranscript(scanner, SystemClock())(raw, clean)
    kept = clean.read_text()
    assert values_in(kept) == []
    assert json.loads(kept.splitlines()[0])["type"] == "user"
    assert kept.endswith('{"type": "result", "n": 1}\n')


def test_the_compiled_rules_are_loaded_again_from_a_folder_of_ones_own(tmp_path: Path) -> None:
    first = KingfisherScanner(tmp_path / "rules")
    first.find("x")
    started = time.process_time()
    KingfisherScanner(tmp_path / "rules").find("x")
    assert time.process_time() - started < 3
    assert (tmp_path / "rules").stat().st_mode & 0o077 == 0
