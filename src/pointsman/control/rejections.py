"""What proxies rejected, as problems of the objects it was made from."""

from collections.abc import Collection, Hashable

from pointsman.envoy.sealed import SECRET
from pointsman.resources.codes import envoy as codes
from pointsman.resources.problem import Problem
from pointsman.xds.rejection import Rejection
from pointsman.xds.snapshot import Snapshot


class Rejections:
    """Keeps the rejections that still matter, by audience.

    A rejection is over when the resource's published version is another one, or when nothing is
    published to the audience any more.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[Hashable, str, str], Rejection] = {}

    def add(self, audience: Hashable, rejection: Rejection) -> None:
        """A proxy of the audience rejected a resource."""
        self._open[audience, rejection.type_url, rejection.name] = rejection

    def keep(self, audiences: Collection[Hashable]) -> None:
        """Forgets the rejections of all other audiences."""
        self._open = {place: item for place, item in self._open.items() if place[0] in audiences}

    def settle(self, audience: Hashable, snapshot: Snapshot) -> None:
        """Forgets what a new snapshot no longer has in the rejected version."""
        for place, rejection in list(self._open.items()):
            if place[0] == audience:
                published = snapshot.of(rejection.type_url).get(rejection.name)
                if published is None or published.version != rejection.version:
                    del self._open[place]

    def problems(self) -> tuple[Problem, ...]:
        """One problem for each open rejection."""
        return tuple(_problem(rejection) for rejection in self._open.values())


def _problem(rejection: Rejection) -> Problem:
    kind = rejection.type_url.rpartition(".")[2]
    key = rejection.keys[0] if rejection.keys else None
    if rejection.type_url == SECRET:
        message = f"{rejection.name}: {rejection.message}"
        return Problem(codes.SECRET_UNREADABLE, message, "put the files there", key)
    return Problem(
        codes.REJECTED,
        f"{kind} {rejection.name}: {rejection.message}",
        "its last good version keeps serving, if it had one",
        key=key,
    )
