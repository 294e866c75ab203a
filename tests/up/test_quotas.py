"""Quotas of a running instance: counted over restarts, shown, and begun anew."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import Up, ask, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-quotas")]

LIMIT = "shop/plans/month"
MOST = 8
POLICY = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "RateLimitPolicy",
    "metadata": {"name": "plans", "namespace": m.NAMESPACE},
    "spec": {
        "targetRefs": [{"kind": "VirtualGateway", "name": "front"}],
        "limits": [{"name": "month", "quota": {"requests": MOST, "per": "month"}}],
    },
}


@pytest.fixture
def options(tmp_path: Path) -> tuple[Any, ...]:
    folder = tmp_path / "mesh"
    folder.mkdir()
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"))
    (folder / "mesh.yaml").write_text(m.text(*mesh, POLICY))
    state = ("--state", str(tmp_path / "s.db"), "--master-key", str(tmp_path / "master.key"))
    return (folder, "--echo", "--listen", "8088=0", *state)


def asked(up: Up, count: int = 1) -> Counter[int]:
    return Counter(ask(up.address("front"), "/books").status for _ in range(count))


def shown(up: Up) -> dict[str, Any]:
    items = json.loads(up.command("quota", "show", LIMIT, "--json"))["items"]
    return items[0] if items else {"used": 0}


def test_a_quota_outlasts_the_instance_and_can_begin_anew(options: tuple[Any, ...]) -> None:
    passed = 0

    def spent(up: Up) -> bool:
        nonlocal passed
        passed += asked(up, 5)[200]
        return bool(shown(up)["used"] >= MOST)

    with running(*options) as up:
        until(lambda: spent(up), 20, "the quota is used up")
        # Those of the beginning pass before there is a lease.
        assert MOST <= passed <= MOST + 5
        # Whoever goes on asking spoils nothing for later.
        assert asked(up, 5 * MOST) == {429: 5 * MOST}
        found = shown(up)
        assert (found["used"] >= MOST, found["held"], found["most"]) == (True, 0, MOST)
        assert (found["kind"], found["allowance"], found["who"]) == ("quota", "base", {})
        assert found["resetsAt"].endswith("-01T00:00:00Z")
    with running(*options) as up:
        # The proxy is another one, and knows nothing before it has asked.
        asked(up)
        until(lambda: asked(up, 5 * MOST) == {429: 5 * MOST}, 20)
        assert shown(up)["used"] >= MOST
        assert up.command("quota", "reset", LIMIT) == f"{LIMIT} begins anew (1 count)\n"
        until(lambda: asked(up)[200], 20, "requests pass again")
        (entry, *_) = json.loads(up.command("audit", "--json"))["items"]
        assert (entry["action"], entry["kind"], entry["object"]) == ("reset", "Quota", LIMIT)


def test_a_table_for_people(options: tuple[Any, ...]) -> None:
    with running(*options) as up:
        assert up.command("quota", "show") == "none\n"
        asked(up)
        until(lambda: shown(up)["used"], 20)
        heading, row = up.command("quota", "show", "shop/").splitlines()
    assert heading.split() == ["LIMIT", "KIND", "ALLOWANCE", "WHO", "USED", "HELD", "OF", "RESETS"]
    assert row.split()[:4] == [LIMIT, "quota", "base", "all"]


def test_the_first_request_of_a_caller_passes_and_is_counted(options: tuple[Any, ...]) -> None:
    with running(*options) as up:
        assert asked(up) == {200: 1}
        until(lambda: shown(up)["used"] == 1, 20)
