"""Damaged manifests meet real Envoys: no traceback, no rejection, no outage.

Twenty-five shops, each with manifests, a store and a compiler of its own, share two Envoys, one
for gateways and one for sidecars, so that one push carries twenty-five mutations. An Envoy that
rejects a resource names a rule that is missing in `resources/rules`: manifests Pointsman accepts
must be manifests Envoy accepts. `--mutations=N` asks for more of them.
"""

import traceback
from functools import partial
from pathlib import Path

import pytest

from pointsman.resources.problem import Severity
from pointsman.xds.rejection import Rejection
from tests.mutations.mall import SHOPS, mall, serves
from tests.mutations.mutate import mutated

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("mutations")]


@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_mutated_manifests(tmp_path: Path, mutations: range) -> None:
    faults: list[str] = []
    async with mall(tmp_path) as shops:
        for first in mutations[::SHOPS]:
            done = {}
            for shop, number in zip(shops.damaged, range(first, first + SHOPS), strict=True):
                done[f"s{shop.number}"], text = mutated(shop.text, number)
                try:
                    shops.change(shop, text)
                except Exception:
                    faults.append(f"{number}: {text}\n{traceback.format_exc()}")
            await shops.push()
            assert await serves(shops.healthy.asked())
            faults += map(partial(_blame, done), shops.rejections)
            shops.rejections.clear()
            for home, said in (await shops.complaints()).items():
                faults.append(f"redirected: {said} after {done.get(home)}")
    assert not faults, f"{len(faults)} faults:\n" + "\n\n".join(faults[:40])


def _blame(done: dict[str, str], rejection: Rejection) -> str:
    blamed = [done[key.namespace] for key in rejection.keys if key.namespace in done]
    return f"{rejection.name}: {rejection.message[:400]} after {blamed or list(done.values())}"


