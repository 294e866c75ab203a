"""Where a running instance answers people and programs: its own socket, and TCP where asked."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from starlette.routing import BaseRoute, Mount

from pointsman.api.doctor import doctor_routes
from pointsman.api.explain import explain_routes
from pointsman.api.listening import HttpAddress, HttpServer
from pointsman.api.metrics import metrics_app
from pointsman.api.requests import request_routes
from pointsman.api.rollouts import rollout_routes
from pointsman.api.server import StatusServer
from pointsman.api.traffic import traffic_routes
from pointsman.app.admin_app import administration
from pointsman.app.explained import explained_live
from pointsman.app.plane import ControlPlane
from pointsman.app.versions import version_report
from pointsman.observe.told import Told
from pointsman.observe.versions import VersionReport


async def answering(
    stack: AsyncExitStack,
    plane: ControlPlane,
    runtime_folder: Path,
    *,
    admin: HttpAddress | None,
    metrics: HttpAddress | None,
) -> None:
    """Answers until the stack is closed.

    Args:
        stack: closes what is opened here.
        plane: what is asked about.
        runtime_folder: folder of the socket.
        admin: where the administration answers over TCP, if anywhere.
        metrics: where Prometheus is answered, if anywhere.

    Raises:
        UsageError: an address or the socket cannot be had.
    """
    features = plane.features
    routes = (*_routes(plane), Mount("/", administration(plane, needs_token=False)))
    await stack.enter_async_context(StatusServer(runtime_folder, plane.status, routes))
    stack.callback(features.requests.stop)
    if admin is not None:
        served = administration(plane, needs_token=True)
        await stack.enter_async_context(HttpServer(admin, served, "--admin"))
    if metrics is not None:
        telemetry = features.telemetry
        scraped = metrics_app(
            {
                "/metrics": partial(telemetry.families, plane.server.nodes),
                "/metrics/istio": telemetry.istio_families,
            }
        )
        await stack.enter_async_context(HttpServer(metrics, scraped, "--metrics"))


def _routes(plane: ControlPlane) -> list[BaseRoute]:
    features = plane.features
    return [
        *features.discovery.routes,
        *traffic_routes(
            features.telemetry.report,
            features.telemetry.service_graph,
            partial(_versions, plane),
        ),
        *explain_routes(partial(explained_live, plane)),
        *doctor_routes(partial(_diagnosed, plane)),
        *request_routes(features.requests.ring, features.requests.history),
        *rollout_routes(features.rollouts),
    ]


async def _diagnosed(plane: ControlPlane, over: float, symptom: str | None) -> Told:
    # Imported when it is asked first: most instances never are.
    from pointsman.app.diagnosed import diagnosed  # noqa: PLC0415
    from pointsman.doctor.check import Symptom  # noqa: PLC0415

    return await diagnosed(plane, over, None if symptom is None else Symptom(symptom))


def _versions(plane: ControlPlane, over: float, now: float) -> VersionReport:
    requests, window = plane.features.requests, plane.features.telemetry.window
    return version_report(requests.history.graph, window, requests.callers.calls, over, now)
