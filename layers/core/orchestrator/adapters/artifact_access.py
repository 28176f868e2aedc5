"""Temporary credentials for the objects of one job: a role for artifacts, narrowed by a session policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orchestrator.domain.tracking import Access
from orchestrator.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# A role that is assumed by a role lasts an hour at most.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
LASTS_S = 3600
_LONGEST_SESSION_NAME = 64


@dataclass(frozen=True)
class StsArtifactAccess:
    """Assumes `role` (an ARN) for one job at a time; `bucket` is the artifact bucket's name."""

    client: "STSClient"
    role: str
    bucket: str

    def __call__(self, job_id: str, continued: str) -> Access:
        """Credentials for the job's objects, and to read those of `continued` if that is a job's id."""
        try:
            answer = self.client.assume_role(
                RoleArn=self.role,
                RoleSessionName=job_id[-_LONGEST_SESSION_NAME:],
                DurationSeconds=LASTS_S,
                Policy=json.dumps(self.policy(job_id, continued), separators=(",", ":")),
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise TransientError(f"The job's artifacts could not be opened ({code}).") from error
        found = answer["Credentials"]
        return Access(
            access_key_id=found["AccessKeyId"],
            secret_access_key=found["SecretAccessKey"],
            session_token=found["SessionToken"],
            expires_at=found["Expiration"],
        )

    def policy(self, job_id: str, continued: str) -> dict[str, Any]:
        """What the session may do, as far as the role may do it too. Ids of jobs hold no wildcard."""
        own, earlier = f"jobs/{job_id}/", f"jobs/{continued}/"
        read = [f"{own}brief.json", *((f"{earlier}result.json", f"{earlier}changes-*") if continued else ())]
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": self._objects(read)},
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:PutObject"],
                    "Resource": self._objects([f"{own}result.json", f"{own}changes-*"]),
                },
                {
                    "Effect": "Allow",
                    "Action": ["s3:PutObject"],
                    "Resource": self._objects([f"{own}transcript.jsonl"]),
                },
                {
                    "Effect": "Allow",
                    "Action": "s3:ListBucket",
                    "Resource": self._arn,
                    "Condition": {
                        "StringLike": {"s3:prefix": [f"{own}*", *([f"{earlier}*"] if continued else [])]}
                    },
                },
                # The role's own policy says which key, and through which service.
                {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
            ],
        }

    @property
    def _arn(self) -> str:
        partition = self.role.split(":")[1]
        return f"arn:{partition}:s3:::{self.bucket}"

    def _objects(self, keys: list[str]) -> list[str]:
        return [f"{self._arn}/{key}" for key in keys]
