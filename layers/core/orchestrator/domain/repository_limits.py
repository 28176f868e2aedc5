"""How large a repository may be, and what the ticket says of one that is larger."""

from dataclasses import dataclass

GIB = 1024**3
# Linux has about 95,000 files.
MOST_FILES = 100_000
MOST_BYTES = 2 * GIB
# `PATH_MAX` of Linux: nothing can be unpacked to a longer path.
LONGEST_PATH = 4096
_AFTER = "Nothing was unpacked and the agent was not started."


@dataclass(frozen=True)
class RepositoryLimits:
    """`max_bytes` bounds the download, and again the files of the commit when they are unpacked."""

    max_files: int = MOST_FILES
    max_bytes: int = MOST_BYTES

    def excess(self, files: int, folders: int, size_bytes: int) -> str | None:
        """Why a commit of that size is refused; None if it is not."""
        if max(files, folders) > self.max_files:
            kind = "files" if files > self.max_files else "folders"
            return (
                f"The commit holds more than {self.max_files:,} {kind}. {_AFTER} Work on a smaller commit, or ask "
                "the operator to raise REPOSITORY_MAX_FILES."
            )
        return f"The files of the commit have {self._more()}" if size_bytes > self.max_bytes else None

    @property
    def large_download(self) -> str:
        """Why a download was ended."""
        return f"The download of the commit has {self._more()}"

    def _more(self) -> str:
        return (
            f"more than {_size(self.max_bytes)}. {_AFTER} Work on a smaller commit, or ask the operator to raise "
            "REPOSITORY_MAX_BYTES."
        )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / GIB:g} GiB" if size_bytes >= GIB else f"{size_bytes:,} bytes"


LONG_PATH = (
    f"A path of the commit is longer than {LONGEST_PATH:,} bytes, or its folders are too deep. {_AFTER}"
)
COSTLY = (
    f"Git needs more time, memory or disk to unpack the commit than an ordinary repository does. {_AFTER}"
)
