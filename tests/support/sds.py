"""A local secret discovery service, as SPIRE's agent is one, on a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from envoy.service.discovery.v3 import discovery_pb2

from pointsman.envoy import pb
from pointsman.envoy.sealed import SECRET

_METHOD = "StreamSecrets"
_SERVICE = "envoy.service.secret.v3.SecretDiscoveryService"


def certificate(name: str, chain: bytes, key: bytes) -> pb.Message:
    """A secret with a certificate in it."""
    return pb.Secret(
        name=name,
        tls_certificate={
            "certificate_chain": {"inline_bytes": chain},
            "private_key": {"inline_bytes": key},
        },
    )


def authorities(name: str, pem: bytes) -> pb.Message:
    """A secret with authorities in it."""
    return pb.Secret(name=name, validation_context={"trusted_ca": {"inline_bytes": pem}})


@dataclass
class LocalSds:
    """The secrets it has, and who is told when they change."""

    socket: Path
    secrets: dict[str, pb.Message] = field(default_factory=dict)
    version: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, *secrets: pb.Message) -> None:
        """Adds secrets, or replaces those of the same name."""
        async with self._changed:
            self.secrets.update({secret.name: secret for secret in secrets})
            self.version += 1
            self._changed.notify_all()

    async def stream(self, requests: AsyncIterator[pb.Message], context: object) -> None:
        """Answers one subscriber: at once what there is, later what changed."""
        first = await anext(requests)
        names, seen = set(first.resource_names), -1
        while True:
            async with self._changed:
                while self.version <= seen or not self.secrets.keys() & names:
                    await self._changed.wait()
                seen = self.version
                found = [self.secrets[name] for name in sorted(names & self.secrets.keys())]
            await context.write(  # type: ignore[attr-defined]
                discovery_pb2.DiscoveryResponse(
                    version_info=str(seen),
                    type_url=SECRET,
                    nonce=str(seen),
                    resources=[pb.pack(secret) for secret in found],
                )
            )


@asynccontextmanager
async def local_sds(folder: Path) -> AsyncIterator[LocalSds]:
    """Runs one at `sds.sock` in a folder."""
    service = LocalSds(folder / "sds.sock")
    server = grpc.aio.server()
    handler = grpc.stream_stream_rpc_method_handler(
        service.stream,
        discovery_pb2.DiscoveryRequest.FromString,
        discovery_pb2.DiscoveryResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),)
    )
    server.add_insecure_port(f"unix:{service.socket}")
    await server.start()
    try:
        yield service
    finally:
        await server.stop(0.0)
