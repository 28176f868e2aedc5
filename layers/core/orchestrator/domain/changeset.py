"""What the agent changed in the workspace, as values that a tree can be made of."""

import base64
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class FileMode(StrEnum):
    """Git's modes of things a pull request may hold."""

    REGULAR = "100644"
    EXECUTABLE = "100755"
    SYMLINK = "120000"


class FileChange(BaseModel):
    """One path: new content (base64) and mode, or neither when the file is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    mode: FileMode | None = None
    content_b64: str | None = None

    @classmethod
    def written(cls, path: str, mode: FileMode, content: bytes) -> "FileChange":
        """A file that was added or changed."""
        return cls(path=path, mode=mode, content_b64=base64.b64encode(content).decode())

    @classmethod
    def deleted(cls, path: str) -> "FileChange":
        """A file that is no more."""
        return cls(path=path)

    @property
    def content(self) -> bytes | None:
        """The bytes, None for a deletion."""
        return None if self.content_b64 is None else base64.b64decode(self.content_b64)


class Changeset(BaseModel):
    """Every change against `base_sha`, and the paths that no pull request of ours may carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base_sha: str
    changes: tuple[FileChange, ...] = ()
    blocked: tuple[str, ...] = ()
    diff: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed at all."""
        return not self.changes and not self.blocked
