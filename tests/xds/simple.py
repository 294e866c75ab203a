"""Resources that are only names and versions, for tests of the state machines."""

from collections.abc import Iterable

from pointsman.envoy.sealed import Sealed
from pointsman.xds.answer import Answer
from pointsman.xds.snapshot import Snapshot


def made(type_url: str, name: str, version: str = "1") -> Sealed:
    return Sealed(type_url, name, version, f"{name}@{version}".encode())


def snapshot(contents: dict[str, str]) -> Snapshot:
    """`{type: "a b:2"}` as a snapshot with `a` at version 1 and `b` at version 2."""
    resources = {}
    for type_url, text in contents.items():
        parts = (word.partition("#") for word in text.split())
        resources[type_url] = {n: made(type_url, n, version or "1") for n, _, version in parts}
    return Snapshot(resources)


def shown(answers: Iterable[Answer]) -> list[str]:
    """Answers as `Cluster a#1 b#2 -c`, one text each."""
    return [
        " ".join(
            (
                answer.type_url.rpartition(".")[2],
                *sorted(f"{s.name}#{s.version}" for s in answer.resources),
                *sorted(f"-{name}" for name in answer.removed),
            )
        )
        for answer in answers
    ]
