"""What a service's answer must hold. One that does not may be a proxy's or cut short, and come right later."""

from collections.abc import Callable
from functools import wraps

from orchestrator.errors import TransientError


def promised[**P, T](service: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A parser of the service's JSON; what it stumbles over becomes a TransientError."""

    def wrapped(parse: Callable[P, T]) -> Callable[P, T]:
        @wraps(parse)
        def parsed(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return parse(*args, **kwargs)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise TransientError(
                    f"{service} answered something that its API does not promise."
                ) from error

        return parsed

    return wrapped
