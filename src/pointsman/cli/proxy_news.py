"""What `pointsman proxy` logs: JSON lines, Envoy's own among them."""

import logging
from typing import Final

import structlog

from pointsman.app.proxy import ProxyNews
from pointsman.errors import PointsmanError
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.log_lines import LogLine
from pointsman.proxy.supervisor import EventKind, ProxyEvent

log = structlog.get_logger(__name__)

_LEVELS: Final = {
    # What Envoy was asked to say is shown, at whatever level of its own.
    "trace": logging.INFO,
    "debug": logging.INFO,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class JsonProxyNews(ProxyNews):
    """Logs what happens.

    Args:
        node: which node the proxy is.
    """

    def __init__(self, node: str) -> None:
        self._node = node

    def started(self, envoy: EnvoyBinary, health: str | None) -> None:
        """An Envoy runs."""
        log.info("started", node=self._node, envoy=str(envoy), health=health)

    def said(self, line: LogLine) -> None:
        """A line of Envoy's log."""
        log.log(
            _LEVELS[line.level],
            line.text,
            logger=f"envoy.{line.logger}" if line.logger else "envoy",
        )

    def did(self, event: ProxyEvent) -> None:
        """An Envoy started, crashed or stopped."""
        bad = event.kind in (EventKind.CRASHED, EventKind.RESTART_FAILED)
        tell = log.error if bad else log.info
        tell(f"Envoy {event.kind}", pid=event.pid, text=event.text, restart_in_s=event.restart_in_s)

    def took_over(self, envoy: EnvoyBinary) -> None:
        """An Envoy serves in the place of another."""
        log.info("Envoy took over", envoy=str(envoy))

    def failed(self, error: PointsmanError) -> None:
        """Something was not done."""
        log.error("failed", reason=str(error), hint=error.hint)

    def draining(self) -> None:
        """The end has begun."""
        log.info("draining")

    def stopped(self, unfinished: int) -> None:
        """Everything has ended."""
        log.info("stopped", unfinished=unfinished)
