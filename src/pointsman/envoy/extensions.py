"""What filters refer to beside their listener: tables of credentials, and servers outside."""

from collections.abc import Collection, Iterator, Mapping

from pointsman.envoy.filters import credentials
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.filters.limits import sealed_limits
from pointsman.envoy.filters.limits_external import service_of
from pointsman.envoy.guards import Use
from pointsman.envoy.node_class import Wire
from pointsman.envoy.outside import Outside, outside_cluster
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.memo import Memo
from pointsman.graph.model.access import Consumer, RemoteKeys, TokenMethod
from pointsman.graph.model.limits import Service
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
    for server in _servers(used):
        yield seal(outside_cluster(server), (owner,))
    if wire == "static":
        return
    for name in (credentials.KEYS, credentials.PASSWORDS):
        if name in used:
            yield credentials.sealed_table(name, (), (owner,))
    yield from sealed_limits(used)
    if credentials.SUBJECTS in used:
        yield memo.get(("subjects",), (consumers,), lambda: _subjects(consumers))


def _servers(used: Collection[Use]) -> dict[Outside, None]:
    """Servers outside, in an order that does not depend on that of a set."""
    found = set()
    for use in used:
        if isinstance(use, TokenMethod) and isinstance(use.keys, RemoteKeys):
            found.add(Outside(use.keys.url, use.keys.ca_file))
        if isinstance(use, Counter) and isinstance(use.allowance, Service):
            found.add(service_of(use.allowance))
    return dict.fromkeys(sorted(found, key=lambda server: server.cluster))


def _subjects(consumers: Mapping[Key, Consumer]) -> Sealed:
    return credentials.sealed_table(credentials.SUBJECTS, credentials.subjects(consumers))
