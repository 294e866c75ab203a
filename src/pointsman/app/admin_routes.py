"""Where the administration is mounted; it is imported when it is asked first."""

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from pointsman.api.admin.later import Later
from pointsman.app.access import AccessState
from pointsman.resources.store import Store


def admin_routes(access: AccessState, store: Store, *, needs_token: bool) -> list[BaseRoute]:
    """Routes of the administration; they take every path, so they come behind all others.

    Args:
        access: consumers and credentials that are kept.
        store: everything that was written.
        needs_token: whether every request has to have a token.
    """

    def build() -> ASGIApp:
        from pointsman.api.admin.app import admin_app  # noqa: PLC0415
        from pointsman.app.administration import Administration  # noqa: PLC0415

        return admin_app(Administration(access, store), needs_token=needs_token)

    return [Mount("/", Later(build))]
