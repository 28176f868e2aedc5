"""The signing keys of Secrets Manager, read once a process and again when a signature fits none of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.ports import Clock
from orchestrator.secret_values import SigningSecret

# Anybody can make up signatures that fit no key. They must not make a request each.
FETCH_EVERY_S = 60.0


@dataclass
class StoredSigningKeys:
    """`read` returns the parsed secret; it may raise ConfigError."""

    read: Callable[[], SigningSecret]
    clock: Clock
    _keys: tuple[str, ...] = field(default=(), repr=False)
    _fetched_at: float = 0.0

    def known(self) -> tuple[str, ...]:
        """The key to sign with first, then those that were in use before it."""
        return self._keys or self._read()

    def fetched(self) -> tuple[str, ...]:
        """The same, read anew; empty if they were read within the last minute."""
        if self._keys and self.clock.monotonic() - self._fetched_at < FETCH_EVERY_S:
            return ()
        return self._read()

    def _read(self) -> tuple[str, ...]:
        self._keys = self.read().keys
        self._fetched_at = self.clock.monotonic()
        return self._keys
