"""Who reaches which job: a worker its own and no other, and nobody what is in a repository without need."""

import pytest
from tests.template.templates import granted, listed, name_of, statements
from tests.template.test_roles import BOTH, CHANGES, RESULT, TRANSCRIPT, roles, where


def test_the_worker_reaches_no_table_and_no_bucket_but_asks_track_job() -> None:
    for role in ("WorkerTaskRole", "RunJobRole"):
        assert not granted(where(role), role, "dynamodb:")
        assert not granted(where(role), role, "s3:")
        assert granted(where(role), role, "lambda:") == {"TrackJob": {"lambda:InvokeFunction"}}
    assert granted(BOTH["default"], "TrackJobRole", "dynamodb:") == {"JobsTable": {"dynamodb:UpdateItem"}}


def test_track_job_alone_opens_artifacts_and_only_with_that_role() -> None:
    for deployment in BOTH.values():
        openers = {role for role in roles(deployment) if granted(deployment, role, "sts:")}
        assert openers == {"TrackJobRole"}
        assert granted(deployment, "TrackJobRole", "sts:") == {"JobArtifactsRole": {"sts:AssumeRole"}}
    (trust,) = BOTH["default"].properties("JobArtifactsRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["TrackJobRole", "Arn"]}}}


def test_nobody_reads_transcripts_and_only_the_publisher_and_a_worker_read_changes() -> None:
    for deployment in BOTH.values():
        readers = {
            name: {
                role
                for role in roles(deployment)
                if "s3:GetObject" in granted(deployment, role).get(name, ())
            }
            for name in (TRANSCRIPT, CHANGES)
        }
        assert readers == {TRANSCRIPT: set(), CHANGES: {"JobArtifactsRole", "PublishResultRole"}}


@pytest.mark.parametrize("role", ["PollJiraRole", "TrackJobRole", "JobArtifactsRole", "PublishResultRole"])
def test_a_role_lists_only_names_that_it_may_read(role: str) -> None:
    (listing,) = (one for one in statements(where(role), role) if one["Action"] == ["s3:ListBucket"])
    prefixes = listed(listing["Condition"]["StringLike"]["s3:prefix"])
    readable = {name for name, done in granted(where(role), role).items() if "s3:GetObject" in done}
    assert {f"${{ArtifactsBucket.Arn}}/{prefix}" for prefix in prefixes} == readable


def test_results_and_changes_are_written_once() -> None:
    policy = BOTH["default"].properties("ArtifactsBucketPolicy")["PolicyDocument"]
    (once,) = (one for one in policy["Statement"] if one["Sid"] == "ResultsAreWrittenOnce")
    assert (once["Effect"], once["Principal"], once["Action"]) == ("Deny", "*", "s3:PutObject")
    assert {name_of(one) for one in once["Resource"]} == {RESULT, CHANGES}
    assert once["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }
    for deployment in BOTH.values():
        for role in roles(deployment):
            assert not granted(deployment, role, "s3:Delete")
