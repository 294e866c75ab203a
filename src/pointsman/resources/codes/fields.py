"""PM2xx: one object taken by itself."""

from pointsman.resources.problem import Code, Severity

MISSING_FIELD = Code(
    "PM201",
    Severity.ERROR,
    "A required field is missing",
    "The object cannot be used without the field. A field that is written but left empty counts "
    "as missing, as in Kubernetes.",
)
WRONG_TYPE = Code(
    "PM202",
    Severity.ERROR,
    "A value has the wrong type",
    'Types are taken literally: `8080` is a number and `"8080"` is text, `true` is a truth value '
    "while `yes` and `on` are text.",
)
NOT_ALLOWED = Code(
    "PM203",
    Severity.ERROR,
    "A value is none of the allowed ones",
    "The field takes one of a few values, spelt exactly as the message lists them.",
)
OUT_OF_RANGE = Code(
    "PM204",
    Severity.ERROR,
    "A number is out of range",
    "The limits are those of App Mesh, and of Envoy where App Mesh names none.",
)
WRONG_LENGTH = Code(
    "PM205",
    Severity.ERROR,
    "A text or a list is too long or too short",
    "The limits are those of App Mesh.",
)
UNKNOWN_FIELD = Code(
    "PM206",
    Severity.WARNING,
    "A field is unknown and not used",
    "Kubernetes drops unknown fields silently, and the setting its author wanted never happens. "
    "Pointsman reads the rest of the object and says so. A name that is wrong only in its "
    "capitals is read as the right one, unless that is written too.",
)
BAD_NAME = Code(
    "PM207",
    Severity.ERROR,
    "A name is not valid",
    "Names of objects follow Kubernetes: lower-case letters, digits, `-` and `.`, beginning and "
    "ending with a letter or digit, at most 253 characters; namespaces have no `.` and at most "
    "63 characters. Names inside App Mesh may not contain `/`, spaces or control characters, "
    "because they become part of the identity of proxies.",
)
ONE_OF = Code(
    "PM208",
    Severity.ERROR,
    "Exactly one of several fields is needed",
    "The fields are alternatives. With none of them nothing is said, with two of them it would "
    "be a guess which one counts.",
)
BAD_PATH = Code(
    "PM209",
    Severity.ERROR,
    "A path can never match or is not allowed",
    "Paths and prefixes begin with `/` and are compared without the query, so they contain no "
    "`?` and no `#`. Prefixes that begin with `/aws-appmesh` or `/aws-app-mesh` were reserved.",
)
BAD_REGEX = Code(
    "PM210",
    Severity.ERROR,
    "A regular expression is not accepted by Envoy",
    "Envoy uses RE2: it has no look-ahead, no look-behind and no back-references, and refuses "
    "expressions whose compiled program has more than 1000 instructions; large counted "
    "repetitions are the usual cause. Expressions match the whole value, not a part of it.",
)
BAD_HEADER = Code(
    "PM211",
    Severity.ERROR,
    "A header or parameter name is not valid",
    "HTTP allows letters, digits and !#$%&'*+-.^_`|~ in names of headers. Of the pseudo headers "
    "`:authority`, `:method`, `:path` and `:scheme` may be compared.",
)
BAD_HOSTNAME = Code(
    "PM212",
    Severity.ERROR,
    "A host name is not valid",
    "A host name has letters, digits, `-`, `_` and `.`, without scheme, port, path or wildcard. "
    "Requests are compared without their port; `suffix` takes the place of a wildcard.",
)
CONTROL_CHARACTER = Code(
    "PM213",
    Severity.ERROR,
    "A value contains a control character",
    "Line breaks, tabs and NUL can be part of a YAML value but of no name, path or header, and "
    "Envoy refuses them. A block scalar (`|`, `>`) ends with a line break; write `|-` or `>-`, "
    "or put the value on one line. Only the text of a log format may have line breaks.",
)
DUPLICATE_ENTRY = Code(
    "PM214",
    Severity.ERROR,
    "Two entries of a list stand for the same thing",
    "Names of routes, ports of listeners, backends and keys of a log must each be unique in "
    "their list.",
)
BAD_REWRITE = Code(
    "PM215",
    Severity.ERROR,
    "A rewrite does not fit",
    "`rewrite.prefix` goes with `match.prefix`, `rewrite.path` with `match.path`. A new prefix "
    "begins and ends with `/`, a new path begins with `/`.",
)
BAD_PORT = Code(
    "PM216",
    Severity.ERROR,
    "A port is not one of the object's listeners",
    "A health check uses the port of its listener. With several listeners every route of a "
    "virtual router says by `match.port` which of them it belongs to.",
)
DEPENDENT_FIELD = Code(
    "PM217",
    Severity.ERROR,
    "A field needs another one, or does not go with it",
    "The message names both. Limits and timeouts of a listener are written under its protocol.",
)
EMPTY_RANGE = Code(
    "PM218",
    Severity.ERROR,
    "A range holds no value",
    "A range begins at `start` and stops before `end`, so start must be the smaller one.",
)
BAD_FORMAT = Code(
    "PM219",
    Severity.ERROR,
    "A value is not written in the expected form",
    "The message says which form is expected.",
)
BAD_LOG_FORMAT = Code(
    "PM222",
    Severity.ERROR,
    "Envoy does not accept the log format",
    "A format is text with commands such as `%START_TIME%` and `%REQ(:PATH)%`; `%%` is a percent "
    "sign. Envoy refuses a whole listener for one command it does not know, or that has too much "
    "or too little between its parentheses.",
)
UPPER_CASE_HOST = Code(
    "PM220",
    Severity.WARNING,
    "A host name has capitals",
    "Host names are compared without regard to case; write them in lower case, as they appear "
    "everywhere else.",
)
DOTTED_NODE_NAME = Code(
    "PM221",
    Severity.WARNING,
    "The name of a virtual node has a dot",
    "v1beta1 manifests refer to nodes as `name.namespace`, so a node whose name has a dot cannot "
    "be named there.",
)
TUNNEL_METHOD = Code(
    "PM223",
    Severity.WARNING,
    "A route for CONNECT matches tunnels only",
    "A CONNECT request asks a proxy for a tunnel to a host and has no path. Routes match paths, "
    "and Envoy answers such requests 404 before it looks at any of them, unless a ListenerPolicy "
    "with `upgrades: [CONNECT]` lets the gateway take tunnels: then routes for all paths "
    "(`prefix: /`) match them. A websocket begins with GET.",
)
DOTTED_HOST = Code(
    "PM224",
    Severity.WARNING,
    "A host name ends with a dot",
    "`shop.example.com.` and `shop.example.com` name the same machine, but hosts are compared as "
    "they are written, and clients hardly ever send the dot: the route does not match theirs.",
)
