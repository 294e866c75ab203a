"""What is wrong with a running instance: its manifests, its proxies, and what requests met."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pointsman.doctor.check import Symptom
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.live import Live, RolloutSeen
from pointsman.doctor.report import told_findings
from pointsman.envoy import names
from pointsman.envoy.sealed import SECRET
from pointsman.envoy.stats import Scope
from pointsman.observe.told import Told
from pointsman.resources.key import Key
from pointsman.rollout.state import Phase
from pointsman.rollout.view import RolloutView
from pointsman.telemetry.expiries import Expiry
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
        files=_files(plane, telemetry.expiries.fresh(now)),
        refused=plane.server.refusals.since(since),
        revisions=tuple(
            (item.at, item.changed)
            for item in plane.revisions.history.revisions
            if item.at >= since and item.number > 1
        ),
        clocks=requests.clocks.apart(now),
        rollouts=tuple(map(_seen, plane.features.rollouts.views())),
    )
    return Evidence(plane.store.resources(), graph, plane.problems(), live)


def _files(
    plane: "ControlPlane", told: Mapping[Key, Mapping[str, Expiry]]
) -> Mapping[Key, Mapping[str, Expiry]]:
    """What proxies told of certificates that they are still to have."""
    used = {
        (state.proxy.key, names.certificate_file(name))
        for state in plane.states()
        for name in state.snapshot.of(SECRET)
    }
    return {
        key: {file: expiry for file, expiry in files.items() if (key, file) in used}
        for key, files in told.items()
    }


def _seen(view: RolloutView) -> RolloutSeen:
    return RolloutSeen(
        key=Key(view.kind, view.namespace, view.name),
        since=view.since,
        waits="" if view.paused else view.waits,
        undone=view.phase == Phase.FAILED,
        settled=not (view.phase == Phase.FAILED and view.moving),
        candidate=(view.requests, view.failed),
        stable=(view.stable_requests, view.stable_failed),
    )


def _traffic(window: Window, since: float, until: float) -> Mapping[Subject, Traffic]:
    return {
        subject: traffic
        for scope in Scope
        for subject, traffic in window.rows(Selector(scope), since, until)
        if any(traffic.numbers)
    }
