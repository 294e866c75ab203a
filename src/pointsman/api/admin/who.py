"""Who asks the administration, and what they may do."""

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from pointsman.access.secrets import Secret
from pointsman.access.tokens import ROLES, Role
from pointsman.api.admin.kept import Administered
from pointsman.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks.

    Attributes:
        name: as the audit log shows it.
        role: what they may do.
    """

    name: str
    role: Role


class DeniedError(RefusedError):
    """No token, a wrong one, or one whose role is not enough."""


async def asker(request: Request) -> Asker:
    """Who asks.

    Raises:
        DeniedError: a token is needed, and there is no good one.
    """
    if not request.app.state.needs_token:
        return Asker(f"local:{_user()}", "admin")
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise DeniedError("a token is needed: Authorization: Bearer TOKEN", status=401)
    instance: Administered = request.app.state.instance
    token = await (await instance.open()).tokens.verify(Secret(value.strip()))
    if token is None:
        raise DeniedError("the token is not good", status=401)
    return Asker(f"token:{token.name}", token.role)


def _user() -> str:
    """Whose socket it is: nobody else can open it, but for root."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _at_least(role: Role) -> Callable[..., Asker]:
    def check(found: Annotated[Asker, Depends(asker)]) -> Asker:
        if ROLES.index(found.role) < ROLES.index(role):
            message = f"the role {found.role} is not enough: {role} is needed"
            raise DeniedError(message, status=403)
        return found

    return check


Viewer = Annotated[Asker, Depends(_at_least("viewer"))]
Editor = Annotated[Asker, Depends(_at_least("editor"))]
Admin = Annotated[Asker, Depends(_at_least("admin"))]
CHALLENGE: Final = 'Bearer realm="pointsman"'
