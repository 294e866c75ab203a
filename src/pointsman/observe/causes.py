"""What Envoy's response flags and code details mean, and what to look at.

Source: Envoy's manual, "Access logging", response flags, and "HTTP response code details"; the
words are our own. `docs/requests.md` shows the table of flags.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pointsman.telemetry.requests import Request


class Cause(NamedTuple):
    """Why a request ended as it did.

    Attributes:
        sign: the flag, or how Envoy's details begin.
        meaning: what happened.
        look: what to look at.
    """

    sign: str
    meaning: str
    look: str


_ENDPOINTS: Final = "its endpoints, and health checks and ejections of the virtual node"
_AWAY: Final = "the control plane, and the proxy's connection to it: pointsman status"

FLAGS: Final = {
    cause.sign: cause
    for cause in (
        Cause("UH", "no endpoint of the virtual node may be used", _ENDPOINTS),
        Cause(
            "UF",
            "no connection to the endpoint came about",
            "whether it listens on that port, and TLS on both sides",
        ),
        Cause(
            "UO",
            "a connection pool is full, and refuses more",
            "connectionPool of the listener, and how slow what is behind it is",
        ),
        Cause(
            "NR",
            "no route takes the request",
            "pointsman explain with its method, host, path and headers",
        ),
        Cause(
            "URX",
            "all tries that the retry policy allows failed",
            "why a single try fails; the retry policy only repeats it",
        ),
        Cause("NC", "the route leads to a cluster the proxy does not have", _AWAY),
        Cause(
            "DT",
            "the request was alive for longer than is allowed",
            "the longest time for a request of the listener",
        ),
        Cause(
            "DC",
            "the client left before the response was complete",
            "the client's own timeout, and how long the backend took",
        ),
        Cause("LH", "the health check failed because this proxy counts as failed", _AWAY),
        Cause(
            "UT",
            "the backend did not answer within the time of the route",
            "timeout of the route, and what the backend was doing",
        ),
        Cause(
            "LR",
            "the proxy itself ended the request to the backend",
            "response_code_details, and limits of the connection",
        ),
        Cause("UR", "the backend reset the request", "the backend's own log"),
        Cause(
            "UC",
            "the backend closed the connection before it had answered",
            "whether it crashed, or closes idle connections sooner than the proxy",
        ),
        Cause("DI", "a policy delayed the request on purpose", "fault of the RoutePolicy"),
        Cause("FI", "a policy failed the request on purpose", "fault of the RoutePolicy"),
        Cause("RL", "a limit is used up", "pointsman quota, and the RateLimitPolicy in force"),
        Cause(
            "UAEX",
            "who was asked whether it may pass refused, or could not be asked",
            "the AccessPolicy in force, and the server it asks",
        ),
        Cause("RLSE", "the service of limits could not be asked", "the service of limits"),
        Cause(
            "IH",
            "a header that steers the proxy has a value that is none",
            "x-envoy- headers of the caller",
        ),
        Cause(
            "SI",
            "nothing moved for longer than the idle timeout",
            "idle timeout of the route or listener, and streams without signs of life",
        ),
        Cause(
            "DPE",
            "what the client sent is not HTTP as it should be",
            "the client's protocol: TLS to a plaintext port, or the PROXY protocol",
        ),
        Cause(
            "UPE",
            "what the backend sent is not HTTP as it should be",
            "the protocol of the virtual node's listener: http, http2 or grpc",
        ),
        Cause(
            "UMSDR",
            "the request to the backend took longer than a stream may",
            "maximum duration of streams",
        ),
        Cause("OM", "the proxy is short of memory or connections", "overload of the proxy"),
        Cause("DF", "the backend's name has no address", "DNS of the virtual node's hostname"),
        Cause("DO", "the request was dropped, as the control plane said", _AWAY),
        Cause("DR", "the client reset the request", "the client's own log"),
        Cause("RFCF", "the response came from a cache", "nothing"),
        Cause("NFCF", "the proxy waits for the configuration of a filter", _AWAY),
    )
}
"""By flag."""

DETAILS: Final = (
    Cause(
        "rbac_access_denied",
        "a rule of the access policy denies it",
        "rules of the AccessPolicy, with pointsman explain and the caller's credential",
    ),
    Cause("jwt_authn_access_denied", "the token is missing or not good", "the token's claims"),
    Cause("api_key_auth", "the key is missing or not known", "pointsman key list"),
    Cause("basic_auth", "the password is missing or not right", "pointsman key list"),
    Cause("ext_authz_denied", "who was asked refused", "the AccessPolicy in force"),
    Cause("ext_authz_error", "who was asked did not answer", "the server that is asked"),
    Cause("direct_response", "the route answers by itself", "the route's targets and weights"),
    Cause("request_payload", "the body is larger than is allowed", "limits of the HygienePolicy"),
    Cause("path_normalization_failed", "the path cannot be read", "how the client writes it"),
    Cause("via_upstream", "the backend itself answered like this", "the backend's own log"),
)
"""By how Envoy's details begin, where no flag tells."""


def causes(request: Request) -> Iterator[Cause]:
    """What is known of why a request ended as it did; nothing for one that went well."""
    found = [FLAGS[flag] for flag in request.flags if flag in FLAGS]
    yield from found
    if found or (request.status and request.status < 400):
        return
    yield from (cause for cause in DETAILS if request.details.startswith(cause.sign))
