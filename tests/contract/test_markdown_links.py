"""Which links show one address and lead to another."""

import pytest

from orchestrator.adapters.markdown_tokens import is_deceptive, split_addresses


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        ("https://bank.example", "https://evil.example"),
        ("bank.example", "https://evil.example"),
        ("www.bank.example/login", "https://evil.example/bank.example"),
        ("bank.example", "https://evil.example/bank.example"),
        ("bank.example", "https://bank.example.evil.example"),
        ("bank.example", "https://bank.example@evil.example"),
        ("bank.example/ours", "https://bank.example/theirs"),
        ("ask@bank.example", "mailto:ask@evil.example"),
        ("see bank.example", "https://evil.example"),
        ("bänk.example", "https://evil.example"),
        ("bank\uff0eexample", "https://evil.example"),
        ("https://bank", "https://evil.example"),
    ],
)
def test_a_text_that_could_be_taken_for_another_address_is_deceptive(shown: str, address: str) -> None:
    assert is_deceptive(shown, address)


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        ("the docs", "https://docs.example/x"),
        ("docs.example", "https://docs.example/x"),
        ("http://www.docs.example/", "https://docs.example/x"),
        ("https://docs.example/x?y=ä", "https://docs.example/x?y=%C3%A4"),
        ("DEMO-1", "https://jira.example/browse/DEMO-1"),
        ("ask@bank.example", "mailto:ask@bank.example"),
        ("e.g. this, v1.2 and 3.5 s", "https://docs.example/x"),
    ],
)
def test_any_other_text_is_honest(shown: str, address: str) -> None:
    assert not is_deceptive(shown, address)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://Kiss.example/i, ok", "https://Kiss.example/i"),
        ("HTTPS://x.example", "HTTPS://x.example"),
        ("1https://x.example", "https://x.example"),
        ("www.x.example/a_b.", "http://www.x.example/a_b"),
        ("xhttps://x.example and me@www.x.example", ""),
    ],
)
def test_a_bare_address_is_found_as_github_finds_it(text: str, found: str) -> None:
    assert next((address for _, address in split_addresses(text) if address), "") == found
