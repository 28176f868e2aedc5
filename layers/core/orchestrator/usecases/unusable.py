"""A configuration that cannot be used: one line that says what to mend, and one number to alarm on."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.errors import ConfigError
from orchestrator.ports import Events


def tell_unusable(error: ConfigError, events: Events) -> None:
    """A ConfigError names variables, secrets and fields, and shows no value of any."""
    events.warning("config.unusable", error=str(error))
    events.metric("ConfigErrors", 1)


@contextmanager
def told_if_unusable(events: Events) -> Iterator[None]:
    """Tell a ConfigError and let it go on."""
    try:
        yield
    except ConfigError as error:
        tell_unusable(error, events)
        raise
