"""The administration of a running instance; it is imported when it is asked first."""

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp

from pointsman.api.admin.later import Later
from pointsman.app.access import AccessState
from pointsman.app.issuers import Issuers
from pointsman.app.revisions import Revisions
from pointsman.limits.server import LimitServer
from pointsman.observe.objects import ObjectStatus
from pointsman.resources.key import Key
from pointsman.resources.store import Store


def administration(
    access: AccessState,
    store: Store,
    limits: LimitServer,
    issuers: Issuers,
    objects: Callable[[], Mapping[Key, ObjectStatus]],
    revisions: Revisions,
    *,
    needs_token: bool,
) -> ASGIApp:
    """The administration of an instance.

    Args:
        access: consumers and credentials that are kept.
        store: everything that was written.
        limits: knows how shared limits stand.
        issuers: authorization servers.
        objects: tells how far each object is.
        revisions: what manifests said.
        needs_token: whether every request has to have a token.
    """

    def build() -> ASGIApp:
        from pointsman.api.admin.app import admin_app  # noqa: PLC0415
        from pointsman.app.administration import Administration  # noqa: PLC0415

        administered = Administration(access, store, limits, issuers, objects, revisions)
        return admin_app(administered, needs_token=needs_token)

    return Later(build)
