"""Who is at the other end of a gRPC call, and how it is told that it gets nothing.

Every service of an instance admits its callers alike, and refuses them in the same words and
codes. Who is to be refused is decided by `admission`.
"""

from typing import Any, Final, NoReturn

import grpc

from pointsman.xds.admission import Caller, Cause, Refusal, bearer_token

_HEADER: Final = "authorization"
_CODES: Final = {
    Cause.UNKNOWN: grpc.StatusCode.INVALID_ARGUMENT,
    Cause.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Cause.UNPROVEN: grpc.StatusCode.UNAUTHENTICATED,
}


def caller_of(context: Any) -> Caller:
    """What the connection of a call tells."""
    uris = context.auth_context().get("peer_uri", ())
    headers = [value for name, value in context.invocation_metadata() or () if name == _HEADER]
    tokens = [token for header in headers if (token := bearer_token(header)) is not None]
    token = tokens[0] if len(tokens) == 1 else None
    return Caller(tuple(uri.decode("utf-8", "replace") for uri in uris), token)


async def refuse(context: Any, refusal: Refusal) -> NoReturn:
    """Ends a call, and tells its caller why.

    Raises:
        grpc.aio.AbortError: always; it is how a handler is left.
    """
    await context.abort(_CODES[refusal.cause], str(refusal))
    raise AssertionError("a call went on after its end")
