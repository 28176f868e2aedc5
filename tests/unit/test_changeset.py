"""What the agent changed, as values that survive being stored."""

import pytest
from pydantic import ValidationError
from tests.builders import changeset, fault

from orchestrator.domain.changeset import Changeset, FileChange, FileMode


@pytest.mark.parametrize("content", [b"", b"text\r\n", b"\x00\xff\xfe", bytes(range(256))])
def test_content_survives_storage_byte_by_byte(content: bytes) -> None:
    written = FileChange.written("a", FileMode.EXECUTABLE, content)
    stored = changeset(changes=(written,)).model_dump_json()
    (read,) = Changeset.model_validate_json(stored).changes
    assert (read.content, read.mode) == (content, FileMode.EXECUTABLE)


def test_a_deletion_has_neither_mode_nor_content() -> None:
    gone = FileChange.deleted("a")
    assert (gone.path, gone.mode, gone.content) == ("a", None, None)


@pytest.mark.parametrize("half", [{"mode": FileMode.REGULAR}, {"content_b64": "YQ=="}])
def test_half_a_change_is_none(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="mode and content, or neither"):
        FileChange.model_validate({"path": "a", **half})


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000])
def test_the_size_is_known_without_decoding(size: int) -> None:
    assert FileChange.written("a", FileMode.REGULAR, bytes(size)).size == size


def test_a_changeset_is_empty_when_nothing_changed_and_nothing_was_blocked() -> None:
    assert changeset(changes=()).is_empty
    assert not changeset().is_empty
    assert not changeset(changes=(), blocked=(fault(),)).is_empty
