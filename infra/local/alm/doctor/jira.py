"""Jira: sign-in, cloud id, project and its issue types, and what the service account may do in it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests

from alm.doctor.asking import Answered, ask
from alm.doctor.finding import Finding, fault, ok, warning
from alm.settings import LocalSettings, jira_secret
from orchestrator.adapters.atlassian_auth import AtlassianAuth
from orchestrator.bootstrap import clock
from orchestrator.config import JiraSettings

# What each is for. Labels are edited with EDIT_ISSUES; the status comment with the right to edit own comments.
NEEDED = {
    "BROWSE_PROJECTS": "to find and read issues",
    "EDIT_ISSUES": "to change labels and write the claim",
    "ADD_COMMENTS": "to post results",
    "EDIT_OWN_COMMENTS": "to keep the status comment up to date",
}
TOO_MUCH = {"ADMINISTER": "administer Jira", "ADMINISTER_PROJECTS": "administer the project"}
ISSUE_TYPES = ("Bug", "Story")
SCOPES = "Give the service account the scopes read:jira-work, write:jira-work, read:jira-user."


def account(settings: LocalSettings) -> Iterator[Finding]:
    """Everything that can be asked without changing anything."""
    told = JiraSettings.read(settings.poll_environment())
    auth = _auth(told, settings)
    headers = auth.headers()
    yield ok("jira sign-in", "the service account got an access token")
    api = f"{auth.api_url()}/rest/api/3"
    yield ok("jira site", f"{told.jira_url} is found")
    key = told.jira_project_key
    yield from _project(key, ask("GET", f"{api}/project/{quote(key, safe='')}", headers))
    asked = {"projectKey": key, "permissions": ",".join((*NEEDED, *TOO_MUCH))}
    yield from _rights(key, ask("GET", f"{api}/mypermissions", headers, params=asked))
    labelled = {"jql": f'project = "{key}" ORDER BY created DESC', "maxResults": 1, "fields": ["labels"]}
    yield from _labels(api, headers, ask("POST", f"{api}/search/jql", headers, json=labelled))


def _auth(told: JiraSettings, settings: LocalSettings) -> AtlassianAuth:
    session = requests.Session()
    session.auth = lambda request: request
    return AtlassianAuth(told, jira_secret(settings), session, clock())


def _project(key: str, answer: Answered) -> Iterator[Finding]:
    if answer.status != requests.codes.ok:
        yield _unseen("jira project", f"{key} is not shown ({answer.status})")
        return
    yield ok("jira project", f"{key} is there")
    types = answer.field("issueTypes")
    names = (
        {str(one.get("name")) for one in types if isinstance(one, dict)} if isinstance(types, list) else set()
    )
    if missing := [name for name in ISSUE_TYPES if name not in names]:
        yield warning(
            "jira issue types",
            f"{key} has no issue type {' or '.join(missing)}: labels on other types are rejected",
            "Add the type to the project, or other names to issue_types in prompts/*.md.",
        )


def _rights(key: str, answer: Answered) -> Iterator[Finding]:
    if answer.status != requests.codes.ok:
        yield _unseen("jira rights", f"they are not shown ({answer.status})")
        return
    for name, purpose in NEEDED.items():
        if answer.field("permissions", name, "havePermission") is True:
            yield ok(f"jira {name}", purpose)
        else:
            yield fault(
                f"jira {name}",
                f"missing: it is needed {purpose}",
                f"Give the account a role in {key} that grants it.",
            )
    for name, words in TOO_MUCH.items():
        if answer.field("permissions", name, "havePermission") is True:
            yield warning(
                f"jira {name}", f"the account may {words}, which it never needs", "Take that right away."
            )


def _labels(api: str, headers: Any, newest: Answered) -> Iterator[Finding]:
    """Labels can be edited only where the project's edit screen shows them: Jira says so of an issue."""
    issues = newest.field("issues")
    key = (
        issues[0].get("key") if isinstance(issues, list) and issues and isinstance(issues[0], dict) else None
    )
    if newest.status != requests.codes.ok:
        yield _unseen("jira search", f"refused ({newest.status})")
    elif not isinstance(key, str):
        yield warning("jira labels", "no issue to look at yet", "Create one and run `alm doctor` again.")
    else:
        yield _editable(key, ask("GET", f"{api}/issue/{quote(key, safe='')}/editmeta", headers))


def _editable(key: str, answer: Answered) -> Finding:
    operations = answer.field("fields", "labels", "operations")
    if isinstance(operations, list) and {"add", "remove"} <= set(map(str, operations)):
        return ok("jira labels", f"can be put on and taken off ({key})")
    return fault(
        "jira labels",
        f"cannot be edited on {key} ({answer.status})",
        "Put the field Labels on the project's edit screen, and let the account edit issues.",
    )


def _unseen(topic: str, what: str) -> Finding:
    return fault(topic, what, f"{SCOPES} Check JIRA_PROJECT_KEY and the account's role in the project.")
