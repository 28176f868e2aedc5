"""The artifact bucket: briefs, results, transcripts, changesets."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The largest result holds a change of 25 MB, in base64. The worker writes it, and the smallest reader has 512 MiB.
LARGEST_OBJECT = 48 * 1024 * 1024
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: there already, or being put there.
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class S3Artifacts:
    """One bucket; it encrypts and expires by its own configuration."""

    client: "S3Client"
    bucket: str

    def put(self, key: str, content: bytes) -> None:
        """Store, replacing."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def put_new(self, key: str, content: bytes) -> bool:
        """Store unless something is stored there; whether it was."""
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _TAKEN:
                return False
            raise
        return True

    def get(self, key: str) -> bytes | None:
        """The content, None if there is none or it is larger than anything we store."""
        try:
            stored = self.client.get_object(Bucket=self.bucket, Key=key)
        except self.client.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            # S3 answers 403 for a missing object to a caller that may not list the bucket. Our roles may list some
            # names only, and no document says how that counts: so the name is listed.
            if error.response["Error"]["Code"] != "AccessDenied" or self._is_listed(key):
                raise
            return None
        with closing(stored["Body"]) as body:
            return body.read() if stored["ContentLength"] <= LARGEST_OBJECT else None

    def _is_listed(self, key: str) -> bool:
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return any(entry.get("Key") == key for entry in found.get("Contents", ()))

    def put_file(self, key: str, path: Path) -> None:
        """Store a file without reading it into memory."""
        with path.open("rb") as content:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
