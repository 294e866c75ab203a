"""Instances that applications register themselves, over REST, and keep alive by heartbeats.

An instance whose lease ran out is unhealthy, not gone: when all of a service fall silent at once,
it is rather their registrar that died, and HEALTHY_OR_ELSE_ALL keeps them in use. It is forgotten
later, and only while another instance of the service is alive.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.registry import Registry

SOURCE = "rest"
SETTLE_S: Final = 30.0
"""Seconds after the start in which registrars find out that they must register anew."""
FORGET_S: Final = 60.0
"""Seconds for which an instance stays known after its lease ran out."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A registration.

    Attributes:
        instance: what was registered.
        ttl: seconds between heartbeats at most; None for an instance that needs none.
        expires: when it falls silent, on the clock of `Leases`; None for never.
    """

    instance: Instance
    ttl: float | None
    expires: float | None

    def is_alive(self, now: float) -> bool:
        """Whether it was heard of recently enough."""
        return self.expires is None or now < self.expires


class Leases:
    """Registrations by service and id. All methods are to be called on the event loop's thread.

    Args:
        registry: has a source called `SOURCE`.
        now: seconds on a clock that is never set.
    """

    def __init__(self, registry: Registry, now: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._now = now
        self._since = now()
        self._held: dict[ServiceName, dict[str, Lease]] = {}
        self._nearer = asyncio.Event()

    def of(self, service: ServiceName) -> Mapping[str, Lease]:
        """Registrations of a service by id."""
        return self._held.get(service, {})

    def register(self, instance: Instance, ttl: float | None = None) -> bool:
        """Adds or replaces a registration.

        Args:
            instance: what is registered.
            ttl: seconds between heartbeats at most; None needs none.

        Returns:
            Whether it is new.
        """
        held = self._held.setdefault(instance.service, {})
        fresh = instance.id not in held
        held[instance.id] = Lease(instance, ttl, None if ttl is None else self._now() + ttl)
        self._publish(instance.service)
        self._nearer.set()
        return fresh

    def beat(self, service: ServiceName, identity: str) -> bool:
        """Renews a lease; False when there is none, so that it has to be registered anew."""
        lease = self.of(service).get(identity)
        if lease is None:
            return False
        if lease.ttl is not None:
            now = self._now()
            self._held[service][identity] = replace(lease, expires=now + lease.ttl)
            if not lease.is_alive(now):
                self._publish(service)
                self._nearer.set()
        return True

    def remove(self, service: ServiceName, identity: str) -> bool:
        """Takes a registration back; False when there is none."""
        if self._held.get(service, {}).pop(identity, None) is None:
            return False
        self._publish(service)
        if not self._held[service]:
            del self._held[service]
        return True

    def expire(self) -> float | None:
        """Looks for leases that ran out.

        Returns:
            Seconds until there is something to look for again; None for never.
        """
        now = self._now()
        if now >= self._since + SETTLE_S:
            self._registry.settle(SOURCE)
        for service, held in self._held.items():
            if any(lease.is_alive(now) for lease in held.values()):
                for identity in [i for i, lease in held.items() if _is_forgotten(lease, now)]:
                    del held[identity]
            self._publish(service)
        moments = [self._since + SETTLE_S]
        for held in self._held.values():
            for lease in held.values():
                if lease.expires is not None:
                    moments += [lease.expires, lease.expires + FORGET_S]
        return min((moment - now for moment in moments if moment > now), default=None)

    async def run(self) -> None:
        """Lets leases run out, until it is cancelled."""
        while True:
            self._nearer.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.expire()):
                    await self._nearer.wait()

    def _publish(self, service: ServiceName) -> None:
        now = self._now()
        instances = [
            lease.instance if lease.is_alive(now) else replace(lease.instance, healthy=False)
            for lease in self._held[service].values()
        ]
        self._registry.put(SOURCE, service, instances)


def _is_forgotten(lease: Lease, now: float) -> bool:
    return lease.expires is not None and now >= lease.expires + FORGET_S
