"""One file for `envoy -c`: the translation of a gateway without a control plane behind it."""

from typing import Any

from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import CLUSTER, LISTENER
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.rules.matching import MAX_PROGRAM

_INTERNAL_LISTENER = {
    "name": "envoy.bootstrap.internal_listener",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3"
        ".InternalListener"
    },
}
_RUNTIME = {"name": "static", "static_layer": {"re2.max_program_size.error_level": MAX_PROGRAM}}


def static_bootstrap(
    gateway: Gateway, resources: Bundle, admin_port: int | None = None
) -> dict[str, Any]:
    """`envoy.config.bootstrap.v3.Bootstrap` in JSON form, with the names of Envoy's manual.

    Args:
        gateway: whose configuration it is.
        resources: its translation for the wire "static".
        admin_port: port for Envoy's administration on loopback; None leaves it out, because it
            can stop the proxy and shows all it knows.
    """
    fields: dict[str, Any] = {"node": {"id": gateway.node_id, "cluster": gateway.name}}
    if admin_port is not None:
        fields["admin"] = {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}
        }
    fields["bootstrap_extensions"] = [_INTERNAL_LISTENER]
    fields["layered_runtime"] = {"layers": [_RUNTIME]}
    fields["static_resources"] = {
        "listeners": _messages(resources, LISTENER),
        "clusters": _messages(resources, CLUSTER),
    }
    return fields


def _messages(resources: Bundle, type_url: str) -> list[dict[str, Any]]:
    return [pb.to_dict(unseal(item)) for item in resources.resources.get(type_url, {}).values()]
