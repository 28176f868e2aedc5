"""Nothing in a project key or a label breaks out of the search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alm.standins.jql import parse_jql
from orchestrator.domain.jql import labelled_issues, quoted
from orchestrator.errors import ConfigError

# Everything but control characters, which are refused, and half surrogate pairs, which no configuration can hold.
TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs")))


def test_a_search_names_project_and_labels() -> None:
    assert labelled_issues("DEMO", ("ai-fix", "ai-processing")) == (
        'project = "DEMO" AND labels in ("ai-fix", "ai-processing") ORDER BY created ASC'
    )


def test_a_search_may_ask_for_the_newest_first() -> None:
    query = labelled_issues("DEMO", ("ai-fix",), newest_first=True)
    assert query == 'project = "DEMO" AND labels in ("ai-fix") ORDER BY created DESC'
    assert parse_jql(query).descending


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ('a"b', '"a\\"b"'),
        ("a\\", '"a\\\\"'),
        ('\\"', '"\\\\\\""'),
        ("it's", '"it\'s"'),
        ("OR", '"OR"'),
        ("", '""'),
    ],
)
def test_quotes_and_backslashes_stay_inside_their_string(value: str, literal: str) -> None:
    assert quoted(value) == literal


@pytest.mark.parametrize("control", ["\n", "\r", "\t", "\x00", "\x1b", "\x7f"])
def test_a_control_character_is_a_fault_of_the_configuration(control: str) -> None:
    with pytest.raises(ConfigError, match="control character"):
        labelled_issues("DEMO", (f"ai{control}fix",))


@pytest.mark.parametrize(
    "hostile",
    ['") OR project = X', '" OR "1" = "1', 'x\\") OR project = "SECRET', "\\", "\\\\", '"', "a, b", "-- x"],
)
def test_a_hostile_key_or_label_is_searched_for_and_nothing_else(hostile: str) -> None:
    query = parse_jql(labelled_issues(hostile, (hostile, "ai-fix")))
    assert [(clause.field, clause.values) for clause in query.clauses] == [
        ("project", (hostile,)),
        ("labels", (hostile, "ai-fix")),
    ]


@given(project=TEXT, labels=st.lists(TEXT, min_size=1))
def test_a_search_is_read_as_it_was_meant(project: str, labels: list[str]) -> None:
    query = parse_jql(labelled_issues(project, labels))
    by_project, by_labels = query.clauses
    assert (by_project.field, by_project.values) == ("project", (project,))
    assert (by_labels.field, by_labels.values) == ("labels", tuple(labels))
    assert not query.descending
