"""What the agent changed in the workspace, as values that a tree can be made of."""

import base64
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from orchestrator.domain.untrusted import StorableText


class FileMode(StrEnum):
    """Git's modes of things a pull request may hold."""

    REGULAR = "100644"
    EXECUTABLE = "100755"
    SYMLINK = "120000"


class Ground(StrEnum):
    """Why a change is not published before a person has looked at it."""

    PROTECTED = "protected"
    UNREADABLE = "unreadable"
    GIT = "git"
    UNPORTABLE = "unportable"
    TOO_LONG = "too_long"
    TWIN = "twin"
    LINK = "link"
    SUBMODULE = "submodule"
    NESTED = "nested"
    HARD_LINK = "hard_link"
    TOO_LARGE = "too_large"
    TOO_LARGE_RULES = "too_large_rules"
    TOO_MANY_FILES = "too_many_files"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_SLOW = "too_slow"


class Fault(BaseModel):
    """One reason, and the path it is about; no path where it is about the whole change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ground: Ground
    path: StorableText = ""


class FileChange(BaseModel):
    """One path: new content (base64) and mode, or neither when the file is gone.

    `before` is what stood there in the commit: git's mode and object id, empty where nothing did, None if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    mode: FileMode | None = None
    content_b64: str | None = None
    before: str | None = None

    @model_validator(mode="after")
    def _mode_and_content_go_together(self) -> Self:
        if (self.mode is None) != (self.content_b64 is None):
            raise ValueError("a change has mode and content, or neither")
        return self

    @classmethod
    def written(cls, path: str, mode: FileMode, content: bytes, before: str | None = None) -> "FileChange":
        """A file that was added or changed."""
        encoded = base64.b64encode(content).decode()
        return cls(path=path, mode=mode, content_b64=encoded, before=before)

    @classmethod
    def deleted(cls, path: str, before: str | None = None) -> "FileChange":
        """A file that is no more."""
        return cls(path=path, before=before)

    @property
    def is_deletion(self) -> bool:
        """Whether the file is gone."""
        return self.mode is None

    @property
    def size(self) -> int:
        """Bytes of the content, without decoding it."""
        encoded = self.content_b64 or ""
        return len(encoded) // 4 * 3 - encoded[-2:].count("=")

    @property
    def content(self) -> bytes | None:
        """The bytes, None for a deletion."""
        return None if self.content_b64 is None else base64.b64decode(self.content_b64)


class Changeset(BaseModel):
    """Every change against `base_sha` that can be carried, and why it may not be published as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base_sha: str
    changes: tuple[FileChange, ...] = ()
    blocked: tuple[Fault, ...] = ()
    diff: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed at all."""
        return not self.changes and not self.blocked

    def blocked_by(self, faults: tuple[Fault, ...]) -> "Changeset":
        """The same, with these faults beside those it has."""
        return self.model_copy(update={"blocked": tuple(dict.fromkeys((*self.blocked, *faults)))})
