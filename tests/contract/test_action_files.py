"""The catalogue read from files: every fault is a ConfigError that names the file and the key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.adapters.action_files import load_catalogue
from orchestrator.errors import ConfigError

SETTINGS = {"permissions": {"allow": ["Read"], "deny": ["WebFetch"]}}
Front = Mapping[str, Any]
FRONT_MATTER: Front = {
    "label": "ai-look",
    "title": "Look",
    "order": 10,
    "issue_types": ["Bug"],
    "produces": "comment",
    "context": [],
    "header": "WHAT WAS SEEN",
    "tools": ["Read", "Grep"],
    "workspace": "read-only",
    "network": "none",
    "max_turns": 5,
    "budget_usd": 1.5,
    "timeout_minutes": 2,
    "result_schema": {"type": "object", "properties": {"summary": {"type": "string"}}},
}


def write(
    folder: Path, stem: str = "look", *, body: str = "Look at {{ ticket.key }}.", front: Front | None = None
) -> None:
    """An action's two files; None in `front` leaves the key out."""
    front = {key: value for key, value in {**FRONT_MATTER, **(front or {})}.items() if value is not None}
    (folder / f"{stem}.md").write_text(f"---\n{yaml.safe_dump(front)}---\n{body}\n")
    (folder / f"{stem}.json").write_text(json.dumps(SETTINGS))


