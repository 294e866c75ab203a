"""What filters refer to beside their listener: tables of credentials, and servers outside."""

from collections.abc import Collection, Iterator, Mapping

from pointsman.envoy import names, pb
from pointsman.envoy.clusters import protocol_options
from pointsman.envoy.config_source import HTTP_OPTIONS
from pointsman.envoy.filters import credentials, external, issued, login, oauth
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.filters.limits import sealed_limits
from pointsman.envoy.filters.limits_external import service_of
from pointsman.envoy.guards import Use
from pointsman.envoy.node_class import Wire
from pointsman.envoy.outside import Outside, outside_cluster
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.memo import Memo
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.hygiene import BodySchemas
from pointsman.graph.model.limits import Service
from pointsman.graph.model.methods import (
    External,
    LoginMethod,
    OpaqueMethod,
    RemoteKeys,
    TokenMethod,
)
from pointsman.resources.key import Key


def extensions(
    used: Collection[Use], consumers: Mapping[Key, Consumer], owner: Key, wire: Wire, memo: Memo
) -> Iterator[Sealed]:
    """Resources that a proxy needs for what its routes use of filters.

    Args:
        used: what they use.
        consumers: who may call.
        owner: the gateway or node.
        wire: how the proxy gets its configuration.
        memo: remembers the table of subjects.
    """
    for use in used:
        for server in _outside(use):
            yield seal(outside_cluster(server), (owner,))
        if isinstance(use, LoginMethod):
            for secret in login.secrets(use):
                yield seal(secret, (owner,))
        asks = isinstance(use, OpaqueMethod | BodySchemas) or use == oauth.NAME
        if asks and wire == "static":
            # There is no control plane to ask, so that nobody has an answer.
            options = {HTTP_OPTIONS: protocol_options("grpc")}
            nobody = pb.Cluster(
                name=names.XDS_CLUSTER, type="STATIC", typed_extension_protocol_options=options
            )
            yield seal(nobody, (owner,))
    if wire == "static":
        return
    for name in (credentials.KEYS, credentials.PASSWORDS):
        if name in used:
            yield credentials.sealed_table(name, (), (owner,))
    yield from _issued(used, owner)
    yield from sealed_limits(used)
    if credentials.SUBJECTS in used:
        yield memo.get(("subjects",), (consumers,), lambda: _subjects(consumers))


def _issued(used: Collection[Use], owner: Key) -> Iterator[Sealed]:
    own = [use for use in used if isinstance(use, TokenMethod) and issued.is_issued(use)]
    if own:
        yield issued.sealed_issued(own, (owner,))


def _outside(use: Use) -> Iterator[Outside]:
    if isinstance(use, TokenMethod) and isinstance(use.keys, RemoteKeys):
        yield Outside(use.keys.url, use.keys.ca_file)
    if isinstance(use, LoginMethod):
        yield Outside(use.exchange, use.ca_file)
    if isinstance(use, External):
        yield external.outside(use)
    if isinstance(use, Counter) and isinstance(use.allowance, Service):
        yield service_of(use.allowance)


def _subjects(consumers: Mapping[Key, Consumer]) -> Sealed:
    entries = (credentials.sealed_entry(*found) for found in credentials.subjects(consumers))
    return credentials.sealed_table(credentials.SUBJECTS, entries)
