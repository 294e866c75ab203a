"""The administration of a running instance; it is imported when it is asked first."""

from starlette.types import ASGIApp

from pointsman.api.admin.later import Later
from pointsman.app.plane import ControlPlane


def administration(plane: ControlPlane, *, needs_token: bool) -> ASGIApp:
    """The administration of an instance.

    Args:
        plane: what is administered.
        needs_token: whether every request has to have a token.
    """

    def build() -> ASGIApp:
        from pointsman.api.admin.app import admin_app  # noqa: PLC0415
        from pointsman.app.administration import Administration  # noqa: PLC0415

        return admin_app(Administration(plane), needs_token=needs_token)

    return Later(build)
