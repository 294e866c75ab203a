"""Servers that decide: `ext_authz`, one filter for each policy that has one.

Such a server sees of a request what the policy says and nothing more, and of its answer only the
headers that the policy names reach the backend: no server may say who calls.
"""

import re
from collections.abc import Iterable
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.matchers import Fields
from pointsman.envoy.outside import Outside
from pointsman.graph.model.methods import External

NAME: Final = "pointsman.external"
TAKEN: Final = "pointsman.taken"
ON: Final = pb.pack(pb.FilterConfig(config={}))
_IDENTITY: Final = (names.CONSUMER_HEADER, names.CREDENTIAL_HEADER, names.GROUPS_HEADER)
_AWAY: Final = {"code": "ServiceUnavailable"}


def name(server: External) -> str:
    """Name of the filter."""
    return f"{NAME}/{server.name}"


def outside(server: External) -> Outside:
    """The server, as clusters have it."""
    return Outside(server.url, server.ca_file, "http2" if server.grpc else "http")


def external_filters(servers: Iterable[External]) -> list[Fields]:
    """Their filters, which rows of the route table switch on."""
    ordered = sorted(servers, key=lambda server: server.name)
    return [
        {"name": name(server), "disabled": True, "typed_config": pb.pack(_config(server))}
        for server in ordered
    ]


def taken_filter() -> Fields:
    """Takes headers from callers that servers will write, as rows of the route table say."""
    return {"name": TAKEN, "disabled": True, "typed_config": pb.pack(pb.HeaderMutation())}


def taken_of_row(names_of_headers: Iterable[str]) -> pb.Message:
    """The headers."""
    changes = [{"remove": header} for header in names_of_headers]
    return pb.pack(pb.HeaderMutationPerRoute(mutations={"request_mutations": changes}))


def _config(server: External) -> pb.Message:
    fields: Fields = {
        "transport_api_version": "V3",
        "failure_mode_allow": server.open,
        "status_on_error": _AWAY,
        "stat_prefix": server.name.replace("/", "."),
        "allowed_headers": _exactly((*server.headers, *_IDENTITY)),
        "decoder_header_mutation_rules": _only(server.take_over),
    }
    if server.max_bytes is not None:
        fields["with_request_body"] = {
            "max_request_bytes": server.max_bytes,
            "allow_partial_message": server.partial,
            "pack_as_bytes": True,
        }
    fields.update(_grpc(server) if server.grpc else _http(server))
    return pb.ExtAuthz(**fields)


def _grpc(server: External) -> Fields:
    service = {
        "envoy_grpc": {"cluster_name": outside(server).cluster},
        "timeout": duration(server.timeout_ms),
    }
    return {"grpc_service": service}


def _http(server: External) -> Fields:
    address = outside(server)
    uri = {
        "uri": server.url,
        "cluster": address.cluster,
        "timeout": duration(server.timeout_ms),
    }
    service: Fields = {"server_uri": uri, "path_prefix": address.path}
    if server.take_over:
        answer = {"allowed_upstream_headers": _exactly(server.take_over)}
        service["authorization_response"] = answer
    return {"http_service": service}


def _exactly(headers: Iterable[str]) -> Fields:
    return {"patterns": [{"exact": header, "ignore_case": True} for header in headers]}


def _only(headers: tuple[str, ...]) -> Fields:
    rules: Fields = {"disallow_all": {"value": True}}
    if headers:
        either = "|".join(map(re.escape, headers))
        rules["allow_expression"] = {"regex": f"(?i)(?:{either})"}
    return rules
