"""Logs and metrics, built in one place: one line a request, and counts of what wakes an operator.

Lines carry an allow-list of facts. Prompts, answers, keys and headers are in none of them.
"""

from typing import Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from farebox.domain.errors import FareboxError

NAMESPACE: Final = "Farebox"
_SERVER_ERROR: Final = 500


class Telemetry:
    """Writes to standard output, where Lambda picks both logs and metrics up."""

    def __init__(self, function: str) -> None:
        """Make the logger and the metrics of one function."""
        self._logger = Logger(service=function)
        self._metrics = Metrics(namespace=NAMESPACE, service=function)

    def request_done(
        self, *, route: str, status: int, request_id: str, error: BaseException | None
    ) -> None:
        """Note one request: its route, status and id, and the kind of what went wrong."""
        logger = self._logger
        if error is None:
            logger.info("request", route=route, status=status, request_id=request_id)
        elif isinstance(error, FareboxError) and status < _SERVER_ERROR:
            kind = type(error).__name__
            logger.info("refused", route=route, status=status, request_id=request_id, error=kind)
        else:
            logger.error(
                "failed",
                route=route,
                status=status,
                request_id=request_id,
                error=type(error).__name__,
                exc_info=None if isinstance(error, FareboxError) else error,
            )
        self._flush()

    def swept(self, *, accounts: int, holds: int, failed: int) -> None:
        """Note one run of the sweeper."""
        self._logger.info("swept", accounts=accounts, holds=holds, failed=failed)
        if failed:
            self.count("SweepFailed", failed)
        self._flush()

    def count(self, name: str, value: int = 1) -> None:
        """Count an event; implements the `Metrics` port."""
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        self._logger.warning("counted", metric=name, value=value)

    def _flush(self) -> None:
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
