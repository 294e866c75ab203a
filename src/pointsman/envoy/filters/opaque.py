"""Opaque tokens: `ext_authz` asks the control plane, which asks whoever issued them (RFC 7662).

One filter serves all policies; a row of the route table says which method it asks for. What the
issuer answers comes back as metadata, where rules find claims.
"""

from collections.abc import Iterable
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.methods import OpaqueMethod

NAME: Final = "pointsman.opaque"
METADATA: Final = "envoy.filters.http.ext_authz"
METHOD: Final = "method"
HEADER: Final = "header"
"""What the control plane is told beside the request: the method, and where the token is."""
_SLACK_MS: Final = 500
"""What the way to the control plane may take beside the endpoint's own time, in ms."""


def opaque_filter(methods: Iterable[OpaqueMethod]) -> Fields:
    """The filter, which rows of the route table switch on."""
    known = tuple(methods)
    headers = sorted({header for method in known for header in method.headers})
    timeout = max((method.timeout_ms for method in known), default=0) + _SLACK_MS
    config = pb.ExtAuthz(
        transport_api_version="V3",
        status_on_error={"code": "ServiceUnavailable"},
        stat_prefix="opaque",
        grpc_service={
            "envoy_grpc": {"cluster_name": names.XDS_CLUSTER},
            "timeout": duration(timeout),
        },
        allowed_headers={"patterns": [{"exact": name, "ignore_case": True} for name in headers]},
    )
    return {"name": NAME, "disabled": True, "typed_config": pb.pack(config)}


def check_of_row(method: OpaqueMethod, header: str) -> pb.Message:
    """What a row asks for."""
    told = {METHOD: method.name, HEADER: header}
    return pb.ExtAuthzPerRoute(check_settings={"context_extensions": told})
