"""Everything a person or a log can see of an error."""

import traceback
from collections.abc import Callable, Iterable, Iterator

import pytest

from orchestrator.errors import OrchestratorError


def printed(error: BaseException) -> str:
    """The traceback with every cause, and each cause's own representation."""
    return "".join((*traceback.format_exception(error), *(repr(cause) for cause in _chain(error))))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def fails[E: OrchestratorError](kind: type[E], call: Callable[[], object], secrets: Iterable[str] = ()) -> E:
    """The error of exactly this kind that the call ends with; nothing that is printed of it holds a secret."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert not [secret for secret in secrets if secret in printed(caught.value)]
    return caught.value
