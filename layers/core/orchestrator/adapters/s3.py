"""The artifact bucket: briefs, results, transcripts, changesets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class S3Artifacts:
    """One bucket; it encrypts and expires by its own configuration."""

    client: "S3Client"
    bucket: str

    def put(self, key: str, content: bytes) -> None:
        """Store, replacing."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes | None:
        """The content, None if there is none."""
        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def put_file(self, key: str, path: Path) -> None:
        """Store a file without reading it into memory."""
        with path.open("rb") as content:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
