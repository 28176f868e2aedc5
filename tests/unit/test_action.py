"""Front matter and settings: what is taken, and that every fault names its key."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.builders import action, catalogue, fix, front_matter

from orchestrator.domain.action import Action, Produces, Workspace


def _faulty_keys(fields: dict[str, Any]) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        Action.model_validate(fields)
    return {".".join(str(part) for part in error["loc"]) for error in caught.value.errors()}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Fix-It"),
        ("name", "x" * 41),
        ("label", "two words"),
        ("label", ""),
        ("label", "x" * 256),
        ("title", "two\nlines"),
        ("title", ""),
        ("order", -1),
        ("order", "10"),
        ("issue_types", []),
        ("issue_types", "Bug"),
        ("produces", "poem"),
        ("header", " leading space"),
        ("tools", []),
        ("tools", ["Read", "Raed"]),
        ("workspace", "writable"),
        ("network", "all"),
        ("network", None),
        ("network", ["example.net", "localhost"]),
        ("max_turns", 0),
        ("max_turns", 1.5),
        ("budget_usd", 0),
        ("budget_usd", "3"),
        ("budget_usd", True),
        ("budget_usd", float("inf")),
        ("budget_usd", float("nan")),
        ("timeout_minutes", -1),
        ("timeout_minutes", 481),
        ("result_schema", {}),
        ("result_schema", {"type": "object", "properties": {}}),
        ("result_schema", {"type": "array", "properties": {"a": {}}}),
        ("branch_prefix", "fix"),
        ("branch_prefix", "../fix-"),
        ("title_prefix", "a\nb"),
        ("template", ""),
        ("settings", None),
    ],
)
def test_a_bad_value_is_a_fault_that_names_its_key(key: str, value: object) -> None:
    assert _faulty_keys(front_matter(**{key: value})) == {key}


@pytest.mark.parametrize("key", sorted(set(front_matter())))
def test_a_missing_key_is_a_fault_that_names_it(key: str) -> None:
    fields = front_matter()
    del fields[key]
    assert _faulty_keys(fields) == {key}


def test_an_unknown_key_is_a_fault_that_names_it() -> None:
    assert _faulty_keys(front_matter(timeout_minuets=5)) == {"timeout_minuets"}


@pytest.mark.parametrize("missing", ["branch_prefix", "title_prefix"])
def test_an_action_that_makes_pull_requests_names_branch_and_title(missing: str) -> None:
    with pytest.raises(ValidationError, match="needs branch_prefix and title_prefix"):
        fix(**{missing: None})


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"permissions": {"allow": ["Read"]}}, "settings.permissions.deny"),
        ({"permissions": {"allow": [], "deny": ["Edit"]}}, "settings.permissions.allow"),
        ({"permissions": {"allow": ["Raed"], "deny": ["Edit"]}}, "settings.permissions.allow"),
        ({"permissions": {"allow": ["Read"], "deny": ["Edit("]}}, "settings.permissions.deny"),
        ({"permissions": {"allow": ["Read"], "deny": ["Edit()"]}}, "settings.permissions.deny"),
        ({"permissions": {"allow": ["Read"], "deny": [""]}}, "settings.permissions.deny"),
        ({"permissions": {"allow": ["Read"], "deny": ["Edit", 7]}}, "settings.permissions.deny.1"),
        ({"permissions": {"allow": ["Read"], "deny": ["Edit"], "ask": []}}, "settings.permissions.ask"),
        ({"permissions": {"allow": ["Read"], "deny": ["Edit"]}, "hooks": {}}, "settings.hooks"),
        ({}, "settings.permissions"),
    ],
)
def test_settings_the_cli_would_ignore_are_a_fault_that_names_the_key(
    settings: dict[str, Any], key: str
) -> None:
    assert _faulty_keys(front_matter(settings=settings)) == {key}


def test_a_network_is_none_or_hosts_in_one_spelling() -> None:
    assert action().network == ()
    assert action(network=["Registry.Example.org.", "*.Files.example.org"]).network == (
        *("registry.example.org", "*.files.example.org"),
    )


def test_words_of_the_file_become_values() -> None:
    made = fix(budget_usd=3, timeout_minutes=0.5)
    assert (made.produces, made.workspace) == (Produces.PULL_REQUEST, Workspace.READ_WRITE)
    assert (made.budget_usd, made.timeout_s) == (3.0, 30.0)


def test_an_action_is_for_its_issue_types_in_any_case() -> None:
    made = action(issue_types=["Bug", "Story"])
    assert [made.accepts(kind) for kind in ("Bug", "bug", "STORY", "Task", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_labels_are_taken_in_the_catalogues_order() -> None:
    known = catalogue()
    assert known.labels == ("ai-investigate", "ai-fix")
    assert known.first_asked(frozenset({"ai-fix", "ai-investigate", "x"})) == action()
    assert known.first_asked(frozenset({"ai-fix", "x"})) == fix()
    assert known.first_asked(frozenset({"x", "AI-FIX"})) is None


def test_the_catalogue_knows_its_actions_by_name() -> None:
    assert catalogue().named("fix") == fix()
    assert catalogue().named("impact") is None
