"""PM4xx: what routes mean once everything is linked."""

from pointsman.resources.problem import Code, Severity

PORT_REQUIRED = Code(
    "PM401",
    Severity.ERROR,
    "a port must be named",
    "The other side has several listeners, so the port tells which one is meant.",
)
NO_SUCH_PORT = Code(
    "PM402",
    Severity.ERROR,
    "no listener has this port",
    "The port must be one of the listeners' `portMapping.port`.",
)
NO_LISTENER = Code(
    "PM403",
    Severity.ERROR,
    "a node without listeners cannot receive requests",
    "A virtual node without listeners is a pure client. Add `spec.listeners` to route to it.",
)
NO_DISCOVERY = Code(
    "PM404",
    Severity.ERROR,
    "a node without service discovery cannot be found",
    "Add `spec.serviceDiscovery` so that proxies know where the application is.",
)
TCP_BEHIND_HTTP = Code(
    "PM405",
    Severity.ERROR,
    "an HTTP route cannot end at a TCP listener",
    "The protocols of gateway, router, route and node have to agree.",
)
PROTOCOL_MISMATCH = Code(
    "PM406",
    Severity.WARNING,
    "the protocols along the way differ",
    "App Mesh asks that gateway, route, router and node speak the same protocol. Pointsman "
    "converts between HTTP/1.1, HTTP/2 and gRPC, which works for most requests.",
)
NO_WEIGHT = Code(
    "PM407",
    Severity.WARNING,
    "all weights are 0",
    "No target can be chosen: matching requests are answered 503.",
)
NO_ROUTE_LEFT = Code(
    "PM408",
    Severity.WARNING,
    "no route of the router can match",
    "After the gateway route's rewrite, no route of the target's virtual router can match: "
    "all requests are answered 404. The prefix is replaced by `/` unless "
    "`rewrite.prefix.defaultPrefix` is DISABLED.",
)
NO_PROVIDER = Code(
    "PM409",
    Severity.WARNING,
    "a virtual service without provider answers nothing",
    "Requests for it are answered 404. Set `spec.provider`.",
)
TCP_ROUTE_UNREACHABLE = Code(
    "PM410",
    Severity.WARNING,
    "a TCP route cannot be reached through a gateway",
    "Gateways speak HTTP; the router's TCP routes are left out of the gateway's routing.",
)
SAME_PORT = Code(
    "PM411",
    Severity.ERROR,
    "two listeners have the same port",
    "The first listener keeps the port; the other is not served.",
)
HOST_ISOLATION = Code(
    "PM412",
    Severity.NOTE,
    "this host no longer sees the routes without a hostname",
    "As soon as a route names a host, requests for that host match only the routes which name it "
    "(App Mesh's rule, from Envoy's virtual hosts). Repeat the routes that should serve it too.",
)
ENDPOINTS_UNKNOWN = Code(
    "PM413",
    Severity.WARNING,
    "endpoints come from AWS Cloud Map, which is not connected",
    "Connect it by `--cloud-map REGION`, put a registry in its place by `--registry` "
    "(`docs/discovery.md`), give the addresses by `--resolve`, or run demo backends by `--echo`. "
    "Until then requests for this node are answered 503. `check`, `explain` and `render` ask "
    "neither: to them only `--resolve` counts.",
)
HEALTH_CHECK_PROTOCOL = Code(
    "PM414",
    Severity.WARNING,
    "a gRPC health check needs a grpc or http2 listener",
    "gRPC is spoken over HTTP/2 only. The check is left out, so every endpoint counts as healthy. "
    "Check by another protocol, or let the listener speak grpc.",
)
RETRY_BUDGET = Code(
    "PM415",
    Severity.NOTE,
    "the request ends before its retries do",
    "The time of a request (`timeout.perRequest`, 15 s by default) covers all its tries. When "
    "every try takes all of `perRetryTimeout`, the last ones never happen.",
)
NO_TCP_ROUTE = Code(
    "PM417",
    Severity.WARNING,
    "a TCP port of a router without a TCP route",
    "Connections to it are closed. Add a `tcpRoute`, or remove the listener.",
)
SHADOWED_PORT = Code(
    "PM418",
    Severity.WARNING,
    "two TCP services of one node on the same port",
    "TCP carries no host, so connections to a port can go to one service only: the first by name. "
    "Give them different ports, or tell them apart by address with an AddressPolicy.",
)
MIXED_PORT = Code(
    "PM419",
    Severity.WARNING,
    "a TCP service shares a port with HTTP services",
    "Connections to the port are read as HTTP, so the TCP service cannot be reached. Give it "
    "another port, or tell it apart by address with an AddressPolicy.",
)
SAME_MATCH = Code(
    "PM416",
    Severity.WARNING,
    "a route is never reached",
    "Another route for the same hosts has the very same conditions and is tried first. Of two "
    "routes that differ in their names only, the first by name is in force.",
)
OVERRIDDEN = Code(
    "PM420",
    Severity.NOTE,
    "a policy takes the place of a field",
    "A RoutePolicy counts before the `timeout` and the `retryPolicy` of the routes it is attached "
    "to, field by field. Remove one of the two to have one place that says it.",
)
NO_PREFLIGHT = Code(
    "PM421",
    Severity.WARNING,
    "a route with CORS does not match preflight requests",
    "Browsers ask by OPTIONS before they send some requests. A route for another method does not "
    "match that, so it is answered by another route, or 404. Remove `method` from the match.",
)
STICKY_APART = Code(
    "PM422",
    Severity.WARNING,
    "targets of a route are sticky by different things",
    "A route hashes requests in one way. Its first sticky target's way is in force; requests for "
    "the others stay with one endpoint only as far as it happens to tell their sessions apart.",
)
NEEDS_CAPTURE = Code(
    "PM423",
    Severity.NOTE,
    "addresses tell services apart only where connections are redirected",
    "A proxy that applications call by name, without interception (`docs/interception.md`), does "
    "not know the address that was meant: there, the first service of the port takes all.",
)
PROXY_PORT = Code(
    "PM424",
    Severity.WARNING,
    "a service on the port that proxies of virtual nodes keep for themselves",
    "On port 15001 they take what their applications send, so nothing else can be called on it. "
    "Virtual gateways call the service all the same. Give it another port.",
)
