"""The bucket as a dictionary."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.faults import Faults

from orchestrator.domain.outcome import JobResult
from orchestrator.ports import ArtifactStore
from orchestrator.usecases.stored_results import read_whole_result


@dataclass
class FakeArtifacts:
    """Contents by key."""

    contents: dict[str, bytes] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def put(self, key: str, content: bytes) -> None:
        self.faults.strike("put")
        self.contents[key] = content

    def put_new(self, key: str, content: bytes) -> bool:
        self.faults.strike("put_new")
        if key in self.contents:
            return False
        self.contents[key] = content
        return True

    def get(self, key: str) -> bytes | None:
        self.faults.strike("get")
        return self.contents.get(key)

    def put_file(self, key: str, path: Path) -> None:
        self.faults.strike("put_file")
        self.contents[key] = path.read_bytes()

    def result(self, job_id: str) -> JobResult:
        """The stored result of a job."""
        result = read_whole_result(self, job_id)
        assert result is not None
        return result


if TYPE_CHECKING:
    _store: ArtifactStore = FakeArtifacts()
