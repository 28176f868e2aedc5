"""Stored values outlive the release that wrote them. `formats/v1` and `v2` hold every field of those versions.

These files are never edited: another form gets another version and a folder of its own.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.builders import (
    SIGNER,
    brief,
    catalogue,
    changeset,
    denial,
    fault,
    fix_job,
    fix_result,
    issue,
    subject,
)

from orchestrator.adapters.sqs import delivery as received
from orchestrator.domain.changeset import Changeset, FileChange
from orchestrator.domain.issue import Claim, Leave, Resume, claimed_job, decide, is_newer
from orchestrator.domain.job import (
    FORMAT,
    PROCESSING_LABEL,
    Brief,
    ContextResult,
    Job,
    JobRecord,
    JobState,
    PastResult,
    Unfinished,
    read_stored,
)
from orchestrator.domain.ledger import Spent
from orchestrator.domain.outcome import JobResult
from orchestrator.errors import NEWER_AFTER_S, ForeignMessage, NewerFormat, NewerMessage

FORMATS = Path(__file__).parent / "formats"
V1, V2 = FORMATS / "v1", FORMATS / "v2"


def message(stored: bytes) -> Job:
    """A job as the queue hands it out."""
    return received(record(stored.decode())).job


def record(body: str) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"}
    return {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": attributes}


def claim(stored: bytes) -> Job | None:
    """A job as its issue's property has it."""
    return claimed_job(issue(claim=json.loads(stored)))


def job_record(stored: bytes) -> JobRecord:
    """What a table gives; how the table itself is read is tests/contract/test_job_store.py's."""
    return JobRecord.model_validate(json.loads(stored))


READERS: Mapping[str, Callable[[bytes], BaseModel | None]] = {
    "message": message,
    "claim": claim,
    "brief": Brief.read,
    "result": JobResult.read,
    "record": job_record,
}
STORED = {"brief": Brief.read, "result": JobResult.read}
PAST = PastResult(job_id="DEMO-1-investigate-1", comment_id="7", signature="0a" * 32)
# With everything that this release can say.
TODAY: Mapping[str, BaseModel] = {
    "message": fix_job(),
    "claim": fix_job(),
    "brief": brief(
        context=(ContextResult(action="investigate", title="Investigate", text="It is the cart."),),
        latest={"investigate": PAST},
        pull_request=42,
        status_comment="8",
        unfinished=Unfinished(action="fix", job_id="DEMO-1-fix-1", draft=True, signature="0b" * 32),
    ),
    "result": fix_result(
        changeset=changeset(blocked=(fault(),), diff="+x"),
        denials=(denial(),),
        subject=subject(),
        changes="0c" * 32,
        spent=Spent(requests=3, input_tokens=900, output_tokens=40, cost_usd=0.25),
        unformed=True,
        draft=True,
        continued=True,
    ),
    "record": JobRecord(**fix_job().model_dump(), state=JobState.WAITING, seen_at=5.0, sends=2),
}


