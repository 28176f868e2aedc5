"""Bare clients of the GitHub stand-in: REST, PyGithub, and git with a token through a credential helper."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from github import Auth, Github
from github.Repository import Repository

from alm.standins.github import GitHubStandIn

HELPER = "!f() { echo username=x-access-token; echo password=$GIT_TOKEN; }; f"


@dataclass(frozen=True)
class Client:
    """A REST client with one token."""

    github: GitHubStandIn
    token: str

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        address = f"{self.github.api}/repos/{self.github.settings.full_name}{path}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(method, address, json=body, params=query, headers=headers, timeout=10)

    def create(self, path: str, body: Any) -> Any:
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()


def pygithub(github: GitHubStandIn) -> Repository:
    auth = Auth.Token(github.settings.write_token)
    # By default PyGithub waits 0.25 s between requests, 1 s between writes, and retries for minutes.
    hub = Github(
        auth=auth,
        base_url=github.api,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    return hub.get_repo(github.settings.full_name)


def git(folder: Path, token: str, *argv: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {
        "PATH": os.defpath,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_TOKEN": token,
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": "credential.helper",
        "GIT_CONFIG_VALUE_1": HELPER,
    }
    return subprocess.run(
        ["git", *argv], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
