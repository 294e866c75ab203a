"""Who may have the configuration of which node.

A proxy proves which node it is by the URI name of its certificate or by a bearer token. Reasons
are told to the proxy, whose Envoy logs them, and to the log here; they never quote a token.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from pointsman.errors import PointsmanError
from pointsman.xds.node_id import parse_node_id

_BEARER: Final = re.compile(r"bearer +(?P<token>\S+)\s*", re.IGNORECASE)


class Cause(Enum):
    """Why a proxy is refused; App Mesh closed streams with the same codes."""

    UNKNOWN = "unknown resource"
    """Code 3: nothing is configured for its node."""
    FORBIDDEN = "not authorised"
    """Code 7: it has proved to be another node."""
    UNPROVEN = "no credentials"
    """Code 16: it has not proved which node it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A proxy is not served.

    Attributes:
        cause: the kind of reason.
        reason: one line for those who look after the proxy.
    """

    cause: Cause
    reason: str

    def __str__(self) -> str:
        return f"{self.cause.value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Caller:
    """What a connection tells of the proxy at its other end.

    Attributes:
        uris: URI names of its certificate, which has been verified.
        token: the bearer token it sent; None without one.
    """

    uris: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)


class Admission(Protocol):
    """Decides whether a caller may be a node."""

    def admitted(self, caller: Caller, node_id: str) -> str | Refusal:
        """The node id whose configuration the caller gets, or why it gets none.

        Both ids may mean one node, but only one of them may name the owner of its mesh.
        """

    def refusal(self, caller: Caller) -> Refusal | None:
        """Why the caller gets nothing, whichever node it is; None for one that is some node."""


class Anyone:
    """Believes every proxy: whoever can connect is trusted already."""

    def admitted(self, caller: Caller, node_id: str) -> str | Refusal:  # noqa: ARG002
        """The node id asked for."""
        return node_id

    def refusal(self, caller: Caller) -> Refusal | None:  # noqa: ARG002
        """Nobody is refused."""
        return None


class Proven:
    """Believes certificates and tokens.

    Args:
        node_of_uri: the node id that a certificate's URI name stands for.
        node_of_token: the node id that a token was issued for.

    Both raise PointsmanError, with a reason, for what is not to be believed; None believes none.
    """

    def __init__(
        self,
        node_of_uri: Callable[[str], str] | None = None,
        node_of_token: Callable[[str], str] | None = None,
    ) -> None:
        self._node_of_uri = node_of_uri
        self._node_of_token = node_of_token

    def admitted(self, caller: Caller, node_id: str) -> str | Refusal:
        """The node id that is proven, if the one asked for may mean it.

        Of meshes of one name and several owners the proof decides, never what is asked for.
        """
        proven = self._believed(caller, f"that this is {node_id}")
        if isinstance(proven, Refusal):
            return proven
        asked, known = parse_node_id(node_id), parse_node_id(proven)
        if asked is None or known is None or not asked.matches(known):
            return Refusal(Cause.FORBIDDEN, f"this is {proven}, which may not be {node_id}")
        return proven

    def refusal(self, caller: Caller) -> Refusal | None:
        """Why the caller cannot be believed to be any node."""
        found = self._believed(caller, "which node this is")
        return found if isinstance(found, Refusal) else None

    def _believed(self, caller: Caller, what: str) -> str | Refusal:
        try:
            proven = self._proven(caller)
        except PointsmanError as error:
            return Refusal(Cause.UNPROVEN, str(error))
        return proven or Refusal(Cause.UNPROVEN, f"no {self._wanted()} proves {what}")

    def _proven(self, caller: Caller) -> str | None:
        if self._node_of_uri is not None and len(caller.uris) == 1:
            return self._node_of_uri(caller.uris[0])
        if self._node_of_token is not None and caller.token is not None:
            return self._node_of_token(caller.token)
        return None

    def _wanted(self) -> str:
        words = []
        if self._node_of_uri is not None:
            words.append("certificate with one URI name")
        if self._node_of_token is not None:
            words.append("bearer token")
        return " and no ".join(words)


def bearer_token(authorization: str) -> str | None:
    """The token in an `authorization` header.

    None for any other scheme: App Mesh's images sign their requests to AWS (`AWS4-HMAC-SHA256 …`),
    which proves nothing here and is no reason to refuse them either.
    """
    found = _BEARER.fullmatch(authorization)
    return None if found is None else found["token"]
