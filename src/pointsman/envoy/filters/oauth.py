"""The authorization server's own pages: `ext_authz`, to which every answer is a refusal.

The control plane answers over the connection that proxies have to it anyway, with all that proves
one to the other; so there is no port of its own, and nothing to find. Envoy reads the request as
a whole, asks, and passes on what it is told. While nobody answers, that is 503.
"""

from collections.abc import Iterator
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.filters import login
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.graph.model.authorization_server import ENDPOINTS, Front
from pointsman.graph.model.match import HeaderCondition, HeaderTest

NAME: Final = "pointsman.oauth"
SERVER: Final = "authorization_server"
"""What the control plane is told beside the request: the authorization server."""
MOST_BYTES: Final = 16_384
"""The longest body; more is answered 413."""
_TIMEOUT_MS: Final = 5_000


def oauth_filter() -> Fields:
    """The filter, which rows of the route table switch on."""
    config = pb.ExtAuthz(
        transport_api_version="V3",
        status_on_error={"code": "ServiceUnavailable"},
        stat_prefix="oauth",
        grpc_service={
            "envoy_grpc": {"cluster_name": names.XDS_CLUSTER},
            "timeout": duration(_TIMEOUT_MS),
        },
        with_request_body={"max_request_bytes": MOST_BYTES, "pack_as_bytes": True},
    )
    return {"name": NAME, "disabled": True, "typed_config": pb.pack(config)}


def oauth_rows(front: Front, *, exact: bool) -> Iterator[Fields]:
    """Rows in front of all others.

    Args:
        front: the authorization server.
        exact: whether the virtual host is its host's alone.
    """
    told = {SERVER: front.server.path}
    off = pb.pack(pb.FilterConfig(disabled=True))
    filters = {
        NAME: pb.pack(pb.ExtAuthzPerRoute(check_settings={"context_extensions": told})),
        # Its own session is the one that it has to see.
        login.SESSION: off,
        login.COOKIES: off,
    }
    host = f"(?i){login.quoted(front.host)}(:[0-9]+)?"
    condition = HeaderCondition(":authority", HeaderTest.REGEX, host)
    below = f"{login.quoted(front.base)}({'|'.join(ENDPOINTS)})"
    for path in ({"path": front.discovery}, {"safe_regex": {"regex": below}}):
        match: Fields = dict(path)
        if not exact:
            match["headers"] = [header_matcher(condition)]
        yield {
            "name": front.server.path,
            "match": match,
            # Nothing gets as far as here.
            "direct_response": {"status": 503},
            "typed_per_filter_config": filters,
        }
