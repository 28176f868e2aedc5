"""A job's result in the artifact store: what it came to in one object, what it changed in another.

The poll reads results, because later actions build on them, and must not read what is in the repository.
"""

import hashlib

from orchestrator.domain.changeset import Changeset
from orchestrator.domain.job import changes_key, read_stored, result_key
from orchestrator.domain.outcome import JobResult
from orchestrator.ports import ArtifactStore


def store_result(artifacts: ArtifactStore, job_id: str, result: JobResult) -> bool:
    """Store the result unless the job has one; whether it was stored. The changes are stored first, by their hash."""
    if result.changeset is not None:
        content = result.changeset.model_dump_json().encode()
        digest = hashlib.sha256(content).hexdigest()
        artifacts.put_new(changes_key(job_id, digest), content)
        result = result.model_copy(update={"changeset": None, "changes": digest})
    return artifacts.put_new(result_key(job_id), result.model_dump_json().encode())


def read_result(artifacts: ArtifactStore, job_id: str) -> JobResult | None:
    """What the job came to, without its changes; None if nothing readable is stored."""
    return JobResult.read(artifacts.get(result_key(job_id)))


def read_whole_result(artifacts: ArtifactStore, job_id: str) -> JobResult | None:
    """What the job came to, with its changes; None if either is missing, altered or unreadable."""
    result = read_result(artifacts, job_id)
    if result is None or result.changes is None:
        return result
    content = artifacts.get(changes_key(job_id, result.changes))
    if content is None or hashlib.sha256(content).hexdigest() != result.changes:
        return None
    changeset = read_stored(Changeset, content)
    return None if changeset is None else result.model_copy(update={"changeset": changeset, "changes": None})
