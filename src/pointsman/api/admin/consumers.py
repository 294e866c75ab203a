"""Consumers over HTTP. Those that files declare are shown; files are where to change them."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from pointsman.access.consumers import KeptConsumer
from pointsman.api.admin.kept import Administered, Declared
from pointsman.api.admin.models import (
    ConsumerAnswer,
    ConsumerBody,
    Limit,
    Name,
    Namespace,
    Page,
    Spec,
)
from pointsman.api.admin.who import Editor, Viewer
from pointsman.api.pages import USUAL_ITEMS
from pointsman.errors import RefusedError
from pointsman.oauth.grants import Grants
from pointsman.resources.key import Key
from pointsman.resources.kinds.consumer import ConsumerSpec
from pointsman.resources.origin import Origin
from pointsman.resources.resource import Resource
from pointsman.resources.rules import RULES
from pointsman.resources.validate import validate

router = APIRouter(tags=["consumers"])


@router.get("/consumers")
async def list_consumers(
    request: Request,
    _who: Viewer,
    namespace: Namespace | None = None,
    cursor: Annotated[str, Query(max_length=400)] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[ConsumerAnswer]:
    """Consumers in force, by namespace and name."""
    found = await _everybody(request)
    chosen = [
        answer
        for path, answer in sorted(found.items())
        if path > cursor and namespace in (None, answer.namespace)
    ]
    more = len(chosen) > limit
    page = chosen[:limit]
    last = f"{page[-1].namespace}/{page[-1].name}" if more else None
    return Page[ConsumerAnswer](items=page, next=last)


@router.post("/consumers", status_code=201)
async def create_consumer(request: Request, who: Editor, body: ConsumerBody) -> ConsumerAnswer:
    """Makes a consumer that no file declares."""
    key = Key("Consumer", body.namespace, body.name)
    instance = _instance(request)
    _not_declared(instance, key)
    made = await (await instance.open()).consumers.create(key, _good(key, body.spec), who.name)
    instance.poke()
    return _kept(made)


@router.get("/consumers/{namespace}/{name}")
async def get_consumer(
    request: Request, _who: Viewer, namespace: Namespace, name: Name
) -> ConsumerAnswer:
    """A consumer."""
    found = (await _everybody(request)).get(f"{namespace}/{name}")
    if found is None:
        raise RefusedError(f"there is no Consumer {namespace}/{name}", status=404)
    return found


@router.put("/consumers/{namespace}/{name}")
async def replace_consumer(
    request: Request,
    who: Editor,
    namespace: Namespace,
    name: Name,
    body: Spec,
    if_match: Annotated[str | None, Header(max_length=64)] = None,
) -> ConsumerAnswer:
    """Gives a consumer another spec; `If-Match` has the version that was seen."""
    key = Key("Consumer", namespace, name)
    instance = _instance(request)
    _not_declared(instance, key)
    version = _version(if_match)
    spec = _good(key, body)
    stored = await instance.open()
    made = await stored.consumers.replace(key, spec, who.name, version)
    instance.poke()
    return _kept(made)


@router.delete("/consumers/{namespace}/{name}", status_code=204)
async def delete_consumer(
    request: Request, who: Editor, namespace: Namespace, name: Name
) -> Response:
    """Removes a consumer, revokes its credentials, and ends what was granted to it and by it."""
    key = Key("Consumer", namespace, name)
    instance = _instance(request)
    _not_declared(instance, key)
    stored = await instance.open()
    await stored.consumers.delete(key, who.name)
    # Whoever gets the name next must not get these, too.
    await Grants(stored.database).revoke_all(key.path, who.name)
    instance.poke()
    return Response(status_code=204)


def _instance(request: Request) -> Administered:
    instance: Administered = request.app.state.instance
    return instance


async def _everybody(request: Request) -> dict[str, ConsumerAnswer]:
    """Consumers of files and of the database, which has only those that no file declares."""
    instance = _instance(request)
    stored = await instance.open()
    found = {item.key.path: _kept(item) for item in await stored.consumers.all()}
    for key, declared in instance.declared().items():
        if declared.origin:
            found[key.path] = _declared(key, declared)
    return found


def _not_declared(instance: Administered, key: Key) -> None:
    declared = instance.declared().get(key)
    if declared is not None and declared.origin:
        message = f"{key} is declared at {declared.origin}"
        raise RefusedError(message, hint="change it there")


def _good(key: Key, body: Spec) -> dict[str, object]:
    """A spec that would be good in a manifest.

    Raises:
        RefusedError: it would not be.
    """
    tree = body.model_dump(by_alias=True, exclude_defaults=True)
    spec, problems = validate(ConsumerSpec, tree, key)
    if spec is not None:
        resource = Resource(key, {}, spec, Origin("body", 1))
        problems = [*problems, *RULES["Consumer"](resource)]
    if problems:
        raise RefusedError("; ".join(problem.message for problem in problems), status=422)
    return tree


def _version(header: str | None) -> int | None:
    if header is None:
        return None
    text = header.strip().strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise RefusedError("If-Match is the version of a consumer, a number", status=400)
    return int(text)


def _kept(item: KeptConsumer) -> ConsumerAnswer:
    return ConsumerAnswer(
        namespace=item.key.namespace,
        name=item.key.name,
        spec=item.spec,
        origin="database",
        version=item.version,
    )


def _declared(key: Key, item: Declared) -> ConsumerAnswer:
    return ConsumerAnswer(
        namespace=key.namespace, name=key.name, spec=item.spec, origin=item.origin, version=None
    )
