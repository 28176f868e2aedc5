"""Files of the repository as GitHub has them at a commit. Read by the publisher, which has no clone."""

import base64
from dataclasses import dataclass

from github.ContentFile import ContentFile
from github.Repository import Repository

from orchestrator.adapters.github_errors import translated
from orchestrator.domain.changeset import FileMode
from orchestrator.domain.repository_path import is_readable
from orchestrator.errors import NotFoundError

# GitHub's contents API sends none of the content of larger files: then the blob is asked for.
# https://docs.github.com/rest/repos/contents#get-repository-content
LARGEST_BLOB = 25_000_000


@dataclass(frozen=True)
class GitHubFiles:
    """What the gate asks of GitHub."""

    repository: Repository

    def content(self, path: str, commit: str | None = None) -> bytes | None:
        """The file at the commit (None: the default branch), None if there is none or it cannot be read."""
        if not is_readable(path):
            # It would lead to another address of the API.
            return None
        try:
            with translated():
                found = self.repository.get_contents(path, ref=commit or self.repository.default_branch)
                return None if isinstance(found, list) else self._bytes(found)
        except NotFoundError:
            return None

    def _bytes(self, file: ContentFile) -> bytes | None:
        if file.type != "file" or file.size > LARGEST_BLOB:
            return None
        if file.encoding == "base64":
            return file.decoded_content
        return base64.b64decode(self.repository.get_git_blob(file.sha).content)

    def executables(self, commit: str) -> frozenset[str]:
        """Every executable file of the commit, as far as GitHub lists them: 100,000 entries or 7 MB."""
        try:
            with translated():
                tree = self.repository.get_git_tree(commit, recursive=True).tree
                return frozenset(entry.path for entry in tree if entry.mode == FileMode.EXECUTABLE)
        except NotFoundError:
            return frozenset()
