"""Secrets that proxies rejected, to be offered again.

A proxy rejects a certificate whose files it cannot read, and a folder that is not there it cannot
even watch, so it would never notice when they come. Other resources are rejected for what is in
them, which only an edit changes; a secret is rejected for what is around it.
"""

from collections.abc import Hashable

from pointsman.envoy.sealed import SECRET
from pointsman.envoy.tls import offered_again
from pointsman.xds.rejection import Rejection
from pointsman.xds.snapshot import Snapshot

RETRY_S = 5.0
"""Seconds after which a rejected secret is offered again."""


class SecretRetries:
    """How often each rejected secret has been offered, by audience."""

    def __init__(self) -> None:
        self._offers: dict[tuple[Hashable, str], int] = {}

    def rejected(self, audience: Hashable, rejection: Rejection) -> bool:
        """Notes a rejection; tells whether the audience's snapshot is to be published again.

        That should happen `RETRY_S` later, by way of `apply`.
        """
        if rejection.type_url != SECRET:
            return False
        place = audience, rejection.name
        self._offers[place] = self._offers.get(place, 0) + 1
        return True

    def apply(self, audience: Hashable, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what was rejected in a form that the proxy takes for something new."""
        present = snapshot.of(SECRET)
        for place in [p for p in self._offers if p[0] == audience and p[1] not in present]:
            del self._offers[place]
        again = {
            name: offered_again(present[name], offers)
            for (whom, name), offers in self._offers.items()
            if whom == audience
        }
        if not again:
            return snapshot
        return Snapshot({**snapshot.resources, SECRET: {**present, **again}})
