"""The structured log and the metrics: one JSON line each on standard output, by Powertools."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "ALMOrchestrator"
# CloudWatch has no unit for money.
_UNITS = {
    "CostUsd": MetricUnit.NoUnit,
    "JobSeconds": MetricUnit.Seconds,
    "OldestJobSeconds": MetricUnit.Seconds,
}


class PowertoolsEvents:
    """Events of one function."""

    def __init__(self, service: str, **always: str) -> None:
        """`always` stands in every line."""
        self._service = service
        self._logger = Logger(service=service)
        self._logger.append_keys(**always)

    def info(self, event: str, **fields: object) -> None:
        """Something happened."""
        self._logger.info(event, extra=fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something happened that a person may have to look at."""
        self._logger.warning(event, extra=fields)

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """A number to be added up and alarmed on, in CloudWatch's embedded metric format."""
        with single_metric(name, _UNITS.get(name, MetricUnit.Count), value, namespace=NAMESPACE) as metric:
            # Else POWERTOOLS_SERVICE_NAME would make the function a dimension, and alarms would see nothing.
            metric.service = ""
            metric.add_metadata("service", self._service)
            for dimension, of in dimensions.items():
                metric.add_dimension(dimension, of)
