"""Who calls versions of APIs that are on their way out: exact counts, bounded in number.

Proxies tell of every request for such a version. What they drop because nobody takes it is missing
here; their statistic `access_logs.grpc_access_log.logs_dropped` tells how much that is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pointsman.telemetry.requests import Request

MOST: Final = 2_000
"""Callers that are kept, over all routes; a newcomer takes the place of who was away longest."""


@dataclass(slots=True)
class Calls:
    """Requests of one caller.

    Attributes:
        count: how many.
        last: when the latest one came, in seconds since 1970.
    """

    count: int = 0
    last: float = 0.0


class Callers:
    """Counts requests by route and caller."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], Calls] = {}

    def add(self, request: Request) -> None:
        """Counts a request for a version of an API; others are none of its business."""
        if not request.api_version:
            return
        # The address is the one the gateway believes; what clients say of it is theirs to choose.
        place = (request.route, request.consumer or request.client.rpartition(":")[0])
        calls = self._calls.pop(place, None)
        if calls is None:
            if len(self._calls) >= MOST:
                del self._calls[next(iter(self._calls))]
            calls = Calls()
        calls.count += 1
        calls.last = max(calls.last, request.start)
        self._calls[place] = calls

    @property
    def calls(self) -> Mapping[tuple[str, str], Calls]:
        """By (name of the route, caller), who called last at the end."""
        return self._calls