def golden(kind: str, folder: Path = V1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{kind}.json").read_text())
    return found


def holds(whole: Any, part: Any) -> bool:
    """Whether everything that the part says stands in the whole."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_there_is_a_reader_for_everything_that_is_stored() -> None:
    for folder in (V1, V2):
        assert READERS.keys() == TODAY.keys() == {path.stem for path in folder.iterdir()}


@pytest.mark.parametrize("folder", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("kind", READERS)
def test_what_earlier_releases_wrote_is_read_and_nothing_of_it_is_lost(kind: str, folder: Path) -> None:
    """Fails after a field is added without a default, renamed or removed."""
    read = READERS[kind]((folder / f"{kind}.json").read_bytes())
    assert read is not None
    forgotten = {"held_until", "expires_at"}  # the table's own
    kept = {name: value for name, value in golden(kind, folder).items() if name not in forgotten}
    assert holds(read.model_dump(mode="json"), kept)


@pytest.mark.parametrize("kind", READERS)
def test_what_this_release_writes_it_reads(kind: str) -> None:
    assert READERS[kind](TODAY[kind].model_dump_json().encode()) == TODAY[kind]


@pytest.mark.parametrize("kind", TODAY)
def test_everything_that_is_stored_says_its_version(kind: str) -> None:
    assert json.loads(TODAY[kind].model_dump_json())["version"] == FORMAT == 2


# What another release of this version cannot read, should it meet more.
FIELDS: Mapping[type[BaseModel], str] = {
    Job: "action claimed_at issue_id issue_key job_id label signature version",
    Brief: "context description issue_type latest pull_request status_comment summary unfinished url version",
    JobResult: "branch changes changeset continued cost_usd denials draft duration_ms given_up model report sandbox "
    "spent subject summary text turns unformed verdict version",
    Changeset: "base_sha blocked changes diff",
    FileChange: "before content_b64 mode path",
}


@pytest.mark.parametrize("model", FIELDS)
def test_who_adds_a_field_to_what_is_stored_gives_it_another_version(model: type[BaseModel]) -> None:
    assert sorted(model.model_fields) == FIELDS[model].split()


NEWER = [{}, {"more": 1}, {"label": ["a", "b"], "summary": {}}]
VERSIONS = [3, 4, 10**9]


def newer(kind: str, changes: dict[str, Any], version: int = 3) -> bytes:
    """The same of a newer release; it may look like ours."""
    return json.dumps({**golden(kind), **changes, "version": version}).encode()


@pytest.mark.parametrize("changes", NEWER)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", STORED)
def test_what_a_newer_release_stored_is_its_even_if_it_looks_like_ours(
    kind: str, version: int, changes: dict[str, Any]
) -> None:
    with pytest.raises(NewerFormat) as raised:
        STORED[kind](newer(kind, changes, version))
    assert raised.value.after_s == NEWER_AFTER_S


@pytest.mark.parametrize("changes", NEWER)
def test_a_message_of_a_newer_release_is_told_from_one_that_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(NewerMessage):
        message(newer("message", changes))


@pytest.mark.parametrize("changes", NEWER)
def test_the_claim_of_a_newer_release_is_left_alone(changes: dict[str, Any]) -> None:
    claimed = issue(labels=frozenset({PROCESSING_LABEL}), claim=json.loads(newer("claim", changes)))
    assert (claimed_job(claimed), is_newer(claimed)) == (None, True)
    assert decide(claimed, catalogue(), now=4e9) == Leave(
        "a newer release of the orchestrator has claimed it"
    )


def test_a_signed_claim_is_resumed() -> None:
    claimed = issue(labels=frozenset({PROCESSING_LABEL}), claim=golden("claim", V2))
    vouched = SIGNER.vouch(claimed)
    assert vouched is not None
    assert decide(vouched, catalogue(), now=4e9) == Resume(fix_job())


def test_a_claim_of_a_release_that_did_not_sign_ends_with_a_word_on_the_ticket() -> None:
    vouched = SIGNER.vouch(issue(labels=frozenset({PROCESSING_LABEL}), claim=golden("claim")))
    assert vouched is not None
    decided = decide(vouched, catalogue(), now=4e9)
    assert isinstance(decided, Claim)
    assert decided.verdict is not None
    assert decided.verdict.heading == "NOTHING UNDER WAY"


@pytest.mark.parametrize("kind", STORED)
def test_a_field_that_no_release_wrote_at_this_version_makes_a_value_unreadable(kind: str) -> None:
    assert STORED[kind](json.dumps({**golden(kind), "version": 1, "more": 1}).encode()) is None


def test_a_message_or_claim_with_a_field_that_no_release_wrote_is_none_of_ours() -> None:
    odd = json.dumps({**golden("message"), "more": 1})
    with pytest.raises(ForeignMessage) as foreign:
        message(odd.encode())
    assert not isinstance(foreign.value, NewerMessage)
    assert claim(odd.encode()) is None


def test_a_record_may_hold_more_than_is_known_of_it() -> None:
    assert job_record(json.dumps({**golden("record"), "more": 1}).encode()) == job_record(
        json.dumps(golden("record")).encode()
    )


@pytest.mark.parametrize("version", ["2", True, None, [2], {}, "x"])
@pytest.mark.parametrize("kind", STORED)
def test_a_version_that_is_no_number_is_of_no_release(kind: str, version: object) -> None:
    odd = json.dumps({**golden(kind), "version": version, "more": 1})
    assert STORED[kind](odd.encode()) is None


@pytest.mark.parametrize(
    "stored", [b"", b"null", b"[]", b'"2"', b"2", b"\xff\xfe", b"[" * 100_000, b'{"version":']
)
def test_what_is_no_value_at_all_is_none(stored: bytes) -> None:
    assert read_stored(Brief, stored) is None


def test_a_record_of_the_first_release_counts_as_seen_never_and_not_attended() -> None:
    old = job_record((V1 / "record.json").read_bytes()).model_copy(update={"state": JobState.RUNNING})
    assert (old.seen_at, old.sends, old.cancel_asked, old.resumed) == (0.0, 0, False, False)
    assert (old.is_attended(1_795_000_061.0), old.spent_usd) == (False, 3.25)
