"""What proxies rejected, as problems of the objects it was made from."""

from collections.abc import Hashable

from pointsman.resources.codes import envoy as codes
from pointsman.resources.problem import Problem
from pointsman.xds.rejection import Rejection
from pointsman.xds.snapshot import Snapshot


class Rejections:
    """Keeps the rejections that still matter.

    A rejection is over when the resource's published version is another one.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[Hashable, str, str], Rejection] = {}

    def add(self, node_class: Hashable, rejection: Rejection) -> None:
        """A proxy of the class rejected a resource."""
        self._open[node_class, rejection.type_url, rejection.name] = rejection

    def settle(self, node_class: Hashable, snapshot: Snapshot) -> None:
        """Forgets what a new snapshot no longer has in the rejected version."""
        for place, rejection in list(self._open.items()):
            if place[0] == node_class:
                published = snapshot.of(rejection.type_url).get(rejection.name)
                if published is None or published.version != rejection.version:
                    del self._open[place]

    def problems(self) -> tuple[Problem, ...]:
        """One problem for each open rejection."""
        return tuple(_problem(rejection) for rejection in self._open.values())


def _problem(rejection: Rejection) -> Problem:
    kind = rejection.type_url.rpartition(".")[2]
    return Problem(
        codes.REJECTED,
        f"{kind} {rejection.name}: {rejection.message}",
        "its last good version keeps serving, if it had one",
        key=rejection.keys[0] if rejection.keys else None,
    )
