"""What Jira, GitHub and the bucket hand out is read up to a bound: much of it is written by strangers."""

import gzip
import socket
from collections.abc import Iterator

import boto3
import pytest
import requests
from github import Auth, Github
from github.Requester import Requester
from tests.contract.raw_server import RawServer, Script
from tests.fakes.events import FakeEvents

from alm.aws import BUCKET, LocalAws
from orchestrator import bootstrap
from orchestrator.adapters import github_reviews, s3
from orchestrator.adapters.bounded_answers import LARGEST_ANSWER, MIB, bounding
from orchestrator.adapters.github_errors import translated
from orchestrator.adapters.github_traffic import count_github
from orchestrator.config import JiraSettings
from orchestrator.errors import RefusedError
from orchestrator.secret_values import JiraSecret

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless(connection: socket.socket) -> None:
    """A body that never ends: it stops when the other side hangs up."""
    connection.sendall(HEAD + b"\r\n[")
    for _ in range(1024):
        connection.sendall(b'"0123456789abcdef",' * 55_000)


def packed(connection: socket.socket) -> None:
    """A few kilobytes that unpack to more than anybody reads."""
    body = gzip.compress(b"[" + b" " * (2 * LARGEST_ANSWER) + b"]")
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head + body)


def said(script: Script, largest: int = LARGEST_ANSWER) -> requests.Response:
    session = requests.Session()
    session.hooks["response"].append(bounding("Jira", largest))
    with RawServer(script) as server:
        return session.get(server.url, timeout=30)


@pytest.mark.parametrize("script", [endless, packed])
def test_an_answer_without_end_is_not_read_to_its_end(script: Script) -> None:
    with pytest.raises(RefusedError, match="An answer of Jira is larger than 16 MiB, so it was not read"):
        said(script)


@pytest.mark.parametrize("size", [0, 1, MIB])
def test_an_answer_within_the_bound_is_the_same_as_ever(size: int) -> None:
    body = b'"' + b"x" * size + b'"'
    answer = said(
        lambda connection: connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    )
    assert (answer.content, answer.json(), answer.text) == (body, "x" * size, body.decode())


def test_an_answer_that_breaks_off_is_still_an_error_of_the_connection() -> None:
    with pytest.raises(requests.RequestException):
        said(lambda connection: connection.sendall(HEAD + b"Content-Length: 99\r\n\r\nhalf"))


@pytest.fixture
def counted() -> Iterator[None]:
    count_github(FakeEvents())
    yield
    Requester.resetConnectionClasses()


@pytest.mark.usefixtures("counted")
def test_github_is_bounded() -> None:
    with RawServer(endless) as server, pytest.raises(RefusedError, match="GitHub is larger"), translated():
        Github(auth=Auth.Token("x"), base_url=server.url, retry=None).get_repo("acme/shop")


def test_jira_is_bounded_with_a_log_and_without() -> None:
    secret = JiraSecret(client_id="x", client_secret="y")
    with RawServer(endless) as server:
        told = {"JIRA_URL": server.url, "JIRA_PROJECT_KEY": "DEMO", "ATLASSIAN_TOKEN_URL": server.url}
        for log in (None, FakeEvents()):
            jira = bootstrap.jira(JiraSettings.read(told), secret, log)
            with pytest.raises(RefusedError, match="Jira is larger"):
                jira.read("X-1")


def test_an_object_larger_than_anything_we_store_is_as_good_as_none(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",  # made up
    )
    artifacts = s3.S3Artifacts(client, BUCKET)
    artifacts.put("jobs/large", b"x" * 1001)
    assert artifacts.get("jobs/large") == b"x" * 1001
    monkeypatch.setattr(s3, "LARGEST_OBJECT", 1000)
    assert artifacts.get("jobs/large") is None
    artifacts.put("jobs/large", b"x" * 1000)
    assert artifacts.get("jobs/large") == b"x" * 1000


def test_a_list_whose_pages_never_end_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_reviews, "MOST_PAGES", 3)
    page = b'Link: <http://x/?page=2>; rel="next"\r\nContent-Length: 3\r\n\r\n[1]'
    with RawServer(lambda connection: connection.sendall(HEAD + page)) as server:
        client = Github(auth=Auth.Token("x"), base_url=server.url, retry=None, lazy=True)
        reviews = github_reviews.GitHubReviews(client.get_repo("acme/shop"))
        assert len(list(reviews._all(f"{server.url}/reviews"))) == 3  # noqa: SLF001  # the bound is the rule
        assert len(server.requests) == 3
