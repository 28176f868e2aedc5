"""The structured log: one JSON line an event, by Powertools."""

from aws_lambda_powertools import Logger


class PowertoolsEvents:
    """Events of one function."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service)

    def info(self, event: str, **fields: object) -> None:
        """Something happened."""
        self._logger.info(event, extra=fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something happened that a person may have to look at."""
        self._logger.warning(event, extra=fields)
