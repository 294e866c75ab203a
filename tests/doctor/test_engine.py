"""What the engine makes of findings, problems and patches."""

from typing import Any

import pytest
import yaml

from pointsman.doctor.catalogue import CHECKS
from pointsman.doctor.check import Symptom
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding
from pointsman.doctor.report import finding_json, patch_json
from pointsman.doctor.told import LEFT_OUT, TOLD
from pointsman.resources.codes import CODES
from tests.doctor.case import (
    BASE,
    CART,
    Case,
    examined,
    gateway_route,
    node,
    route,
    router,
    service,
)
from tests.doctor.routes_cases import CASES as ROUTES

PATCHED = [case for case in ROUTES if any(f.patch for f in examined(case.base, case.bad))]


def test_nothing_comes_of_nothing() -> None:
    assert diagnose(Evidence()) == ()


def test_every_problem_is_a_finding_or_left_out_for_a_reason() -> None:
    assert TOLD.keys() | LEFT_OUT.keys() == CODES.keys()
    assert not TOLD.keys() & LEFT_OUT.keys()
    assert set(TOLD.values()) <= set(CHECKS.values())


def test_errors_come_first_and_then_lines() -> None:
    broken = node("lost") + service("lost") + gateway_route("lost", "{prefix: /lost}", "nobody")
    wide = gateway_route("wide", "{prefix: /a}", priority="1")
    deep = gateway_route("deep", "{prefix: /a/b}", priority="2")
    findings = examined(BASE, CART + deep + wide + broken)
    assert [finding.check.code for finding in findings] == ["R04", "R01"]
    assert [finding.severity.value for finding in findings] == ["error", "warning"]


def test_findings_are_in_the_order_of_lines() -> None:
    names = ("b", "c", "a")
    hidden = (gateway_route(n, f"{{prefix: /w/{n}}}", priority="9") for n in names)
    wide = gateway_route("w", "{prefix: /w}", priority="1")
    findings = examined(BASE, CART + wide + "".join(hidden))
    assert [f.place.key.name for f in findings if f.place.key] == list(names)


def test_a_problem_keeps_its_place_and_is_told_once() -> None:
    twins = gateway_route("a", "{prefix: /a}") + gateway_route("b", "{prefix: /a}")
    (finding,) = examined(BASE, CART + twins)
    assert (finding.check.code, finding.problem) == ("R02", "PM416")
    shown = finding_json(finding)
    assert (shown["file"], shown["object"]) == ("1.yaml", "GatewayRoute shop/b")


TWO_PORTS = router(
    "cart",
    route("wide", "{prefix: /, port: 8080}", priority="1"),
    route("deep", "{prefix: /deep, port: 9090}", priority="2"),
).replace("[{portMapping", "[{portMapping: {port: 9090, protocol: http}}, {portMapping")


def test_routes_of_two_ports_do_not_hide_each_other() -> None:
    caller = node("app", backends="[{virtualService: {virtualServiceRef: {name: cart}}}]")
    behind = node("cart") + service("cart", "VirtualRouter/cart") + caller
    assert examined(BASE, behind + TWO_PORTS) == ()
    one = TWO_PORTS.replace("/deep, port: 9090", "/deep, port: 8080")
    (finding,) = examined(BASE, behind + one)
    assert finding.check.code == "R16"


def test_a_rewrite_that_goes_with_path_alone_gets_no_patch() -> None:
    greedy = gateway_route("any", "{path: {regex: '.*'}}").replace(
        "action: {", "action: {rewrite: {path: {exact: /b}}, "
    )
    (finding,) = examined(BASE, CART + greedy + gateway_route("v1", "{prefix: /v1}"))
    assert (finding.check.code, finding.patch) == ("R11", ())


@pytest.mark.parametrize("symptom", Symptom)
def test_a_symptom_leaves_out_what_cannot_be_its_cause(symptom: Symptom) -> None:
    checks = {check.code for check in CHECKS.values() if symptom in check.symptoms}
    assert checks
    assert checks != set(CHECKS)


def test_there_are_mistakes_with_patches() -> None:
    assert {case.check for case in PATCHED} == {"R11", "R16"}


@pytest.mark.parametrize("case", PATCHED, ids=lambda case: f"{case.check} {case.name}")
def test_a_patch_mends(case: Case) -> None:
    documents = list(yaml.safe_load_all(case.bad))
    for finding in examined(case.base, case.bad):
        patch(documents, finding)
    assert examined(case.base, yaml.safe_dump_all(documents)) == ()


def patch(documents: list[dict[str, Any]], finding: Finding) -> None:
    """Does to an object what RFC 6902 says."""
    key = finding.place.key
    assert key is not None
    (found,) = [d for d in documents if d and (d["kind"], d["metadata"]["name"]) == key[::2]]
    for step in patch_json(finding.patch):
        *above, last = step["path"].split("/")[1:]
        target: Any = found
        for name in above:
            target = target[int(name) if isinstance(target, list) else name]
        if step["op"] == "remove":
            del target[last]
        else:
            target[last] = step["value"]
