"""Which limits there are, by the ids of proxies' buckets.

A bucket's id says under `limit` and `allowance` what it is leased of; all the rest tells whom it
counts, and is nobody's business here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final, Protocol

from pointsman.graph.model.limits import SECONDS, Allowance, Rate

_FEW: Final = 10
"""A burst below which proxies have hardly a token each."""
_PART: Final = 0.03
"""Part of a rate that may become burst instead."""
_LONGEST: Final = 200
"""Characters of values that are kept in clear."""


class Definition(Protocol):
    """An allowance that proxies get leases of."""

    @property
    def allowance(self) -> Allowance:
        """How many requests are admitted, for each value they are counted by."""

    @property
    def shadow(self) -> bool:
        """Whether leases let all pass, and only count."""

    @property
    def strict(self) -> bool:
        """Whether proxies refuse what they have no lease for."""


Definitions = Mapping[tuple[str, str], Definition]
"""(`limit`, `allowance`) of a bucket -> what it is leased of."""
Bucket = Mapping[str, str]
"""The id of a bucket, as Envoy says it."""


def place(bucket: Bucket) -> tuple[str, str]:
    """Where a bucket's definition is."""
    return bucket.get("limit", ""), bucket.get("allowance", "base")


def who(bucket: Bucket) -> dict[str, str]:
    """What a bucket counts by: name -> value."""
    return {name: bucket[name] for name in sorted(bucket) if name not in ("limit", "allowance")}


def store_key(bucket: Bucket) -> str:
    """What a bucket is called in stores: `LIMIT ALLOWANCE WHO`.

    Values that are long, which whoever calls may choose, are told by their digest.
    """
    limit, allowance = place(bucket)
    values = json.dumps(who(bucket), separators=(",", ":"))
    if len(values) > _LONGEST:
        values = hashlib.sha256(values.encode()).hexdigest()
    return f"{limit} {allowance} {values}"


def parse_key(key: str) -> tuple[tuple[str, str], dict[str, str]]:
    """What `store_key` was made of: the place of the definition, and whom it counts."""
    limit, allowance, values = key.split(" ", 2)
    try:
        found = json.loads(values)
    except ValueError:
        return (limit, allowance), {"digest": values}
    return (limit, allowance), found if isinstance(found, dict) else {"digest": values}


def per_second(rate: Rate, planes: int = 1) -> tuple[float, float]:
    """Requests a second and tokens at once, of one of several control planes.

    Of a rate with a small burst a part becomes burst: in the length of its unit no more passes,
    and several proxies can have a token at the same time. Each control plane has one token at
    least, or it could admit nothing at all.
    """
    length = SECONDS[rate.per]
    more = min(max(0.0, _FEW - rate.burst), _PART * rate.requests)
    burst = max(1.0, (rate.burst + more) / planes)
    return (rate.requests - more) / length / planes, burst
