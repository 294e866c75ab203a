"""Bodies that are compared with an OpenAPI document: `ext_authz` asks the control plane.

There is a filter for each policy, since the filter knows no routes and each holds back as much of
a body as its policy says; rows of the route table switch on theirs. `ext_proc` could do the same
with a stream for each request; this is one message there and one back, and Envoy itself knows what
to do when nobody answers.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.hygiene import BodySchemas, RouteHygiene

NAME: Final = "pointsman.schemas"
DOCUMENT: Final = "document"
"""What the control plane is told beside the request: the name of the document."""
_TIMEOUT_MS: Final = 1_000
_HEADERS: Final = ("content-type", "content-encoding")


def schema_uses(hygiene: RouteHygiene | None) -> Iterator[str | BodySchemas]:
    """What rows of a route need for their bodies to be compared."""
    if hygiene is not None and hygiene.schemas is not None:
        yield from (NAME, hygiene.schemas)


def schema_filters(found: Iterable[BodySchemas]) -> list[Fields]:
    """Their filters, which rows of the route table switch on."""
    ordered = sorted(found, key=lambda item: item.name)
    return [
        {"name": _name(item), "disabled": True, "typed_config": pb.pack(_config(item))}
        for item in ordered
    ]


def schemas_of_row(item: BodySchemas) -> dict[str, pb.Message]:
    """What a row says of its filter, by the filter's name."""
    told = {DOCUMENT: item.name}
    settings = pb.ExtAuthzPerRoute(check_settings={"context_extensions": told})
    return {_name(item): pb.pack(settings)}


def _name(item: BodySchemas) -> str:
    return f"{NAME}/{item.policy.namespace}/{item.policy.name}"


def _config(item: BodySchemas) -> pb.Message:
    return pb.ExtAuthz(
        transport_api_version="V3",
        failure_mode_allow=item.open,
        status_on_error={"code": "ServiceUnavailable"},
        stat_prefix=_name(item).replace("/", "."),
        grpc_service={
            "envoy_grpc": {"cluster_name": names.XDS_CLUSTER},
            "timeout": duration(_TIMEOUT_MS),
        },
        with_request_body={
            "max_request_bytes": item.max_bytes,
            "allow_partial_message": False,
            "pack_as_bytes": True,
        },
        allowed_headers={"patterns": [{"exact": name} for name in _HEADERS]},
    )
