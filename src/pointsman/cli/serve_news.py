"""What `pointsman serve` logs: a JSON object a line, on standard error."""

import logging
import sys
from collections import Counter
from collections.abc import Iterable

import structlog

from pointsman.app.serve import ServeNews
from pointsman.app.site import Published
from pointsman.errors import PointsmanError
from pointsman.resources.problem import Problem, Severity
from pointsman.resources.report import problem_json

log = structlog.get_logger(__name__)


def log_json() -> None:
    """Has everything logged as JSON lines, unless the program around has its own idea."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


class JsonNews(ServeNews):
    """Logs what happens, and each problem once."""

    def __init__(self) -> None:
        self._told: frozenset[Problem] = frozenset()

    def started(self, xds: str, health: str | None, problems: tuple[Problem, ...]) -> None:
        """Proxies are served."""
        self._problems(problems)
        log.info("started", xds=xds, health=health, **_counts(problems))

    def changed(self, published: Published) -> None:
        """A change is live, or was held back."""
        self._problems(published.problems)
        log.info(
            "changed",
            sources=published.sources,
            seconds=None if published.seconds is None else round(published.seconds, 3),
            rejected=published.rejected,
            **_counts(published.problems),
        )

    def failed(self, error: PointsmanError) -> None:
        """A change could not be made live."""
        log.error("change failed", reason=str(error), hint=error.hint)

    def stopping(self) -> None:
        """The end has begun."""
        log.info("stopping")

    def _problems(self, problems: Iterable[Problem]) -> None:
        now = frozenset(item for item in problems if item.code.severity is not Severity.NOTE)
        for item in problems:
            if item in now and item not in self._told:
                log.warning("problem", **problem_json(item))
        self._told = now


def _counts(problems: Iterable[Problem]) -> dict[str, int]:
    counts = Counter(item.code.severity for item in problems)
    return {"errors": counts[Severity.ERROR], "warnings": counts[Severity.WARNING]}