def fault(folder: Path) -> str:
    """What is said of the folder, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_catalogue(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_an_action_is_its_two_files(tmp_path: Path) -> None:
    write(tmp_path)
    (action,) = load_catalogue(tmp_path).actions
    assert (action.name, action.label, action.timeout_s) == ("look", "ai-look", 120)
    assert action.template == "Look at {{ ticket.key }}.\n"
    assert action.settings.permissions.deny == ("WebFetch",)


def test_actions_come_in_their_order_then_by_name(tmp_path: Path) -> None:
    for name, order in (("b", 20), ("c", 10), ("a", 20)):
        write(tmp_path, name, front={"label": f"ai-{name}", "order": order})
    assert [action.name for action in load_catalogue(tmp_path).actions] == ["c", "a", "b"]


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "look.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_catalogue(tmp_path).labels == ("ai-look",)


def test_a_rule_in_the_template_is_no_end_of_the_front_matter(tmp_path: Path) -> None:
    write(tmp_path, body="One\n\n---\n\nTwo")
    (action,) = load_catalogue(tmp_path).actions
    assert action.template == "One\n\n---\n\nTwo\n"


def test_a_folder_without_actions_is_refused(tmp_path: Path) -> None:
    assert "no action here" in fault(tmp_path)
    assert "no action here" in fault(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "look.md: front matter: the file must start with it"),
        ("Just a template.\n", "look.md: front matter: the file must start with it"),
        ("---\nlabel: x\n", "look.md: front matter: the file must start with it"),
        ("\n---\nlabel: x\n---\n", "look.md: front matter: the file must start with it"),
        ("---\nlabel: [\n---\n", "look.md: front matter: not YAML"),
        ("---\nlabel: !!python/object:os.system x\n---\n", "look.md: front matter: not YAML"),
        ("---\n? {a: b}\n: c\n---\n", "look.md: front matter: not YAML"),
        ("---\n- label\n---\n", "look.md: front matter: it must be a mapping"),
        ("---\n---\nText\n", "look.md: front matter: it must be a mapping"),
        ("---\nlabel: a\nlabel: b\n---\n", "look.md: front matter: not YAML: label stands twice"),
    ],
)
def test_front_matter_that_cannot_be_read_is_refused(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path)
    (tmp_path / "look.md").write_text(text)
    assert fault(tmp_path).startswith(said)


@pytest.mark.parametrize("key", sorted(FRONT_MATTER.keys() - {"context"}))
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    write(tmp_path, front={key: None})
    assert fault(tmp_path) == f"look.md: {key}: Field required"


@pytest.mark.parametrize("key", ["labels", "Label", "name", "template", "settings", "model"])
def test_an_unknown_key_is_named(tmp_path: Path, key: str) -> None:
    write(tmp_path, front={key: "x"})
    assert fault(tmp_path) == f"look.md: {key}: unknown key"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label", 7),
        ("label", "two words"),
        ("label", ""),
        ("title", ["x"]),
        ("title", "two\nlines"),
        ("order", "10"),
        ("order", -1),
        ("order", True),
        ("issue_types", "Bug"),
        ("issue_types", []),
        ("produces", "review of everything"),
        ("context", "investigate"),
        ("header", ""),
        ("tools", []),
        ("tools", ["read"]),
        ("tools", ["Read", "WebFetch"]),
        ("workspace", "rw"),
        ("network", "all"),
        ("network", ["*.net"]),
        ("network", ["example.net:443"]),
        ("max_turns", 0),
        ("max_turns", 1.5),
        ("budget_usd", 0),
        ("budget_usd", "one"),
        ("timeout_minutes", 0),
        ("timeout_minutes", 481),
        ("result_schema", "object"),
        ("result_schema", {"type": "string"}),
        ("result_schema", {"type": "object", "properties": {}}),
        ("branch_prefix", "Fix/"),
        ("title_prefix", ""),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(tmp_path: Path, key: str, value: object) -> None:
    write(tmp_path, front={key: value})
    assert fault(tmp_path).startswith(f"look.md: {key}")


def test_a_schema_that_is_none_is_named_by_its_place(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"summary": {"type": "text"}}}
    write(tmp_path, front={"result_schema": schema})
    assert fault(tmp_path).startswith("look.md: result_schema.properties.summary.type: ")


def test_a_pull_request_needs_its_names(tmp_path: Path) -> None:
    write(tmp_path, front={"produces": "pull_request", "branch_prefix": "fix-"})
    assert "title_prefix" in fault(tmp_path)


def test_a_file_name_that_is_no_action_name_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "Look-Twice")
    assert fault(tmp_path).startswith("Look-Twice.md: name: ")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", "look.md: template: it is empty"),
        ("One\n{{ ticket.key }\n", "look.md: template: line 2: "),
        ("{% if context %}", "look.md: template: line 1: "),
        ("{{ tickets }}", "look.md: template: unknown name tickets; a template may use"),
        ("{{ ticket.reporter }}", "look.md: template: "),
        ("{{ ticket.key | shout }}", "look.md: template: line 1: "),
        ("{% include 'other.md' %}", "look.md: template: "),
        ("{{ ticket.key + 1 }}", "look.md: template: "),
        ("{{ ticket.key.__class__.__mro__ }}", "look.md: template: "),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused(tmp_path: Path, template: str, said: str) -> None:
    write(tmp_path, body=template)
    assert fault(tmp_path).startswith(said)


def test_missing_settings_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "look.json").unlink()
    assert fault(tmp_path).startswith("look.json: missing")


def test_settings_of_no_action_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "old.json").write_text("{}")
    assert fault(tmp_path) == "old.json: there is no old.md beside it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "look.json: not JSON"),
        ("{", "look.json: not JSON"),
        ("{} // comment", "look.json: not JSON"),
        ("\ufeff{}", "look.json: not JSON"),
        ("[" * 100_000, "look.json: not JSON"),
        ("[]", "look.json: the whole file: "),
        ("null", "look.json: the whole file: "),
        ("{}", "look.json: permissions: Field required"),
        ('{"permissions": {}, "permissions": {}}', "look.json: permissions: the key stands twice"),
        ('{"permissions": {"deny": [], "deny": []}}', "look.json: deny: the key stands twice"),
        ('{"permissions": {"allow": ["Read"], "deny": []}}', "look.json: permissions.deny: "),
        ('{"permissions": {"allow": [], "deny": ["Read"]}}', "look.json: permissions.allow: "),
        ('{"permissions": {"allow": ["Read"]}}', "look.json: permissions.deny: Field required"),
        ('{"permissions": {"allow": "Read", "deny": ["Edit"]}}', "look.json: permissions.allow: "),
        ('{"permissions": {"allow": ["Rea"], "deny": ["Edit"]}}', "look.json: permissions.allow: "),
        ('{"permissions": {"allow": ["Read()"], "deny": ["Edit"]}}', "look.json: permissions.allow: "),
        ('{"permissions": {"allow": ["Read(a"], "deny": ["Edit"]}}', "look.json: permissions.allow: "),
        ('{"permissions": {"allow": [1], "deny": ["Edit"]}}', "look.json: permissions.allow.0: "),
        (
            '{"permissions": {"allow": ["Read"], "deny": ["Edit"], "ask": []}}',
            "look.json: permissions.ask: unk",
        ),
        *(
            (json.dumps({**SETTINGS, key: {}}), f"look.json: {key}: unknown key")
            for key in ("hooks", "env", "mcpServers", "enableAllProjectMcpServers", "defaultMode", "sandbox")
        ),
        *(
            (
                json.dumps({"permissions": {**SETTINGS["permissions"], key: []}}),
                f"look.json: permissions.{key}: unknown key",
            )
            for key in ("defaultMode", "additionalDirectories")
        ),
        *(
            (
                json.dumps({"permissions": {"allow": [rule], "deny": ["Edit"]}}),
                f"look.json: permissions.allow: {said}",
            )
            for rule, said in (
                ("WebFetch", "Value error, 'WebFetch' cannot be allowed"),
                ("Read(config/.env)", "Value error, 'Read(config/.env)' cannot be allowed"),
                ("mcp__github", "Value error, 'mcp__github' is not a permission rule"),
                ("Bash", "'Bash' would do nothing: its tool is not in tools of look.md"),
            )
        ),
    ],
    ids=lambda text: text[:60],
)
def test_settings_the_cli_would_ignore_are_refused(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path)
    (tmp_path / "look.json").write_text(text)
    assert fault(tmp_path).startswith(said)


@pytest.mark.parametrize("name", ["look.md", "look.json"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    with (tmp_path / name).open("ab") as file:
        file.write(b"caf\xe9")
    assert fault(tmp_path) == f"{name}: not UTF-8 text"


@pytest.mark.parametrize("name", ["look.md", "look.json"])
def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert fault(tmp_path).startswith(f"{name}: cannot be read: ")


@pytest.mark.parametrize("label", ["ai-look", "AI-Look"])
def test_two_actions_with_one_label_are_refused(tmp_path: Path, label: str) -> None:
    write(tmp_path)
    write(tmp_path, "other", front={"label": label, "order": 20})
    assert fault(tmp_path) == f"other.md: label: {label} is already the label of look.md"


@pytest.mark.parametrize("label", ["ai-processing", "ai-retry", "AI-Retry"])
def test_the_orchestrators_own_labels_are_nobodys(tmp_path: Path, label: str) -> None:
    write(tmp_path, front={"label": label})
    assert fault(tmp_path).startswith(f"look.md: label: {label} is the orchestrator's own")


@pytest.mark.parametrize("name", ["recover", "retry"])
def test_the_names_of_what_is_only_told_are_nobodys(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert fault(tmp_path) == f"{name}.md: name: {name} is the orchestrator's own"


@pytest.mark.parametrize("needed", ["nothing", "look"])
def test_context_of_no_other_action_is_refused(tmp_path: Path, needed: str) -> None:
    write(tmp_path, front={"context": [needed]})
    assert fault(tmp_path) == f"look.md: context: there is no other action {needed}"