EXTREMES = {
    "expression of 255 letters": ('regex: "/items/[0-9]+"', f"regex: {'a' * 255}"),
    "expression of 999 steps": ('regex: "v[0-9]+"', 'regex: "(?:ab){248}c{249}d{249}"'),
    "weights that are no hundred": ("weight: 70", "weight: 100"),
    "time of 68 years": ("{unit: ms, value: 2500}", "{unit: s, value: 2147483647}"),
    "ejection of 68 years": (
        "baseEjectionDuration: {unit: s, value: 10}",
        "baseEjectionDuration: {unit: s, value: 2147483647}",
    ),
    "idle time of 68 years": ("idle: {unit: s, value: 10}", "idle: {unit: s, value: 2147483647}"),
    "retries without end": ("maxRetries: 2", "maxRetries: 2147483647"),
    "retry time 0": (
        "perRetryTimeout: {unit: s, value: 1}",
        "perRetryTimeout: {unit: s, value: 0}",
    ),
    "connections without end": ("maxPendingRequests: 10", "maxPendingRequests: 2147483647"),
    "header of 255 bytes": ("match: {prefix: a}", f"match: {{prefix: {'a' * 255}}}"),
    "header beyond ASCII": ("match: {prefix: a}", "match: {prefix: größe}"),
    "query beyond ASCII": ("match: {exact: red}", 'match: {exact: "a b&ü"}'),
    "the widest range": (
        "range: {start: 1, end: 10}",
        "range: {start: -9223372036854775808, end: 9223372036854775807}",
    ),
    "a host twice, but for its case": ("exact: shop.example.com", "exact: SHOP.EXAMPLE.COM"),
    "a suffix and a host that meet": ("exact: items.example.com", "exact: x.example.com"),
    "a suffix without a dot": ("suffix: .example.com", "suffix: example.com"),
    "a path with every character": ("path: {exact: /split}", 'path: {exact: "/ä %2F;=&+,@!"}'),
    "a prefix that is all": ("prefix: /cart", "prefix: /"),
    "a name of 255 bytes": ("awsName: cart.", f"awsName: {'a' * 200}."),
    "a log line of 1000 bytes": ('text: "%START_TIME%', f'text: "{"%PROTOCOL%" * 80}%START_TIME%'),
    "an address that is no name": ("hostname: stock.localhost", "hostname: 10.0.0.1"),
    "an address with a scope": ("10.100.7.20, 10.101.0.0/16", "'fe80::1%eth0'"),
    "one range in three spellings": (
        "10.100.7.20, 10.101.0.0/16",
        "10.0.0.1/8, 10.0.0.0/255.0.0.0, 10.2.0.0/8",
    ),
    "every address": ("10.100.7.20, 10.101.0.0/16", "0.0.0.0/0, '::/0'"),
    "a cookie with odd letters": ("name: session,", 'name: "a\'!#$%&b",'),
    "a cookie for an odd path": ("path: /cart, ttl", 'path: "/ä b;x=1", ttl'),
    "a cookie for 68 years": (
        "ttl: {unit: s, value: 3600}",
        "ttl: {unit: s, value: 2147483647}",
    ),
    "a slow start of 68 years": (
        "window: {unit: s, value: 60}",
        "window: {unit: s, value: 2147483647}",
    ),
    "connecting for 68 years": (
        "connectTimeout: {unit: ms, value: 4000}",
        "connectTimeout: {unit: s, value: 2147483647}",
    ),
    "a value like a format": ('"web %FOO% {x}"', '"größe %%A% ${X%(;"'),
    "a value of 4096 signs": ('"web %FOO% {x}"', f'"{"%" * 4096}"'),
    "a header with odd letters": ("name: x-team", 'name: "!#$%&\'*+.^_`|~-X"'),
    "the smallest share": ("percent: 12.5", "percent: 0.00000000001"),
    "a delay of 68 years": (
        "duration: {unit: ms, value: 800}",
        "duration: {unit: s, value: 2147483647}",
    ),
    "an origin of stars": ('"https://*.preview.example"', f'"https://{"*." * 120}x"'),
    "an origin like an expression": (
        '"https://*.preview.example"',
        '"https://a(b[c{d+e\\\\f|g^h$"',
    ),
    "cors for 68 years": (
        "maxAge: {unit: s, value: 600}",
        "maxAge: {unit: s, value: 2147483647}",
    ),
    "a retry of time 0": (
        "perRetryTimeout: {unit: ms, value: 700}",
        "perRetryTimeout: {unit: s, value: 0}",
    ),
    "bodies without end": ("minBytes: 1000", "minBytes: 2147483647"),
    "a type of nothing": ("contentTypes: [text/html", "contentTypes: ['a b;c=\"ü\"'"),
    "a secret with an odd name": (
        "sds: {secretName: bundle}\n          subj",
        "sds: {secretName: 'a b/ü,%'}\n          subj",
    ),
    "alternative names of nothing": ('exact: [client.example, "', "exact: ['', \"spiffe://a/b ü"),
    "a node with an odd name": ("awsName: app\n", "awsName: 'a,b:ü\"'\n"),
    "silence for 68 years": (
        "idle: {unit: s, value: 45}",
        "idle: {unit: s, value: 2147483647}",
    ),
    "a node at an address of IPv6": ("hostname: 127.0.0.9", "hostname: '::1'"),
    "a closed mesh": ("type: ALLOW_ALL", "type: DROP_ALL"),
}


async def test_extremes_that_are_accepted_are_accepted_by_envoy(tmp_path: Path) -> None:
    every = list(EXTREMES.items())
    async with mall(tmp_path) as shops:
        for first in range(0, len(every), SHOPS):
            done = {}
            for shop, (name, (old, new)) in zip(shops.damaged, every[first:], strict=False):
                done[f"s{shop.number}"] = name
                assert shop.text.count(old) >= 1, name
                problems = shops.change(shop, shop.text.replace(old, new))
                errors = [p.message for p in problems if p.code.severity is Severity.ERROR]
                assert errors == [], name
            await shops.push()
            assert [_blame(done, rejection) for rejection in shops.rejections] == []
            found = await shops.complaints()
            assert {done.get(home): said for home, said in found.items()} == {}
