"""What is wrong with a running instance: its manifests, its proxies, and what requests met."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pointsman.doctor.check import Symptom
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.live import Live
from pointsman.doctor.report import told_findings
from pointsman.envoy.stats import Scope
from pointsman.observe.told import Told
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import WINDOW_S, Selector, Subject, Window

if TYPE_CHECKING:
    from pointsman.app.plane import ControlPlane


async def diagnosed(plane: "ControlPlane", over: float, symptom: Symptom | None) -> Told:
    """What is found, in both forms; proxies are served meanwhile.

    Args:
        plane: who is examined.
        over: seconds before now that are looked at, at most those of the window.
        symptom: leaves out what cannot be the cause of it.
    """
    evidence = gathered(plane, min(over, WINDOW_S), time.time())
    return told_findings(await asyncio.to_thread(diagnose, evidence, symptom))


def gathered(plane: "ControlPlane", over: float, now: float) -> Evidence:
    """Everything there is to go by, as values that nobody changes any more."""
    requests, telemetry = plane.features.requests, plane.features.telemetry
    since, graph = now - over, requests.history.graph
    era = requests.history.era_at(since)
    live = Live(
        over=over,
        requests=tuple(item for item in requests.ring if item.start >= since),
        traffic=_traffic(telemetry.window, since, now),
        before=_traffic(telemetry.window, now - WINDOW_S, since),
        proxies=plane.status().proxies,
        gateways=frozenset(graph.gateways),
        steady=era is not None and era.graph is graph,
        now=now,
        given=requests.history.given,
        certificates=plane.features.issuing.certificates,
        authority_end=plane.features.issuing.authority_end,
    )
    return Evidence(plane.store.resources(), graph, plane.problems(), live)


def _traffic(window: Window, since: float, until: float) -> Mapping[Subject, Traffic]:
    return {
        subject: traffic
        for scope in Scope
        for subject, traffic in window.rows(Selector(scope), since, until)
        if any(traffic.numbers)
    }
