"""The catalogue, read from `prompts/`: every fault is a ConfigError that names the file and the key."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

try:
    # Eight times as fast, and every worker reads all actions.
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import ValidationError

from orchestrator.adapters.jinja_prompts import template_fault
from orchestrator.domain.action import Action, Catalogue
from orchestrator.domain.issue import RESERVED_ACTIONS
from orchestrator.domain.job import PROCESSING_LABEL, RETRY_LABEL
from orchestrator.errors import ConfigError

FENCE = "---\n"


def load_catalogue(folder: Path) -> Catalogue:
    """Every action in the folder, in the order of their `order`, then name."""
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise ConfigError(f"{folder}: there is no action here (no .md file). Check PROMPTS_DIR.")
    orphans = {path.stem for path in folder.glob("*.json")} - {path.stem for path in paths}
    if orphans:
        raise ConfigError(f"{folder / min(orphans)}.json: there is no {min(orphans)}.md beside it")
    actions = sorted(map(load_action, paths), key=lambda action: (action.order, action.name))
    _refuse_duplicates(folder, actions)
    _refuse_unknown_context(folder, actions)
    return Catalogue(actions=tuple(actions))


def load_action(path: Path) -> Action:
    """One action from its Markdown file and the JSON file beside it."""
    front_matter, template = _split(path)
    settings_path = path.with_suffix(".json")
    settings = _settings(settings_path)
    reserved = {"name", "template", "settings"} & front_matter.keys()
    if reserved:
        raise ConfigError(f"{path}: {min(reserved)}: unknown key")
    try:
        action = Action.model_validate(
            {**front_matter, "name": path.stem, "template": template, "settings": settings}
        )
    except ValidationError as error:
        raise ConfigError(_explained(path, settings_path, error)) from None
    _refuse_idle_rules(settings_path, action)
    _check_schema(path, action)
    if fault := template_fault(template):
        raise ConfigError(f"{path}: template: {fault}")
    return action


def _split(path: Path) -> tuple[dict[str, Any], str]:
    text = _read(path)
    parts = text.split(FENCE, 2)
    if not text.startswith(FENCE) or len(parts) != 3:  # noqa: PLR2004  # before, front matter, template
        raise ConfigError(f"{path}: front matter: the file must start with it, between two lines of ---")
    try:
        front_matter = _UniqueKeysLoader(parts[1]).get_single_data()
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: front matter: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(front_matter, dict):
        raise ConfigError(f"{path}: front matter: it must be a mapping of keys to values")
    if not parts[2].strip():
        raise ConfigError(f"{path}: template: it is empty")
    return front_matter, parts[2].strip() + "\n"


class _UniqueKeysLoader(SafeLoader):
    """YAML would take the last of two equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if repeated := [key for key, number in keys.items() if number > 1]:
            raise yaml.constructor.ConstructorError(
                None, None, f"{repeated[0]} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


# By name: what other libraries register for SafeLoader would otherwise count here too.
_UniqueKeysLoader.add_constructor("tag:yaml.org,2002:map", _UniqueKeysLoader.construct_yaml_map)  # type: ignore[type-var]


def _settings(path: Path) -> Any:
    if not path.exists():
        raise ConfigError(f"{path}: missing: every action needs its Claude Code settings")
    try:
        return json.loads(_read(path), object_pairs_hook=_unique_keys(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON, so the CLI would ignore it: {error}") from None


def _unique_keys(path: Path) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        if repeated:
            raise ConfigError(f"{path}: {repeated[0]}: the key stands twice, so only one of them counts")
        return dict(pairs)

    return unique


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _explained(path: Path, settings_path: Path, error: ValidationError) -> str:
    fault = error.errors()[0]
    where = fault["loc"]
    file, keys = (settings_path, where[1:]) if where[:1] == ("settings",) else (path, where)
    message = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"]
    key = ".".join(map(str, keys)) or "the whole file"
    return f"{file}: {key}: {message}"


def _refuse_idle_rules(settings_path: Path, action: Action) -> None:
    for rule in action.settings.permissions.idle(action.tools):
        raise ConfigError(
            f"{settings_path}: permissions.allow: {rule!r} would do nothing: "
            f"its tool is not in tools of {action.name}.md"
        )


def _check_schema(path: Path, action: Action) -> None:
    try:
        Draft202012Validator.check_schema(action.result_schema)
    except SchemaError as error:
        where = ".".join(map(str, ("result_schema", *error.absolute_path)))
        raise ConfigError(f"{path}: {where}: {error.message}") from None


def _refuse_duplicates(folder: Path, actions: Iterable[Action]) -> None:
    owners: dict[str, str] = {}
    for action in actions:
        label = action.label.casefold()
        if action.name in RESERVED_ACTIONS:
            raise ConfigError(f"{folder / action.name}.md: name: {action.name} is the orchestrator's own")
        if label in {PROCESSING_LABEL, RETRY_LABEL}:
            raise ConfigError(f"{folder / action.name}.md: label: {action.label} is the orchestrator's own")
        if label in owners:
            raise ConfigError(
                f"{folder / action.name}.md: label: {action.label} is already the label of {owners[label]}.md"
            )
        owners[label] = action.name


def _refuse_unknown_context(folder: Path, actions: Iterable[Action]) -> None:
    names = {action.name for action in actions}
    for action in actions:
        for needed in action.context:
            if needed not in names - {action.name}:
                raise ConfigError(f"{folder / action.name}.md: context: there is no other action {needed}")
