"""What goes into the log is one short line without anything that looks like a credential."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.untrusted import scrubbed

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-bmF0_dXJl"


@pytest.mark.parametrize(
    "secret",
    [
        "ghs_" + "a" * 36,
        "ghp_" + "B1" * 18,
        "github_pat_11ABCDEFG0_xyz",
        "sk-ant-api03-abc_DEF-123",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "glpat-abcdefgh",
        "xoxb-1234-abcd",
        JWT,
        "ghs_cut1",
    ],
)
@pytest.mark.parametrize("around", ["{}", "curl -d '{}' http://a", "x={};y", "https://u:{}@host/path", "_{}"])
def test_a_credential_is_known_by_its_form(secret: str, around: str) -> None:
    line = scrubbed(around.format(secret), 500)
    assert secret not in line
    assert "[…]" in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql --password=hunter2 -h db", "mysql --password=[…] -h db"),
        ("tool --api-key hunter2 go", "tool --api-key […] go"),
        ("GITHUB_TOKEN='a b' make", "GITHUB_TOKEN=[…] make"),
        ('{"password": "hun ter", "a": 1}', '{"password": […], "a": 1}'),
        ("http://a/?token=hunter2&b=1", "http://a/?token=[…]&b=1"),
        ("Authorization: Basic aHVudGVyMg==", "Authorization: […]"),
        ("git clone https://me:hunter2@host/r", "git clone https://[…]@host/r"),
        ("aws_secret_access_key = hunter2", "aws_secret_access_key = […]"),
        ("echo -----BEGIN RSA PRIVATE KEY----- abc", "echo […]"),
    ],
)
def test_a_credential_is_known_by_its_name(text: str, shown: str) -> None:
    assert scrubbed(text, 200) == shown


@pytest.mark.parametrize(
    "text", ["/workspace/.env", "cat src/token_parser.py", "npm test -- --grep password", "git log -S eyJ"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert scrubbed(text, 200) == text


@given(st.text())
def test_the_line_is_short_printable_and_stays_as_it_is_when_scrubbed_again(text: str) -> None:
    line = scrubbed(text, 40)
    assert len(line) <= 40
    assert not set("\n\r\t\x1b\x00") & set(line)
    assert scrubbed(line, 40) == line


def test_a_megabyte_of_text_takes_no_time() -> None:
    for piece in ("a" * 10, "://a:", "--token ", "eyJ", "password=", "\x00"):
        assert len(scrubbed(piece * 100_000, 200)) <= 200
