"""Who is sent keys, and what is said where certificates are in danger."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from pointsman.app.authority_folder import FolderTokens
from pointsman.app.serve import ServeNews, ServeOptions, Service
from pointsman.app.site import Published
from pointsman.envoy.sealed import SECRET
from pointsman.errors import IdentityError, PointsmanError
from pointsman.identity.folder import open_authority
from pointsman.identity.tokens import Tokens
from pointsman.resources.problem import Problem
from pointsman.settings import Settings
from pointsman.xds.address import ListenOptions
from pointsman.xds.admission import Admission, Anyone, Proven
from pointsman.xds.server_tls import ServerTls
from tests.support.pem_files import Authority
from tests.support.wait import eventually
from tests.up import manifests
from tests.xds.test_xds_server import Request, subscribe

WEB = "mesh/shop/virtualNode/web_shop"
STRICT = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "MeshTLS",
    "metadata": {"name": "all", "namespace": "shop"},
    "spec": {"targetRefs": [{"kind": "Mesh", "name": "shop"}], "mode": "STRICT"},
}


@dataclass
class Told(ServeNews):
    """Remembers what was told at the start."""

    xds: str = ""
    problems: dict[str, Problem] = field(default_factory=dict)

    def started(self, xds: str, health: str | None, problems: tuple[Problem, ...]) -> None:  # noqa: ARG002
        self.xds = xds
        self.problems = {item.code.id: item for item in problems}

    def changed(self, published: Published) -> None: ...

    def failed(self, error: PointsmanError) -> None: ...


@asynccontextmanager
async def served(
    folder: Path,
    xds: ListenOptions,
    admission: Admission | None = None,
    identity: Path | None = None,
) -> AsyncIterator[Told]:
    """`serve` of a mesh whose nodes have identities."""
    mesh = folder / "mesh.yaml"
    mesh.write_text(manifests.text(manifests.mesh(), manifests.node("web"), STRICT), "utf-8")
    told, stop = Told(), asyncio.Event()
    options = ServeOptions(
        (str(mesh),), xds, admission=admission or Anyone(), identity=identity, grace_s=0.0
    )
    settings = Settings(
        None, no_color=False, runtime_folder=folder / "run", state_folder=folder / "state"
    )
    service = Service(options, settings, told)
    task = asyncio.create_task(service.run(stop))
    try:
        await eventually(lambda: told.xds or task.done())
        yield told
    finally:
        stop.set()
        await task


async def secrets(channel: Any, *, token: str | None = None) -> dict[str, bytes]:
    """What the node's proxy is sent of its secrets; those that are not there are left out."""
    call = await subscribe(channel, authorization=token, id=WEB)
    await call.read()
    names = ["pointsman_identity", "pointsman_trust"]
    await call.write(Request(type_url=SECRET, resource_names_subscribe=names))
    found: dict[str, bytes] = {}
    async with asyncio.timeout(10):
        while len(found) < 1 or "pointsman_trust" not in found:
            answer = await call.read()
            if answer.type_url == SECRET:
                found |= {item.name: item.resource.value for item in answer.resources}
    call.cancel()
    return found


def plaintext(address: str) -> Any:
    return aio.insecure_channel(address.replace("0.0.0.0", "127.0.0.1"))


async def test_no_key_travels_in_plaintext_to_other_machines(folder: Path) -> None:
    async with (
        served(folder, ListenOptions("0.0.0.0:0", insecure=True)) as told,
        plaintext(told.xds) as channel,
    ):
        assert set(await secrets(channel)) == {"pointsman_trust"}
        assert "plaintext, where others can read" in told.problems["PM801"].message


async def test_no_key_is_sent_to_whoever_asks_from_another_machine(folder: Path) -> None:
    authority = Authority(folder)
    pair = authority.issue("server", "127.0.0.1")
    tls = ServerTls(pair.certificate, pair.key)
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
    kept = open_authority(folder / "identity", datetime.now(UTC))
    tokens = FolderTokens(folder / "identity", kept.token_key)
    where = ListenOptions("0.0.0.0:0", tls)
    async with served(folder, where) as told:
        address = told.xds.replace("0.0.0.0", "127.0.0.1")
        async with aio.secure_channel(address, credentials) as channel:
            assert set(await secrets(channel)) == {"pointsman_trust"}
        assert "no proxy proves which node it is" in told.problems["PM801"].message
    proven = Proven(node_of_token=tokens.node_id)
    async with served(folder, where, proven, folder / "identity") as told:
        address = told.xds.replace("0.0.0.0", "127.0.0.1")
        token = Tokens(kept.token_key).make(WEB, datetime.now(UTC))
        async with aio.secure_channel(address, credentials) as channel:
            found = await secrets(channel, token=f"Bearer {token}")
        assert b"PRIVATE KEY" in found["pointsman_identity"]
        assert told.problems == {}


async def test_an_authority_that_ends_with_the_process_is_told_of(folder: Path) -> None:
    async with served(folder, ListenOptions(f"unix:{folder}/xds.sock")) as told:
        assert list(told.problems) == ["PM803"]
        async with plaintext(told.xds) as channel:
            assert b"PRIVATE KEY" in (await secrets(channel))["pointsman_identity"]


async def test_a_new_authority_in_the_folder_is_used_without_a_restart(folder: Path) -> None:
    identity = folder / "identity"
    open_authority(identity, datetime.now(UTC))
    async with served(folder, ListenOptions(f"unix:{folder}/xds.sock"), identity=identity) as told:
        assert told.problems == {}
        async with plaintext(told.xds) as channel:
            before = await secrets(channel)
            open_authority(folder / "new", datetime.now(UTC))
            for name in ("ca.crt", "ca.key"):  # in between, they do not belong together
                shutil.copy(folder / "new" / name, identity / f".{name}")
                (identity / f".{name}").replace(identity / name)

            async def replaced() -> bool:
                after = await secrets(channel)
                return all(after[name] != value for name, value in before.items())

            await eventually(replaced)


def test_a_new_key_ends_all_tokens_made_with_the_old_one(folder: Path) -> None:
    identity = folder / "identity"
    kept = open_authority(identity, datetime.now(UTC))
    tokens = FolderTokens(identity, kept.token_key)
    old = Tokens(kept.token_key).make(WEB, datetime.now(UTC))
    assert tokens.node_id(old) == WEB
    (identity / "token.key").unlink()
    with pytest.raises(IdentityError, match="cannot be checked now") as failure:
        tokens.node_id(old)
    assert str(identity) not in str(failure.value)
    fresh = open_authority(identity, datetime.now(UTC))
    with pytest.raises(IdentityError, match="signed by somebody else"):
        tokens.node_id(old)
    assert tokens.node_id(Tokens(fresh.token_key).make(WEB, datetime.now(UTC))) == WEB


def test_a_key_that_others_can_read_is_not_believed(folder: Path) -> None:
    identity = folder / "identity"
    kept = open_authority(identity, datetime.now(UTC))
    tokens = FolderTokens(identity, kept.token_key)
    token = Tokens(kept.token_key).make(WEB, datetime.now(UTC))
    (identity / "token.key").chmod(0o644)
    os.utime(identity / "token.key", ns=(0, 0))
    with pytest.raises(IdentityError, match="cannot be checked now"):
        tokens.node_id(token)
