"""Has PyGithub's answers counted and bounded. It has a place for connections of one's own, and none for a hook."""

from typing import Any

from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

from orchestrator.adapters.bounded_answers import bounding
from orchestrator.adapters.traffic import counting
from orchestrator.ports import Events


def count_github(events: Events) -> None:
    """From now on the answers that GitHub gives this process are counted, and bounded in size."""
    hooks = [bounding("GitHub"), counting("GitHub", events)]

    class Plain(HTTPRequestsConnectionClass):
        """Where a server of one's own has no TLS."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.session.hooks["response"] += hooks

    class Tls(HTTPSRequestsConnectionClass):
        """Everywhere else."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.session.hooks["response"] += hooks

    Requester.injectConnectionClasses(Plain, Tls)
