"""One file for `envoy -c`: the translation of a proxy without a control plane behind it."""

from typing import Any

from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.config_source import LOCAL_SDS, SDS_SOCKET, sds_cluster
from pointsman.envoy.names import SDS_CLUSTER
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import CLUSTER, LISTENER, SECRET
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.rules.matching import MAX_PROGRAM

_INTERNAL_LISTENER = {
    "name": "envoy.bootstrap.internal_listener",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3"
        ".InternalListener"
    },
}
_SECRET = frozenset({"validation_context_sds_secret_config", "token_secret", "hmac_secret"})
_SECRETS = frozenset({"tls_certificate_sds_secret_configs"})
"""Fields that name one secret, and several."""
_RUNTIME = {"name": "static", "static_layer": {"re2.max_program_size.error_level": MAX_PROGRAM}}


def static_bootstrap(
    proxy: Gateway | Sidecar,
    resources: Bundle,
    admin_port: int | None = None,
    sds_socket: str = SDS_SOCKET,
) -> dict[str, Any]:
    """`envoy.config.bootstrap.v3.Bootstrap` in JSON form, with the names of Envoy's manual.

    Args:
        proxy: whose configuration it is.
        resources: its translation for the wire "static".
        admin_port: port for Envoy's administration on loopback; None leaves it out, because it
            can stop the proxy and shows all it knows.
        sds_socket: Unix socket of the local secret service, should the translation name it.
    """
    fields: dict[str, Any] = {"node": {"id": proxy.node_id, "cluster": proxy.name}}
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
    secrets = _messages(resources, SECRET)
    if secrets:
        fields["static_resources"]["secrets"] = secrets
    if _names_local_sds(resources):
        fields["static_resources"]["clusters"].append(sds_cluster(sds_socket))
    return fields


def without_files(bootstrap: dict[str, Any]) -> dict[str, Any]:
    """A static bootstrap for a machine that has none of the proxy's certificates.

    Each is said to come from the local secret service, which nobody asks to validate a file.
    """
    static = bootstrap["static_resources"]
    if "secrets" not in static:
        return bootstrap
    clusters = [item for item in static["clusters"] if item["name"] != SDS_CLUSTER]
    static = {"listeners": static["listeners"], "clusters": [*clusters, sds_cluster()]}
    return {**bootstrap, "static_resources": _delivered(static)}


def _delivered(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_delivered(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    fields = {name: _delivered(value) for name, value in tree.items()}
    for name in _SECRETS & fields.keys():
        fields[name] = [{"sds_config": LOCAL_SDS, **item} for item in fields[name]]
    for name in _SECRET & fields.keys():
        fields[name] = {"sds_config": LOCAL_SDS, **fields[name]}
    return fields


def _names_local_sds(resources: Bundle) -> bool:
    name = SDS_CLUSTER.encode()
    return any(
        name in item.body for items in resources.resources.values() for item in items.values()
    )


def _messages(resources: Bundle, type_url: str) -> list[dict[str, Any]]:
    return [pb.to_dict(unseal(item)) for item in resources.resources.get(type_url, {}).values()]
