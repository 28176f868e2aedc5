"""What the next calls of a fake raise. A fake asks before each call; a test plans."""

from collections import defaultdict, deque


class Faults:
    """Errors by the name of the call that will raise them, one error a call."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, deque[BaseException]] = defaultdict(deque)

    def plan(self, call: str, *errors: BaseException) -> None:
        """Let the next calls of that name raise these, in order."""
        self._planned[call].extend(errors)

    def clear(self) -> None:
        """Forget what was planned."""
        self._planned.clear()

    def strike(self, call: str) -> None:
        """Raise what is planned for this call, if anything is."""
        if self._planned[call]:
            raise self._planned[call].popleft()
