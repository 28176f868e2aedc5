"""The templates as CloudFormation reads them: transformed by SAM, then decided for one choice of parameters."""

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parents[2]
NESTED = ("network", "alarms", "dashboard")
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0f0f"
# What has no default: what a person has to say.
GIVEN = {
    "JiraUrl": "https://example.atlassian.net",
    "JiraProjectKey": "ABC",
    "GitHubRepo": "owner/name",
    "WorkerImageUri": "111122223333.dkr.ecr.eu-west-1.example/worker:1",
}
ON_LAMBDA = {"WorkerCompute": "lambda", "SandboxFloor": "vm-boundary"}
ON_BEDROCK = {
    "ModelProvider": "bedrock",
    "ModelIds": '{"claude-opus-5-5": "eu.anthropic.claude-opus-5-5-v1:0"}',
    "BedrockModelArns": "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-5-5-v1:0",
}
_ABSENT = object()

type Json = dict[str, Any]


@cache
def _read(path: str) -> Json:
    parsed: Json = yaml_parse((ROOT / path).read_text())
    return parsed


def written(name: str = "template") -> Json:
    """A template as it is written, CloudFormation's short tags spelled out."""
    return copy.deepcopy(_read("template.yaml" if name == "template" else f"infra/{name}.yaml"))


@cache
def _transformed() -> Json:
    template = json.loads(json.dumps(written(), default=str))
    for resource in template["Resources"].values():
        for local in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][local] = "s3://built/by-sam"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AWS_DEFAULT_REGION", "us-east-1")
        made: Json = transform(template, {}, ManagedPolicyLoader(None))
    return made


def transformed() -> Json:
    """The template after SAM's own transformation."""
    return copy.deepcopy(_transformed())


def parameters(template: Json, **chosen: str) -> dict[str, str]:
    """Each parameter's value: chosen, else what a person has to give, else its default."""
    known = {name: str(rule["Default"]) for name, rule in template["Parameters"].items() if "Default" in rule}
    return {**known, **GIVEN, **chosen}


