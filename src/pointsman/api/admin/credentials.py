"""Credentials over HTTP: issued, rotated, revoked; secrets are shown once."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from pointsman.access.credential import Issued, Kind, State
from pointsman.access.secrets import imported
from pointsman.api.admin.kept import Administered, Stored
from pointsman.api.admin.models import (
    CredentialAnswer,
    CredentialBody,
    IssuedAnswer,
    Limit,
    Name,
    Namespace,
    Page,
    RotateBody,
)
from pointsman.api.admin.who import Editor, Viewer
from pointsman.api.pages import USUAL_ITEMS
from pointsman.errors import RefusedError
from pointsman.resources.key import Key

router = APIRouter(tags=["credentials"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,63}$")]


@router.get("/credentials")
async def list_credentials(
    request: Request,
    _who: Viewer,
    consumer: Annotated[str | None, Query(pattern=r"^[a-z0-9-]+/[a-z0-9.-]+$")] = None,
    kind: Kind | None = None,
    state: State | None = None,
    cursor: Annotated[str, Query(pattern=r"^[A-Za-z0-9_]{0,63}$")] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[CredentialAnswer]:
    """Credentials, by id."""
    stored = await _stored(request)
    key = None if consumer is None else Key("Consumer", *consumer.split("/", 1))
    found = await stored.credentials.list(
        consumer=key, kind=kind, state=state, after=cursor, limit=limit + 1
    )
    now = stored.database.clock()
    page = found[:limit]
    return Page[CredentialAnswer](
        items=[CredentialAnswer.of(item, now) for item in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.post("/consumers/{namespace}/{name}/credentials", status_code=201)
async def issue_credential(
    request: Request, who: Editor, namespace: Namespace, name: Name, body: CredentialBody
) -> IssuedAnswer:
    """Issues a credential to a consumer."""
    instance: Administered = request.app.state.instance
    stored = await instance.open()
    key = Key("Consumer", namespace, name)
    if key not in instance.declared() and await stored.consumers.get(key) is None:
        raise RefusedError(f"there is no {key}", status=404)
    issued = await stored.credentials.issue(
        key,
        body.kind,
        who.name,
        label=body.label,
        expires_at=body.ends(stored.database.clock()),
        secret=None if body.secret is None else imported(body.secret),
    )
    instance.poke()
    return _issued(stored, issued)


@router.get("/credentials/{credential}")
async def get_credential(request: Request, _who: Viewer, credential: Id) -> CredentialAnswer:
    """A credential without its secret."""
    stored = await _stored(request)
    found = await stored.credentials.get(credential)
    return CredentialAnswer.of(found, stored.database.clock())


@router.post("/credentials/{credential}/rotate", status_code=201)
async def rotate_credential(
    request: Request, who: Editor, credential: Id, body: RotateBody
) -> IssuedAnswer:
    """Issues another one in its place; the old one stays good for the overlap."""
    stored = await _stored(request)
    issued = await stored.credentials.rotate(
        credential,
        who.name,
        overlap=timedelta(seconds=body.overlap),
        expires_at=body.ends(stored.database.clock()),
    )
    request.app.state.instance.poke()
    return _issued(stored, issued)


@router.post("/credentials/{credential}/revoke")
async def revoke_credential(request: Request, who: Editor, credential: Id) -> CredentialAnswer:
    """Ends a credential now."""
    stored = await _stored(request)
    found = await stored.credentials.revoke(credential, who.name)
    request.app.state.instance.poke()
    return CredentialAnswer.of(found, stored.database.clock())


async def _stored(request: Request) -> Stored:
    instance: Administered = request.app.state.instance
    return await instance.open()


def _issued(stored: Stored, issued: Issued) -> IssuedAnswer:
    answer = CredentialAnswer.of(issued.credential, stored.database.clock())
    return IssuedAnswer(credential=answer, secret=issued.secret.text)
