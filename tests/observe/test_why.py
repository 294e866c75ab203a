"""Causes in words, and where time went."""

import re
from pathlib import Path

import pytest

from pointsman.observe.causes import FLAGS, causes
from pointsman.observe.lines import plain
from pointsman.observe.waterfall import WIDTH, spans, waterfall
from pointsman.telemetry.requests import Phases, Request

DOCUMENT = Path(__file__).parents[2] / "docs" / "requests.md"


def request(**fields: object) -> Request:
    return Request(id="r", start=0.0, node="", **fields)  # type: ignore[arg-type]


def test_every_flag_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    told = {tuple(row) for row in re.findall(r"^\| `([A-Z]+)` \| (.+) \| (.+) \|$", text, re.M)}
    assert told == {(cause.sign, cause.meaning, cause.look) for cause in FLAGS.values()}


@pytest.mark.parametrize(
    ("fields", "signs"),
    [
        ({"status": 200}, []),
        ({"status": 503, "flags": ("URX", "UF")}, ["URX", "UF"]),
        ({"status": 503, "flags": ("XX",), "details": "via_upstream"}, ["via_upstream"]),
        (
            {"status": 403, "details": "rbac_access_denied_matched_policy[x]"},
            ["rbac_access_denied"],
        ),
        ({"status": 0, "flags": ("DC",)}, ["DC"]),
    ],
)
def test_causes(fields: dict[str, object], signs: list[str]) -> None:
    assert [cause.sign for cause in causes(request(**fields))] == signs


def test_time_is_shown_by_its_parts() -> None:
    phases = Phases(
        request=1.0,
        connect=2.0,
        sent=5.0,
        sent_whole=5.0,
        answered=90.0,
        answered_whole=100.0,
        returned=91.0,
        returned_whole=100.0,
    )
    found = request(status=200, duration=100.0, phases=phases)
    assert [(item.name, item.start, item.end) for item in spans(found)] == [
        ("request comes in", 0.0, 1.0),
        ("filters, route", 0.0, 3.0),
        ("connect to endpoint", 3.0, 5.0),
        ("request goes on", 5.0, 5.0),
        ("endpoint works", 5.0, 90.0),
        ("response comes in", 90.0, 100.0),
        ("response goes back", 91.0, 100.0),
    ]
    bars = plain(waterfall(found)).splitlines()
    assert "█" * round(WIDTH * 0.85) in bars[4]
    assert bars[4].endswith("85 ms")


def test_a_request_without_answer_waits_to_its_end() -> None:
    found = request(status=504, duration=50.0, phases=Phases(sent=1.0, sent_whole=2.0))
    assert ("no answer", 2.0, 50.0) in [(item.name, item.start, item.end) for item in spans(found)]


def test_a_request_without_time_has_no_bars() -> None:
    assert plain(waterfall(request())) == ""
