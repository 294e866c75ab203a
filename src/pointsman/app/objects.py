"""How far objects are with the proxies that are connected here."""

from collections.abc import Iterable, Iterator, Mapping

from pointsman.app.status import ProxyState
from pointsman.graph.carried import carried
from pointsman.observe.objects import ObjectStatus, object_statuses
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet


def instance_objects(
    resources: ResourceSet, problems: Iterable[Problem], states: Iterable[ProxyState]
) -> Mapping[Key, ObjectStatus]:
    """How far each object of this process is, by key.

    Args:
        resources: what was written.
        problems: what is wrong.
        states: proxies that are served.
    """
    keys = [key for kind in resources.by_kind.values() for key in kind]
    return object_statuses(keys, problems, _proxies(states))


def _proxies(states: Iterable[ProxyState]) -> Iterator[tuple[frozenset[Key], bool]]:
    for state in states:
        if not state.nodes:
            continue
        of_type = state.snapshot.resources.values()
        made_from = (key for named in of_type for sealed in named.values() for key in sealed.keys)
        keys = frozenset((*made_from, *carried(state.proxy)))
        for node in state.nodes:
            yield keys, all(item.acked == item.sent for item in node.types.values())
