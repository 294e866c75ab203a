"""One answer of the server: which resources it carries, which names it takes away, its bytes.

An answer is made once and shared by every stream that needs it. Nonces are scoped to a stream
(xDS protocol, "ACK/NACK and resource type instance version"), so the nonce is part of the shared
bytes: a number that grows by one with every answer made in this process. The same answer may go
to one stream twice (a change, its reversal, the change again), but never before it was answered.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import count

from pointsman.envoy.sealed import Sealed
from pointsman.xds import wire

MOST_RESOURCES = 500
MOST_BYTES = 1_000_000

_serial = count(1)


@dataclass(eq=False)
class Answer:
    """Resources and removed names of one type that travel together.

    Attributes:
        type_url: type of all the resources.
        resources: what the answer carries, each name once.
        removed: names to take away; empty in state-of-the-world answers.
        delta: which of the two protocol variants the bytes speak.
        nonce: what the proxy repeats when it accepts or rejects this answer.
    """

    type_url: str
    resources: tuple[Sealed, ...]
    removed: tuple[str, ...] = ()
    delta: bool = True
    nonce: str = field(default_factory=lambda: str(next(_serial)))

    @cached_property
    def frame(self) -> bytes:
        """The serialized message."""
        if self.delta:
            return wire.delta_answer(self.type_url, self.nonce, self.resources, self.removed)
        return wire.state_answer(self.type_url, self.nonce, self.version, self.resources)

    @cached_property
    def version(self) -> str:
        """`version_info` of a state-of-the-world answer: a hash of what it carries."""
        digest = blake2b(digest_size=8)
        for sealed in sorted(self.resources, key=lambda sealed: sealed.name):
            digest.update(f"{sealed.name}\0{sealed.version}\0".encode())
        return digest.hexdigest()

    @cached_property
    def by_name(self) -> Mapping[str, Sealed]:
        """The resources by name."""
        return {sealed.name: sealed for sealed in self.resources}


def split(type_url: str, resources: Iterable[Sealed], *, delta: bool = True) -> list[Answer]:
    """Answers small enough not to starve other types on the proxy's side (envoy #46383).

    Returns:
        Answers of at most `MOST_RESOURCES` resources and about `MOST_BYTES` bytes each.
    """
    return [Answer(type_url, group, delta=delta) for group in _groups(resources)]


def _groups(resources: Iterable[Sealed]) -> Iterator[tuple[Sealed, ...]]:
    group: list[Sealed] = []
    size = 0
    for sealed in resources:
        if group and (len(group) == MOST_RESOURCES or size + len(sealed.body) > MOST_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(sealed)
        size += len(sealed.body)
    if group:
        yield tuple(group)
