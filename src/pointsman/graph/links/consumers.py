"""Consumers: who may call, by name."""

from collections.abc import Mapping

from pointsman.graph.links.context import Context
from pointsman.graph.model.access import Consumer
from pointsman.resources.key import Key
from pointsman.resources.kinds.consumer import ConsumerSpec


def read_consumers(context: Context) -> Mapping[Key, Consumer]:
    """All of them, by key; the same object while nothing about them changes."""
    issuers = _issuers(context)
    found = {
        key: _read(context, key, resource.spec, issuers.get(key, ()))
        for key, resource in sorted(context.resources.of("Consumer").items())
    }
    result: Mapping[Key, Consumer] = context.memo.get("consumers", (found,), lambda: found)
    return result


def _issuers(context: Context) -> Mapping[Key, tuple[str, ...]]:
    """Which authorization servers issue tokens that name a consumer, as client or as user."""
    found: dict[Key, dict[str, None]] = {}
    for server in context.servers.values():
        named = {client.consumer for client in server.clients}
        if server.logins:
            every = context.resources.of("Consumer")
            named.update(key for key in every if key.namespace == server.key.namespace)
        for key in named:
            found.setdefault(key, {})[server.issuer] = None
    return {key: tuple(issuers) for key, issuers in found.items()}


def _read(context: Context, key: Key, spec: ConsumerSpec, issuers: tuple[str, ...]) -> Consumer:
    def build() -> Consumer:
        tokens = tuple((item.issuer, item.subject) for item in spec.tokens)
        tokens += tuple((issuer, key.path) for issuer in issuers)
        return Consumer(key, tuple(sorted(spec.groups)), spec.certificates, tokens)

    result: Consumer = context.memo.get(("consumer", key), (spec, issuers), build)
    return result