@dataclass(frozen=True)
class Deployment:
    """One stack: a template and the values of its parameters."""

    template: Json
    values: dict[str, str]

    @classmethod
    def of(cls, **chosen: str) -> "Deployment":
        """The whole stack with these parameters chosen."""
        template = transformed()
        return cls(template, parameters(template, **chosen))

    @cached_property
    def resources(self) -> dict[str, Json]:
        """The resources that are made, without what was decided against."""
        return {
            name: {**resource, "Properties": self.decided(resource.get("Properties", {}))}
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.holds({"Condition": resource["Condition"]})
        }

    def of_type(self, kind: str) -> dict[str, Json]:
        """The properties of every resource of one type."""
        return {name: found["Properties"] for name, found in self.resources.items() if found["Type"] == kind}

    def properties(self, name: str) -> Json:
        """The properties of one resource."""
        found: Json = self.resources[name]["Properties"]
        return found

    def outputs(self) -> set[str]:
        """The names of the outputs that are given."""
        found = self.template["Outputs"].items()
        return {
            name
            for name, output in found
            if "Condition" not in output or self.holds({"Condition": output["Condition"]})
        }

    def broken_rules(self) -> set[str]:
        """The names of the rules that refuse these parameters."""
        return {
            name
            for name, rule in self.template.get("Rules", {}).items()
            if self.holds(rule.get("RuleCondition", True))
            and not all(self.holds(one["Assert"]) for one in rule["Assertions"])
        }

    def holds(self, condition: Any) -> bool:
        """Whether a condition is true; functions this does not know are an error."""
        if isinstance(condition, bool):
            return condition
        ((function, told),) = condition.items()
        truths: dict[str, Callable[[], bool]] = {
            "Condition": lambda: self.holds(self.template["Conditions"][told]),
            "Fn::Equals": lambda: bool(self.decided(told[0]) == self.decided(told[1])),
            "Fn::EachMemberEquals": lambda: all(one == told[1] for one in self.decided(told[0])),
            "Fn::Not": lambda: not self.holds(told[0]),
            "Fn::And": lambda: all(map(self.holds, told)),
            "Fn::Or": lambda: any(map(self.holds, told)),
        }
        return truths[function]()

    def decided(self, node: Any) -> Any:
        """The same with parameters, Fn::If and the functions of text put in; what AWS alone knows stays."""
        if isinstance(node, list):
            return [made for one in node if (made := self.decided(one)) is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (made := self._function(*next(iter(node.items())))) is not None:
            return made
        made = {name: self.decided(value) for name, value in node.items()}
        return {name: value for name, value in made.items() if value is not _ABSENT}

    def _function(self, name: str, told: Any) -> Any:
        """What an intrinsic function makes; None if only AWS knows."""
        made: dict[str, Callable[[], Any]] = {
            "Ref": lambda: self._referred(told),
            "Fn::If": lambda: self.decided(told[1] if self.holds({"Condition": told[0]}) else told[2]),
            "Fn::Sub": lambda: self._substituted(told),
            "Fn::Split": lambda: self.decided(told[1]).split(told[0]),
            "Fn::Select": lambda: self._selected(int(told[0]), self.decided(told[1])),
            "Fn::FindInMap": lambda: self._found(*(str(self.decided(one)) for one in told)),
        }
        return made[name]() if name in made else None

    def _selected(self, index: int, listed: Any) -> Any:
        # The zones of a Region are for AWS to know.
        return listed[index] if isinstance(listed, list) else None

    def _found(self, table: str, first: str, second: str) -> Any:
        return self.template["Mappings"][table][first][second]

    def _referred(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name not in self.values:
            return {"Ref": name}
        is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
        return self.values[name].split(",") if is_list else self.values[name]

    def _substituted(self, told: Any) -> Any:
        text, more = (told, {}) if isinstance(told, str) else told
        known = {**self.values, **{name: self.decided(value) for name, value in more.items()}}
        text = re.sub(r"\$\{(\w+)\}", lambda found: str(known.get(found[1], found[0])), text)
        return {"Fn::Sub": text} if "${" in text else text


def nested(name: str, within: Deployment, stack: str) -> Deployment:
    """A nested stack as its parent makes it; what AWS alone knows is told by the name of its resource."""
    told = within.properties(stack)["Parameters"]
    return Deployment(written(name), {key: _plain(value) for key, value in told.items()})


def _plain(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((_, name),) = value.items()
    return name if isinstance(name, str) else ".".join(name)


def statements(deployment: Deployment, role: str) -> Iterator[Json]:
    """What a role may do, by its own policies and by those of this stack it carries; single values as lists."""
    found = deployment.properties(role)
    documents = [policy["PolicyDocument"] for policy in found.get("Policies", ())]
    carried = [arn["Ref"] for arn in found.get("ManagedPolicyArns", ()) if isinstance(arn, dict)]
    documents += [deployment.properties(name)["PolicyDocument"] for name in carried]
    managed = deployment.of_type("AWS::IAM::ManagedPolicy").values()
    documents += [one["PolicyDocument"] for one in managed if {"Ref": role} in one.get("Roles", ())]
    for statement in (one for document in documents for one in document["Statement"]):
        yield {
            **statement,
            "Action": listed(statement["Action"]),
            "Resource": [name_of(one) for one in listed(statement["Resource"])],
        }


def granted(deployment: Deployment, role: str, service: str = "") -> dict[str, set[str]]:
    """Resource, by its name in the template, to what the role may do with it, of one service or of all."""
    allowed: dict[str, set[str]] = {}
    for statement in statements(deployment, role):
        actions = {action for action in statement["Action"] if action.startswith(service)}
        for resource in statement["Resource"] if actions else ():
            allowed.setdefault(resource, set()).update(actions)
    return allowed


def name_of(resource: Any) -> str:
    """What a policy's resource is called in the template, or its text."""
    if isinstance(resource, str):
        return resource
    ((_, name),) = resource.items()
    return name if isinstance(name, str) else name[0]


def listed(value: Any) -> list[Any]:
    """A policy says one value or a list of them."""
    return value if isinstance(value, list) else [value]
