"""Authorization servers over HTTP: who they are for, their keys, and what was granted."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Body, Limit, Name, Namespace, Page
from pointsman.api.admin.who import Admin, Editor, Viewer
from pointsman.api.pages import USUAL_ITEMS
from pointsman.errors import RefusedError
from pointsman.graph.model.authorization_server import AuthorizationServer, Client
from pointsman.oauth.grants import Granted, Grants
from pointsman.oauth.keys import KeyRow, Keys
from pointsman.resources.key import Key

router = APIRouter(tags=["authorization servers"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,63}$")]
Consumer = Annotated[str, Query(pattern=r"^[a-z0-9-]+/[a-z0-9.-]+$", max_length=317)]


class ClientAnswer(Body):
    """Who gets tokens."""

    id: str
    grants: list[str]
    redirects: list[str]
    scopes: list[str]
    audiences: list[str]
    public: bool
    introspects: bool

    @classmethod
    def of(cls, found: Client) -> "ClientAnswer":
        """What is shown of one."""
        return cls(
            id=found.id,
            grants=list(found.grants),
            redirects=list(found.redirects),
            scopes=list(found.scopes),
            audiences=list(found.audiences),
            public=found.public,
            introspects=found.introspects,
        )


class ServerAnswer(Body):
    """An authorization server."""

    namespace: str
    name: str
    issuer: str
    algorithm: str
    access_token_seconds: int
    clients: list[ClientAnswer]

    @classmethod
    def of(cls, found: AuthorizationServer) -> "ServerAnswer":
        """What is shown of one."""
        return cls(
            namespace=found.key.namespace,
            name=found.key.name,
            issuer=found.issuer,
            algorithm=found.algorithm,
            access_token_seconds=found.access_s,
            clients=[ClientAnswer.of(client) for client in found.clients],
        )


class KeyAnswer(Body):
    """A key that tokens are signed with; never its private part."""

    id: str
    algorithm: str
    state: str
    created_at: datetime
    signs_at: datetime
    ends_at: datetime | None

    @classmethod
    def of(cls, found: KeyRow) -> "KeyAnswer":
        """What is shown of one."""
        return cls(
            id=found.id,
            algorithm=found.algorithm,
            state=found.state,
            created_at=found.created_at,
            signs_at=found.signs_at,
            ends_at=found.ends_at,
        )


class KeyRotation(Body):
    """How a key is rotated."""

    compromised: Annotated[
        bool, Field(description="Takes all other keys away now, with the tokens they signed.")
    ] = False


class Rotated(Body):
    """A key that was just made."""

    id: str


class GrantAnswer(Body):
    """What somebody has granted."""

    id: str
    server: str
    client: str
    subject: str
    scope: str
    audience: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, found: Granted) -> "GrantAnswer":
        """What is shown of one."""
        return cls(
            id=found.id,
            server=found.server,
            client=found.client,
            subject=found.subject,
            scope=found.scope,
            audience=found.audience,
            created_at=found.created_at,
            expires_at=found.expires_at,
            revoked_at=found.revoked_at,
        )


class Revoked(Body):
    """How many grants were ended."""

    grants: int


@router.get("/authorization-servers")
async def list_servers(
    request: Request,
    _who: Viewer,
    cursor: Annotated[str, Query(pattern=r"^([a-z0-9-]+/[a-z0-9.-]+)?$", max_length=317)] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[ServerAnswer]:
    """Authorization servers that are in force, by namespace and name."""
    instance: Administered = request.app.state.instance
    every = {key.path: server for key, server in instance.servers().items() if key.path > cursor}
    page = sorted(every)[:limit]
    return Page[ServerAnswer](
        items=[ServerAnswer.of(every[path]) for path in page],
        next=page[-1] if len(every) > limit else None,
    )


@router.get("/authorization-servers/{namespace}/{name}/keys")
async def list_keys(
    request: Request, _who: Viewer, namespace: Namespace, name: Name
) -> Page[KeyAnswer]:
    """Keys of an authorization server, the newest first; all of them at once."""
    server = _server(request, namespace, name)
    found = await (await _keys(request)).list(server.key)
    return Page[KeyAnswer](items=[KeyAnswer.of(item) for item in found])


@router.post("/authorization-servers/{namespace}/{name}/keys/rotate", status_code=201)
async def rotate_key(
    request: Request, who: Admin, namespace: Namespace, name: Name, body: KeyRotation
) -> Rotated:
    """Makes another key, which signs once everybody can know it."""
    server = _server(request, namespace, name)
    keys = await _keys(request)
    made = await keys.rotate(server, who.name, compromised=body.compromised)
    request.app.state.instance.poke()
    return Rotated(id=made)


@router.get("/grants")
async def list_grants(
    request: Request,
    _who: Viewer,
    consumer: Consumer | None = None,
    cursor: Annotated[str, Query(pattern=r"^[A-Za-z0-9_]{0,63}$")] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[GrantAnswer]:
    """What was granted and is good, by id."""
    found = await (await _grants(request)).list(consumer, cursor, limit + 1)
    page = found[:limit]
    return Page[GrantAnswer](
        items=[GrantAnswer.of(item) for item in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.post("/grants/{grant}/revoke")
async def revoke_grant(request: Request, who: Editor, grant: Id) -> GrantAnswer:
    """Ends a grant, and all tokens of it."""
    return GrantAnswer.of(await (await _grants(request)).revoke(grant, who.name))


@router.post("/consumers/{namespace}/{name}/grants/revoke")
async def revoke_grants(request: Request, who: Editor, namespace: Namespace, name: Name) -> Revoked:
    """Ends all grants in which a consumer acts, or is acted for."""
    count = await (await _grants(request)).revoke_all(f"{namespace}/{name}", who.name)
    return Revoked(grants=count)


def _server(request: Request, namespace: str, name: str) -> AuthorizationServer:
    instance: Administered = request.app.state.instance
    key = Key("AuthorizationServer", namespace, name)
    found = instance.servers().get(key)
    if found is None:
        raise RefusedError(f"there is no {key}", status=404)
    return found


async def _keys(request: Request) -> Keys:
    instance: Administered = request.app.state.instance
    stored = await instance.open()
    return Keys(stored.database, stored.master)


async def _grants(request: Request) -> Grants:
    instance: Administered = request.app.state.instance
    return Grants((await instance.open()).database)
