"""Consumers: who may call, by name."""

from collections.abc import Mapping

from pointsman.graph.links.context import Context
from pointsman.graph.model.access import Consumer
from pointsman.resources.key import Key
from pointsman.resources.kinds.consumer import ConsumerSpec


def read_consumers(context: Context) -> Mapping[Key, Consumer]:
    """All of them, by key; the same object while nothing about them changes."""
    found = {
        key: _read(context, key, resource.spec)
        for key, resource in sorted(context.resources.of("Consumer").items())
    }
    result: Mapping[Key, Consumer] = context.memo.get("consumers", (found,), lambda: found)
    return result


def _read(context: Context, key: Key, spec: ConsumerSpec) -> Consumer:
    def build() -> Consumer:
        tokens = tuple((item.issuer, item.subject) for item in spec.tokens)
        return Consumer(key, tuple(sorted(spec.groups)), spec.certificates, tokens)

    result: Consumer = context.memo.get(("consumer", key), (spec,), build)
    return result
