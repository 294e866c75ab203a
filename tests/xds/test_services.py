"""What proxies ask beside their configuration is answered to proxies only."""

from typing import Any

import grpc
import pytest
from envoy.service.auth.v3 import external_auth_pb2 as auth
from envoy.service.rate_limit_quota.v3 import rlqs_pb2 as rlqs

from pointsman.app.access import AccessState
from pointsman.app.plane import ControlPlane
from pointsman.app.serve import Elsewhere, ServeOptions
from pointsman.errors import PointsmanError
from pointsman.xds.address import ListenOptions
from pointsman.xds.admission import Proven
from tests.serve.test_plane import Silent

CHECK = "/envoy.service.auth.v3.Authorization/Check"
LEASE = "/envoy.service.rate_limit_quota.v3.RateLimitQuotaService/StreamRateLimitQuotas"


def node_of_token(token: str) -> str:
    if token != "good":
        raise PointsmanError("the token expired at noon")
    return "mesh/shop/virtualGateway/front_shop"


async def check(channel: Any, metadata: tuple[tuple[str, str], ...]) -> None:
    await channel.unary_unary(CHECK, None, auth.CheckResponse.FromString)(b"", metadata=metadata)


async def lease(channel: Any, metadata: tuple[tuple[str, str], ...]) -> None:
    method = channel.stream_stream(LEASE, None, rlqs.RateLimitQuotaResponse.FromString)
    call = method(metadata=metadata)
    # It is refused before anything is asked.
    await call.read()


@pytest.mark.parametrize("ask", [check, lease])
@pytest.mark.parametrize(
    ("header", "reason"),
    [(None, "no bearer token proves which node this is"), ("stale", "the token expired at noon")],
)
async def test_who_has_not_proved_to_be_a_proxy_is_refused(
    ask: Any, header: str | None, reason: str
) -> None:
    site = Elsewhere(ServeOptions((), ListenOptions("unix:/x")))
    admission = Proven(node_of_token=node_of_token)
    plane = ControlPlane((), {}, site, Silent(), admission=admission, access=AccessState())
    address = await plane.server.start("127.0.0.1:0")
    metadata = (("authorization", f"Bearer {header}"),) if header else ()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(channel, metadata)
            if ask is check:
                await ask(channel, (("authorization", "Bearer good"),))
    finally:
        await plane.server.stop(0.0)
        await plane.close()
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.details() == f"no credentials: {reason}"
