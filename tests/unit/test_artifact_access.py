"""What the session of a job may reach: a policy is read as IAM reads it, with wildcards in resources only."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from orchestrator.adapters.artifact_access import StsArtifactAccess

OWN, DRAFT, OTHER = "DEMO-1-fix-aaa", "DEMO-1-fix-bbb", "DEMO-2-fix-ccc"
ACCESS: Any = StsArtifactAccess(None, "arn:aws-cn:iam::111122223333:role/artifacts", "bucket")  # type: ignore[arg-type]
# A session policy in plain text: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
MOST_CHARACTERS = 2_048


def allows(policy: dict[str, Any], action: str, key: str) -> bool:
    arn = f"arn:aws-cn:s3:::bucket/{key}"
    return any(
        action in one["Action"] and any(fnmatchcase(arn, pattern) for pattern in one["Resource"])
        for one in policy["Statement"]
        if isinstance(one["Resource"], list)
    )


@pytest.mark.parametrize(
    ("key", "reads", "writes"),
    [
        (f"jobs/{OWN}/brief.json", True, False),
        (f"jobs/{OWN}/result.json", True, True),
        (f"jobs/{OWN}/changes-0f.json", True, True),
        (f"jobs/{OWN}/transcript.jsonl", False, True),
        (f"jobs/{DRAFT}/result.json", True, False),
        (f"jobs/{DRAFT}/changes-0f.json", True, False),
        (f"jobs/{DRAFT}/transcript.jsonl", False, False),
        (f"jobs/{DRAFT}/brief.json", False, False),
        (f"jobs/{OTHER}/brief.json", False, False),
        (f"jobs/{OTHER}/result.json", False, False),
        (f"jobs/{OTHER}/transcript.jsonl", False, False),
        (f"jobs/{OWN}x/result.json", False, False),
    ],
)
def test_a_session_reaches_its_own_job_and_the_one_it_continues(key: str, reads: bool, writes: bool) -> None:
    policy = ACCESS.policy(OWN, DRAFT)
    assert (allows(policy, "s3:GetObject", key), allows(policy, "s3:PutObject", key)) == (reads, writes)


def test_a_job_that_continues_nothing_reaches_no_other() -> None:
    assert not allows(ACCESS.policy(OWN, ""), "s3:GetObject", f"jobs/{DRAFT}/result.json")


def test_the_longest_policy_is_one_that_sts_takes() -> None:
    longest: Any = StsArtifactAccess(None, "arn:aws-cn:iam::111122223333:role/artifacts", "b" * 63)  # type: ignore[arg-type]
    # An issue key of 40 characters, an action of 40, a digest of 12.
    policy = longest.policy("D" * 94, "E" * 94)
    assert len(json.dumps(policy, separators=(",", ":"))) <= MOST_CHARACTERS
