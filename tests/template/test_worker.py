"""Where a job runs: the Fargate task, its cluster and network, and the same image on Lambda."""

import pytest
from tests.template.templates import GIVEN, Deployment, Json, nested

from alm.image.platform import CAPABILITIES, FARGATE_ADDS

# What Docker gives a container, which Fargate does too.
GIVEN_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}


def container(deployment: Deployment) -> Json:
    (found,) = deployment.properties("WorkerTask")["ContainerDefinitions"]
    worker: Json = found
    return worker


def test_a_task_has_the_capabilities_that_the_image_is_tried_with(fargate: Deployment) -> None:
    capabilities = container(fargate)["LinuxParameters"]["Capabilities"]
    assert capabilities["Add"] == [FARGATE_ADDS]
    assert set(capabilities["Drop"]) == GIVEN_CAPABILITIES - set(CAPABILITIES)


def test_the_worker_writes_to_one_volume_and_nowhere_else(fargate: Deployment) -> None:
    worker = container(fargate)
    assert worker["ReadonlyRootFilesystem"] is True
    (mounted,) = worker["MountPoints"]
    assert mounted == {"SourceVolume": "work", "ContainerPath": "/var/lib/alm", "ReadOnly": False}
    assert fargate.properties("WorkerTask")["Volumes"] == [{"Name": "work"}]
    assert {"Name": "TMPDIR", "Value": "/var/lib/alm"} in worker["Environment"]


def test_the_worker_is_root_and_asks_for_no_privilege(fargate: Deployment) -> None:
    worker = container(fargate)
    assert worker["User"] == "0"
    assert not worker.get("Privileged")


def test_a_worker_that_is_stopped_has_time_to_tell(fargate: Deployment) -> None:
    worker = container(fargate)
    assert worker["StopTimeout"] == 120
    assert worker["LinuxParameters"]["InitProcessEnabled"] is True
    assert worker["Command"] == ["python", "-m", "run_job"]


def test_a_task_is_one_container_of_the_image_that_was_named(fargate: Deployment) -> None:
    worker, task = container(fargate), fargate.properties("WorkerTask")
    assert (worker["Image"], worker["Essential"]) == (GIVEN["WorkerImageUri"], True)
    assert (task["NetworkMode"], task["RequiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert worker["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": "WorkerLogs"}


# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
@pytest.mark.parametrize(
    ("size", "cpu", "memory"),
    [("small", "1024", "4096"), ("medium", "2048", "8192"), ("large", "4096", "16384")],
)
def test_a_size_is_one_that_fargate_has(size: str, cpu: str, memory: str) -> None:
    task = Deployment.of(WorkerSize=size).properties("WorkerTask")
    assert (task["Cpu"], task["Memory"]) == (cpu, memory)
    assert int(cpu) * 2 <= int(memory) <= int(cpu) * 8


@pytest.mark.parametrize(("told", "meant"), [("x86_64", "X86_64"), ("arm64", "ARM64")])
def test_the_processor_is_the_images(told: str, meant: str) -> None:
    task = Deployment.of(WorkerArchitecture=told, EphemeralStorageGiB="40").properties("WorkerTask")
    assert task["RuntimePlatform"] == {"CpuArchitecture": meant, "OperatingSystemFamily": "LINUX"}
    assert task["EphemeralStorage"] == {"SizeInGiB": "40"}


def test_workers_are_reached_by_nobody_and_reach_https_only(fargate: Deployment) -> None:
    group = fargate.properties("WorkerSecurityGroup")
    assert group["SecurityGroupIngress"] == []
    (way_out,) = group["SecurityGroupEgress"]
    assert (way_out["IpProtocol"], way_out["FromPort"], way_out["ToPort"]) == ("tcp", 443, 443)


def test_nobody_opens_a_shell_in_a_worker(fargate: Deployment) -> None:
    cluster = fargate.properties("Cluster")
    assert cluster["Configuration"]["ExecuteCommandConfiguration"]["Logging"] == "NONE"


def test_the_network_costs_nothing_by_itself(fargate: Deployment) -> None:
    network = nested("network", fargate, "Network")
    kinds = {resource["Type"] for resource in network.resources.values()}
    assert not kinds & {"AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::SecurityGroup"}
    endpoints = network.of_type("AWS::EC2::VPCEndpoint").values()
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}


def test_both_subnets_have_a_way_out_and_give_no_address_by_themselves(fargate: Deployment) -> None:
    network = nested("network", fargate, "Network")
    subnets = network.of_type("AWS::EC2::Subnet")
    routed = network.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
    assert {route["SubnetId"]["Ref"] for route in routed} == subnets.keys()
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets.values())
    (route,) = network.of_type("AWS::EC2::Route").values()
    assert route["GatewayId"] == {"Ref": "Gateway"}


def test_on_lambda_the_same_image_speaks_to_lambda(on_lambda: Deployment) -> None:
    function = on_lambda.properties("RunJob")
    assert function["Code"] == {"ImageUri": GIVEN["WorkerImageUri"]}
    assert function["ImageConfig"] == {
        "EntryPoint": ["python", "-m", "awslambdaric"],
        "Command": ["run_job.handler.handler"],
    }


def test_on_lambda_the_agent_ends_before_the_function_does(on_lambda: Deployment) -> None:
    function = on_lambda.properties("RunJob")
    told = function["Environment"]["Variables"]
    assert float(told["CLAUDE_TIMEOUT_SECONDS"]) + 100 <= function["Timeout"] == 900
    assert told["TMPDIR"] == "/tmp"
