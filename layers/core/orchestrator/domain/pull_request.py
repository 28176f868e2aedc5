"""A pull request that is to be reviewed, as the code host shows it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestrator.domain.untrusted import StorableText

# Where the agent finds the commit the change starts from; a name the repository cannot have taken.
MERGE_BASE_REF = "refs/alm/merge-base"
DIFF_COMMAND = f"git diff {MERGE_BASE_REF} HEAD"


class PullState(StrEnum):
    """Whether there is still something to review."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class ReviewSubject(BaseModel):
    """One pull request at one head."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    number: int
    url: str
    title: StorableText
    body: StorableText
    state: PullState
    head_sha: str
    merge_base_sha: str
    changed_files: int
