"""A request that is asked about, and the listener it knocks at."""

from dataclasses import dataclass, replace

from pointsman.errors import UsageError
from pointsman.graph.model.gateway import Gateway, Listener
from pointsman.graph.request import Request


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and where it knocks.

    Attributes:
        request: what arrives, but for its scheme: that depends on the listener.
        port: the URL's port; None for a bare path.
        scheme: the URL's, http or https; None for a bare path.
    """

    request: Request
    port: int | None
    scheme: str | None = None

    def at(self, listener: Listener) -> Request:
        """The request as it arrives at a listener: Envoy derives the scheme from the connection.

        A plaintext listener may stand behind something that ends TLS, so it is asked for https
        URLs too.

        Raises:
            UsageError: the URL is http, and the listener takes TLS only.
        """
        tls = listener.tls
        if tls is None:
            return self.request
        if tls.mode == "STRICT" and self.scheme == "http":
            raise UsageError(
                f"the listener on port {listener.port} takes TLS only", hint="ask for https://..."
            )
        assumed = "https" if tls.mode == "STRICT" else "http"
        return replace(self.request, scheme=self.scheme or assumed)


def choose_listener(gateway: Gateway, port: int | None, asked: Asked) -> Listener:
    """The listener a request knocks at: the one named, the URL's, or the only one it may mean.

    Args:
        gateway: whose listeners they are.
        port: port of the listener that was named, if one was.
        asked: the request; an https URL means a listener with TLS where there is one.

    Raises:
        UsageError: there is none of that port, or it cannot be told which.
    """
    by_port = {listener.port: listener for listener in gateway.listeners}
    shown = ", ".join(map(str, by_port)) or "none"
    if port is not None:
        if port not in by_port:
            raise UsageError(
                f"virtual gateway {gateway.key.path} has no listener on port {port}",
                hint=f"its ports: {shown}",
            )
        return by_port[port]
    if asked.port in by_port:
        return by_port[asked.port]
    fitting = [item for item in gateway.listeners if _takes(item, asked.scheme)]
    for candidates in (gateway.listeners, fitting):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(
        f"which listener of virtual gateway {gateway.key.path}?",
        hint=f"name one with --port; its ports: {shown}",
    )


def _takes(listener: Listener, scheme: str | None) -> bool:
    """Whether a URL with this scheme may mean a listener."""
    if scheme is None:
        return True
    mode = "DISABLED" if listener.tls is None else listener.tls.mode
    return mode != ("STRICT" if scheme == "http" else "DISABLED")
