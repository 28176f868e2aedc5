"""Which pull request a ticket speaks of."""

import pytest

from orchestrator.domain.pull_reference import ForeignPullRequest, PullReference, find_reference

SERVER, REPO = "https://github.com", "acme/shop"


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/acme/shop/pull/42",
        "see https://github.com/ACME/Shop/pull/42/files#diff-1.",
        "[the change](https://github.com/acme/shop/pull/42)",
        "<https://github.com/acme/shop/pull/42>",
        "PR #42",
        "pr: 42",
        "Pr 42",
        "PR#42",
        "PR: #42",
        "Pull Request #42",
        "pull request 42",
        "PULL  REQUEST: 42.",
        "(PR 42)",
        "PR 41, then PR 42",
        "PR #7 was replaced by https://github.com/acme/shop/pull/42",
        "https://github.com/other/repo/pull/1 led to PR 42",
    ],
)
def test_every_way_to_name_a_pull_request_is_read(text: str) -> None:
    assert find_reference([text], SERVER, REPO) == PullReference(42)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "#42",
        "the SUPR 42",
        "PR",
        "PR forty-two",
        "PR 42nd",
        "PR 42-b",
        "pr-42",
        "issue 42",
        "PR 4242424242",
        "https://github.com/acme/shop/issues/42",
    ],
)
def test_what_names_none_is_not_read_as_one(text: str) -> None:
    assert find_reference([text], SERVER, REPO) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop2/pull/42",
        "https://github.com/evil/shop/pull/42",
        "https://evil.example/acme/shop/pull/42",
        "https://github.com.evil.example/acme/shop/pull/42",
        "http://github.com/acme/shop/pull/42",
    ],
)
def test_another_repository_is_foreign(url: str) -> None:
    assert find_reference([f"look at {url} please"], SERVER, REPO) == ForeignPullRequest(url)


def test_the_first_text_that_names_one_counts() -> None:
    assert find_reference(["nothing", "PR 1", "PR 2"], SERVER, REPO) == PullReference(1)
    assert find_reference([], SERVER, REPO) is None


def test_a_megabyte_is_read_quickly_enough() -> None:
    assert find_reference(["pull request pr " * 60_000 + "PR 3"], SERVER, REPO) == PullReference(3)
