"""What a control plane sees of itself and its proxies, each beside a twin in which all is well."""

from dataclasses import replace

import pytest

from pointsman.doctor.finding import Finding
from pointsman.doctor.live import Live, RolloutSeen
from pointsman.observe.status import ProxyStatus, TypeStatus
from pointsman.resources.key import Key
from pointsman.resources.problem import Severity
from pointsman.telemetry.expiries import Expiry
from pointsman.xds.refused import Refused
from tests.doctor.live_cases import EDGE, GATEWAY, SHOP, examined, seen

TOLD = {"R23", "U12", "L15", "D02", "D03", "C04"}
"""Checks that are tested here."""
NOW = 1_800_000_000.0
DAY = 86_400.0
ROLLOUT = Key("Rollout", "shop", "cart")
REFUSED = Refused(
    "mesh/m/virtualGateway/egde_shop", "unknown resource", True, "ipv4:10.0.0.9:4711", 3, NOW
)
STARVED = RolloutSeen(ROLLOUT, NOW - 90, "3 of 50 requests", candidate=(3, 0), stable=(40, 1))
STUCK = RolloutSeen(ROLLOUT, NOW - 30, undone=True, settled=False)


def found(**seen_: object) -> tuple[Finding, ...]:
    return examined(SHOP, seen(now=NOW, **seen_))


def only(live: tuple[Finding, ...], check: str) -> Finding:
    (finding,) = live
    assert finding.check.code == check
    return finding


def test_a_proxy_that_is_turned_away_is_told_with_the_node_that_was_meant() -> None:
    finding = only(found(refused=(REFUSED,)), "R23")
    assert "egde_shop is turned away: unknown resource" in finding.message
    assert EDGE in finding.advice
    assert "3 times, last from ipv4:10.0.0.9:4711" in finding.facts[0].text
    unproven = replace(REFUSED, node=EDGE, unknown=False, reason="no credentials")
    finding = only(found(refused=(unproven,)), "R23")
    assert finding.place.key == GATEWAY
    assert "certificate or a token" in finding.advice


def test_a_proxy_whose_node_was_written_since_is_no_longer_told() -> None:
    assert found(refused=(replace(REFUSED, node=EDGE),)) == ()


@pytest.mark.parametrize(
    ("expiry", "severity"),
    [
        (Expiry(NOW - 60, NOW - DAY, NOW), Severity.ERROR),
        (Expiry(NOW + 2 * DAY, NOW - 10 * DAY, NOW), Severity.WARNING),
        # Since the control plane started nobody has seen it renewed, but it may live for days only.
        (Expiry(NOW + 2 * DAY, NOW - DAY, NOW), Severity.NOTE),
        (Expiry(NOW + DAY, NOW - 5.1 * DAY, NOW), Severity.WARNING),
        (Expiry(NOW + 8 * DAY, NOW - DAY, NOW), None),
        # One that somebody renews may be short: an hour, of which ten minutes are left.
        (Expiry(NOW + 540, NOW - 3060, NOW, renewed=True), Severity.WARNING),
        (Expiry(NOW + 1200, NOW - 2400, NOW, renewed=True), None),
    ],
)
def test_a_certificate_in_a_file_is_told_when_nobody_renews_it(
    expiry: Expiry, severity: Severity | None
) -> None:
    findings = found(files={GATEWAY: {"/certs/edge.pem": expiry}})
    if severity is None:
        assert findings == ()
        return
    finding = only(findings, "U12")
    assert finding.severity is severity
    assert finding.message.startswith("the certificate in /certs/edge.pem ")


def test_constant_changes_are_told_with_the_source_that_changes_most() -> None:
    changes = [(NOW - 300 + n * 10, ("a.yaml",)) for n in range(29)]
    finding = only(found(revisions=(*changes, (NOW, ("b.yaml",)))), "L15")
    assert finding.message == "manifests changed 30 times in 5 minutes"
    assert finding.facts[0].text == "a.yaml changed 29 times"
    assert found(revisions=tuple(changes[:10])) == ()
    slowly = tuple((NOW + n * 60, ("a.yaml",)) for n in range(30))
    assert found(revisions=slowly) == ()


def test_a_rollout_that_waits_is_told_with_what_it_has_counted() -> None:
    finding = only(found(rollouts=(STARVED,)), "D02")
    assert finding.message == "Rollout shop/cart waits: 3 of 50 requests"
    assert [item.text for item in finding.facts] == [
        "candidate: 3 requests in the newest interval, 0 failed",
        "stable: 40 requests in the newest interval, 1 failed",
    ]
    assert found(rollouts=(replace(STARVED, waits=""),)) == ()


@pytest.mark.parametrize(
    ("behind", "words"),
    [(45.0, "45 s behind"), (-3700.0, "1 hour ahead of"), (29.0, ""), (-5.0, "")],
)
def test_clocks_that_are_apart_are_told(behind: float, words: str) -> None:
    findings = found(clocks={EDGE: behind, "mesh/m/virtualNode/gone_shop": 500.0})
    if not words:
        assert findings == ()
        return
    finding = only(findings, "C04")
    assert finding.place.key == GATEWAY
    assert f"is {words} the control plane's" in finding.message


def behind() -> tuple[ProxyStatus, ...]:
    late = TypeStatus(type="routes")
    return (ProxyStatus(node=EDGE, gateway="shop/edge", since=NOW - 5, types=(late,)),)


def test_a_rollback_that_a_proxy_has_not_taken_is_told_with_the_proxy() -> None:
    live: Live = seen(now=NOW, rollouts=(STUCK,), proxies=behind())
    finding = only(examined(SHOP, live), "D03")
    assert finding.message == (
        "Rollout shop/cart was rolled back 30 s ago, and not all proxies have it"
    )
    assert EDGE in finding.facts[0].text
    for well in (replace(STUCK, since=NOW - 5), replace(STUCK, settled=True)):
        assert found(rollouts=(well,)) == ()
