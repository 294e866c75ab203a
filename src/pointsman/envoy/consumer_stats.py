"""Requests by consumer, counted by Envoy where a TelemetryPolicy asks for it.

Who called is known from what was proven, never from what a request says of itself. A log that
counts instead of writing makes a counter for each consumer and status, and a histogram for each
consumer. Their number is bounded, whatever the number of consumers: past it Envoy counts no
newcomers until others have been idle for a while (`stats_sink.IDLE`).

Older Envoys are not given it: they would reject their listener.
"""

from typing import Final

from pointsman.envoy.filters.identity import METADATA
from pointsman.envoy.matchers import Fields
from pointsman.envoy.stats import CONSUMER_REQUESTS, CONSUMER_TIME, CONSUMERS
from pointsman.envoy.typed import counting_log
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar

OLDEST: Final = (1, 40, 0)
"""Envoys before 1.39 do not know such logs, and those before 1.40 cannot report what they count."""
MOST: Final = 500
"""Consumers that one proxy measures at a time."""
_STATUSES: Final = 4
"""Statuses that a consumer gets, by rule of thumb: counters are for so many of all consumers."""
_CONSUMER: Final = f"%DYNAMIC_METADATA({METADATA}:consumer)%"


def can_count(version: str) -> bool:
    """Whether an Envoy can be given such a log; one that does not tell its version counts as new.

    Args:
        version: three numbers with dots, or "".
    """
    return not version or tuple(map(int, version.split("."))) >= OLDEST


def consumer_log(proxy: Gateway | Sidecar) -> list[Fields]:
    """`envoy.config.accesslog.v3.AccessLog` that counts, if it is asked for."""
    if proxy.telemetry is None or not proxy.telemetry.consumers:
        return []
    scope = {
        "prefix": CONSUMERS,
        "max_counters": MOST * _STATUSES,
        "max_histograms": MOST,
        "enable_eviction": True,
        # All listeners of a proxy share what is said here.
        "sharing_name": CONSUMERS,
    }
    consumer = {"name": "consumer", "value_format": _CONSUMER}
    code = {"name": "code", "value_format": "%RESPONSE_CODE%"}
    requests = {"stat": {"name": CONSUMER_REQUESTS, "tags": [code, consumer]}, "value_fixed": "1"}
    time = {
        "stat": {"name": CONSUMER_TIME, "tags": [consumer]},
        "unit": "Milliseconds",
        "value_format": "%DURATION%",
    }
    known = {
        "filter": METADATA,
        "path": [{"key": "consumer"}],
        "value": {"present_match": True},
    }
    return [
        {
            "name": "envoy.access_loggers.stats",
            "filter": {
                "metadata_filter": {
                    "matcher": known,
                    "match_if_key_not_found": {"value": False},
                }
            },
            "typed_config": counting_log(scope, [requests], [time]),
        }
    ]
