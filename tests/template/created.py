"""The stack created by moto's CloudFormation, in a process of its own; what moto skips is made here by hand.

moto skips secrets, bucket and topic policies, alarms, metric filters and schedules without an error: those are
asserted on in the transformed template. It names no FIFO queue, and knows no Outputs of a nested stack.
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from boto3.session import Session
from tests.template.templates import NESTED, Deployment, Json, written

from alm.aws import LocalAws
from alm.environment import REGION

STACK = "alm-orchestrator"
BUILT = "built"


@dataclass(frozen=True)
class Created:
    """A stack in moto."""

    session: Session
    endpoint: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A client of moto's."""
        named: Any = self.session
        return named.client(service, endpoint_url=self.endpoint)

    def function(self, name: str) -> Json:
        """What a function was given; `name` is that of its output."""
        found: Json = self.client("lambda").get_function_configuration(FunctionName=self.outputs[name])
        return found

    def environment(self, name: str) -> dict[str, str]:
        """What it is told in its environment."""
        return dict(self.function(name)["Environment"]["Variables"])


@contextmanager
def created(secrets: Mapping[str, str], **chosen: str) -> Iterator[Created]:
    """The stack with these parameters; every secret it makes gets the value given for its name."""
    with LocalAws({}) as aws:
        _without_docker(aws.endpoint)
        stack = Created(boto3.session.Session("local", "local", region_name=REGION), aws.endpoint, {})
        deployment = Deployment.of(**_own_network(stack), **chosen)
        resources = _ready(deployment, _secrets(stack, deployment, secrets))
        _upload(stack)
        outputs = {
            name: {"Value": deployment.decided(deployment.template["Outputs"][name]["Value"])}
            for name in deployment.outputs()
        }
        body = json.dumps({"Resources": resources, "Outputs": outputs}, default=str)
        stack.client("cloudformation").create_stack(StackName=STACK, TemplateBody=body)
        made = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        assert made["StackStatus"] == "CREATE_COMPLETE"
        told = {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
        yield Created(stack.session, stack.endpoint, told)


def _without_docker(endpoint: str) -> None:
    body = json.dumps({"lambda": {"use_docker": False}, "batch": {"use_docker": False}}).encode()
    asked = urllib.request.Request(f"{endpoint}/moto-api/config", body, method="POST")  # noqa: S310  # loopback
    urllib.request.urlopen(asked).close()  # noqa: S310  # loopback


def _own_network(stack: Created) -> dict[str, str]:
    """The network of infra/network.yaml, created first: moto passes on nothing of a nested one."""
    client = stack.client("cloudformation")
    told = {"BucketArn": "arn:aws:s3:::b", "TableArn": f"arn:aws:dynamodb:{REGION}:123456789012:table/t"}
    client.create_stack(
        StackName="network",
        TemplateBody=json.dumps(written("network"), default=str),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in told.items()],
    )
    made = client.describe_stacks(StackName="network")["Stacks"][0]
    outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
    return outputs


def _secrets(stack: Created, deployment: Deployment, values: Mapping[str, str]) -> dict[str, str]:
    """The secrets as `alm secrets push` leaves them: each one's ARN by its name in the template."""
    client = stack.client("secretsmanager")
    return {
        name: client.create_secret(Name=secret["Name"], SecretString=values.get(secret["Name"], "{}"))["ARN"]
        for name, secret in deployment.of_type("AWS::SecretsManager::Secret").items()
    }


def _ready(deployment: Deployment, arns: Mapping[str, str]) -> dict[str, Json]:
    """The resources, with what moto cannot do done."""
    text = json.dumps(deployment.resources, default=str)
    for name, arn in arns.items():
        text = text.replace(json.dumps({"Ref": name}), json.dumps(arn))
    resources: dict[str, Json] = json.loads(text)
    for name, resource in resources.items():
        resource.pop("Condition", None)
        if resource["Type"] == "AWS::SQS::Queue":
            resource["Properties"]["QueueName"] = f"{name}.fifo"
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            # moto adds up the containers' own shares, Fargate bounds the task.
            resource["Properties"]["ContainerDefinitions"][0]["Memory"] = 128
        if resource["Type"] == "AWS::CloudFormation::Stack":
            resource["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/{BUILT}/{name.lower()}.json"
    return resources


def _upload(stack: Created) -> None:
    """What `sam deploy` uploads: the nested templates, and something for code."""
    client = stack.client("s3")
    client.create_bucket(Bucket=BUILT)
    client.put_object(Bucket=BUILT, Key="by-sam", Body=b"code")
    for name in NESTED:
        client.put_object(
            Bucket=BUILT, Key=f"{name}.json", Body=json.dumps(written(name), default=str).encode()
        )
