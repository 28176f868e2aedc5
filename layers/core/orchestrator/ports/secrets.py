"""The secret scanner."""

from typing import Protocol

from orchestrator.domain.secret import SecretFinding


class SecretScanner(Protocol):
    """Recognises secrets by their form. It asks no service whether a value is valid."""

    def find(self, text: str, timeout_s: float | None = None) -> tuple[SecretFinding, ...]:
        """Every value that looks like a secret; ScanTimeout if the time was not enough."""

    def redact(self, text: str) -> str:
        """The text with every such value replaced, one that Markdown splits as well; never raises for a text."""
