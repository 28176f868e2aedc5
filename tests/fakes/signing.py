"""Signing keys that a test chooses, and may rotate."""

from typing import TYPE_CHECKING

from orchestrator.ports import SigningKeys


class FixedKeys:
    """The first key signs. `rotated` are the keys that are found only when they are read again."""

    def __init__(self, *keys: str, rotated: tuple[str, ...] = ()) -> None:
        self.keys = keys
        self.rotated = rotated
        self.fetches = 0

    def known(self) -> tuple[str, ...]:
        return self.keys

    def fetched(self) -> tuple[str, ...]:
        self.fetches += 1
        self.keys = self.rotated or self.keys
        return self.keys


if TYPE_CHECKING:
    _keys: SigningKeys = FixedKeys("key")
