"""Two hand-built proxies that speak mutual TLS to each other with identities by SDS.

`caller` takes plaintext and passes it on to `callee`, which answers who called: the SPIFFE id and
the issuer of the certificate it was shown. Every request has a connection of its own, so every
request is a handshake.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from pointsman.envoy import pb
from pointsman.envoy.names import IDENTITY, TRUST
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.identity.ca import Authority
from pointsman.identity.rotation import Identities, Subject
from pointsman.identity.secrets import with_secrets
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.support.envoy import RunningEnvoy, running_envoy
from tests.support.http import get
from tests.support.resources import cluster, endpoints, listener, route, snapshot
from tests.support.wait import eventually

CALLER = "mesh/shop/virtualNode/caller"
CALLEE = "mesh/shop@123456789012/virtualNode/callee"
ENVOYS = {"caller": CALLER, "callee": CALLEE}
NAMES = {CALLER: "caller.example", CALLEE: "callee.example"}

_ADS = {"ads": {}, "resource_api_version": "V3"}
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
_FILTERS = "type.googleapis.com/envoy.extensions.filters."
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def utc_now() -> datetime:
    return datetime.now(UTC)


def tls_context(kind: str, accepted: str, **fields: Any) -> dict[str, Any]:
    """A transport socket whose peer must have a name of type DNS or URI."""
    name_type = "URI" if accepted.startswith("spiffe://") else "DNS"
    names = [{"san_type": name_type, "matcher": {"exact": accepted}}]
    common = {
        "tls_certificate_sds_secret_configs": [{"name": IDENTITY, "sds_config": _ADS}],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": names},
            "validation_context_sds_secret_config": {"name": TRUST, "sds_config": _ADS},
        },
    }
    config = {"@type": f"{_TLS}{kind}TlsContext", "common_tls_context": common, **fields}
    return {"name": "tls", "typed_config": config}


def callee(folder: Path, accepted: str) -> Snapshot:
    """Requires a client certificate with the accepted name, and says whose it got."""
    body = {"text_format_source": {"inline_string": "%DOWNSTREAM_PEER_URI_SAN%"}}
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body_format": body}}
    manager = {
        "@type": _FILTERS + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "callee",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}],
        },
        "http_filters": [
            {"name": "router", "typed_config": {"@type": _FILTERS + "http.router.v3.Router"}}
        ],
    }
    chain = {
        "filters": [{"name": "http", "typed_config": manager}],
        "transport_socket": tls_context("Downstream", accepted, require_client_certificate=True),
    }
    fields = {
        "name": "inbound",
        "address": {"pipe": {"path": str(folder / "callee.sock")}},
        "filter_chains": [chain],
    }
    return snapshot(seal(json_format.ParseDict(fields, pb.Listener())))


def caller(folder: Path, accepted: str) -> Snapshot:
    """Passes plaintext on to the callee, which must have the accepted name."""
    options = {
        "@type": f"type.googleapis.com/{_OPTIONS}",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"max_requests_per_connection": 1},
    }
    return snapshot(
        listener("front", folder / "front.sock", "front"),
        route("front", {"/": "callee"}),
        cluster(
            "callee",
            transport_socket=tls_context("Upstream", accepted),
            typed_extension_protocol_options={_OPTIONS: options},
        ),
        endpoints("callee", folder / "callee.sock"),
    )


class Meshed:
    """Both proxies, their control plane and their identities."""

    def __init__(self, folder: Path, authority: Authority, **accepted: str) -> None:
        self.folder = folder
        self.front = folder / "front.sock"
        self.rejections: list[Rejection] = []
        self.server = AdsServer(
            lambda node: ENVOYS[node.id], lambda _, found: self.rejections.append(found)
        )
        self.identities = Identities(authority, self.publish)
        self.identities.want(Subject(node, (name,)) for node, name in NAMES.items())
        self.snapshots = {
            CALLER: caller(folder, accepted.get("caller_accepts", NAMES[CALLEE])),
            CALLEE: callee(folder, accepted.get("callee_accepts", NAMES[CALLER])),
        }
        self.envoys: dict[str, RunningEnvoy] = {}

    def publish(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            secrets = self.identities.secrets(node)
            self.server.publish(node, with_secrets(self.snapshots[node], secrets))

    async def acknowledged(self) -> None:
        for node in NAMES:
            await self.server.acknowledged(node, streams=1)

    async def counters(self, pattern: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for node, envoy in self.envoys.items():
            for name, value in (await envoy.counters(pattern)).items():
                found[f"{node}: {name}"] = value
        return found

    async def answers(self, body: str) -> None:
        async def same() -> bool:
            return (await get(self.front)).body == body

        await eventually(same, what=f"the answer {body!r}")


@asynccontextmanager
async def meshed(
    folder: Path, authority: Authority, *, delta: bool = True, without: str = "", **accepted: str
) -> AsyncIterator[Meshed]:
    """Runs both; `caller_accepts` and `callee_accepts` name whom each of them believes.

    The node `without` gets the trust at first, and no identity.
    """
    made = Meshed(folder, authority, **accepted)
    async with AsyncExitStack() as stack:
        await made.server.start(f"unix:{folder}/ads.sock")
        stack.push_async_callback(made.server.stop, 0.0)
        made.publish(node for node in NAMES if node != without)
        if without:
            trust = made.identities.secrets(without)[1:]
            made.server.publish(without, with_secrets(made.snapshots[without], trust))
        for name, node in ENVOYS.items():
            own = folder / name
            own.mkdir()
            envoy = running_envoy(own, f"unix:{folder}/ads.sock", delta=delta, node=name)
            made.envoys[node] = await stack.enter_async_context(envoy)
        await made.acknowledged()
        yield made


def secret_bytes(sealed: Sealed) -> bytes:
    """The private key in a sealed identity, in PEM."""
    wrapped, secret = pb.Packed(), pb.Secret()
    wrapped.ParseFromString(sealed.body)
    wrapped.Unpack(secret)
    found: bytes = secret.tls_certificate.private_key.inline_bytes
    return found
