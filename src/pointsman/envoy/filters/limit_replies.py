"""What clients are told of limits: the body of a refusal, and how much is left.

The body is a problem (RFC 9457), which names the limit. Calls of gRPC have no body; their status
is RESOURCE_EXHAUSTED.
"""

from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.filters.limited import LIMIT_HEADER
from pointsman.envoy.matchers import Fields

TELLING: Final = "pointsman.limit_headers"
_PARTS: Final = ("limit", "remaining", "reset")
_REFUSED: Final = (
    f"response.code == 429 && '{LIMIT_HEADER}' in response.headers"
    " && !('content-type' in request.headers"
    " && request.headers['content-type'].startsWith('application/grpc'))"
)
_BODY: Final = (
    '{"type":"about:blank","title":"Too Many Requests","status":429,'
    f'"detail":"the limit %RESP({LIMIT_HEADER})% is used up",'
    f'"limit":"%RESP({LIMIT_HEADER})%"' + "}\n"
)
RESERVED: Final = tuple(
    sorted([LIMIT_HEADER, *(f"{x}ratelimit-{part}" for x in ("", "x-") for part in _PARTS)])
)
"""Response headers that are the limits' own, where there are any."""


def limit_mapper() -> Fields:
    """Gives refusals their body (`LocalReplyConfig`)."""
    cel = pb.pack(pb.CelFilter(expression=_REFUSED))
    name = "envoy.access_loggers.extension_filters.cel"
    return {
        "filter": {"extension_filter": {"name": name, "typed_config": cel}},
        "body_format_override": {
            "text_format_source": {"inline_string": _BODY},
            "content_type": "application/problem+json",
        },
    }


def telling_filter() -> Fields:
    """Calls the headers as the IETF's draft does: without `X-`."""
    changes: list[Fields] = []
    for part in _PARTS:
        header = {"key": f"ratelimit-{part}", "value": f"%RESP(x-ratelimit-{part})%"}
        changes.append({"append": {"header": header, "append_action": "ADD_IF_ABSENT"}})
        changes.append({"remove": f"x-ratelimit-{part}"})
    config = pb.HeaderMutation(mutations={"response_mutations": changes})
    return {"name": TELLING, "disabled": True, "typed_config": pb.pack(config)}
