"""PM3xx: references between objects, and which mesh and gateway an object belongs to."""

from pointsman.resources.problem import Code, Severity

NO_MESH = Code(
    "PM301",
    Severity.ERROR,
    "no mesh for this object",
    "Exactly one Mesh must select the namespace of every object, by `spec.namespaceSelector`. "
    "An absent selector selects nothing; `{}` selects every namespace. Label the namespace, or "
    "widen the selector.",
)
SEVERAL_MESHES = Code(
    "PM302",
    Severity.ERROR,
    "several meshes claim this object",
    "Two Mesh objects select the same namespace, so it cannot be told which one the object "
    "belongs to. Narrow one `spec.namespaceSelector`.",
)
ASSUMED_MESH = Code(
    "PM303",
    Severity.WARNING,
    "namespace labels are unknown; the only mesh is assumed",
    "No Namespace object was given, so the labels that `spec.namespaceSelector` asks for cannot "
    "be seen. With one Mesh its membership is assumed. Add the Namespace object to be exact.",
)
NO_GATEWAY = Code(
    "PM304",
    Severity.ERROR,
    "no gateway for this route",
    "Exactly one VirtualGateway must select a GatewayRoute: its `namespaceSelector` the route's "
    "namespace (absent selects none) and its `gatewayRouteSelector` the route's labels (absent "
    "selects all).",
)
SEVERAL_GATEWAYS = Code(
    "PM305",
    Severity.ERROR,
    "several gateways claim this route",
    "Two VirtualGateways select the same GatewayRoute. Give one of them a narrower "
    "`namespaceSelector` or `gatewayRouteSelector`.",
)
ASSUMED_GATEWAY = Code(
    "PM306",
    Severity.WARNING,
    "namespace labels are unknown; the only gateway is assumed",
    "No Namespace object was given, so the labels that the gateway's `namespaceSelector` asks for "
    "cannot be seen. With one gateway the attachment is assumed. Add the Namespace object.",
)
MISSING = Code(
    "PM307",
    Severity.ERROR,
    "the object referred to does not exist, or has errors of its own",
    "Nothing of that kind and name was given, or what was given cannot be used; then its own "
    "problems come first. Mind the namespace: a reference without one means "
    "the namespace of the object that refers.",
)
OTHER_MESH = Code(
    "PM308",
    Severity.ERROR,
    "the object referred to belongs to another mesh",
    "References cross namespaces, never meshes.",
)
ARN = Code(
    "PM309",
    Severity.ERROR,
    "an ARN points outside these manifests",
    "The object behind an ARN lived in AWS and is not known here. Write it as a manifest and "
    "refer to it by name.",
)
NO_TARGET = Code(
    "PM310",
    Severity.ERROR,
    "the reference names nothing",
    "The block is there but holds neither a reference nor an ARN.",
)
SAME_AWS_NAME = Code(
    "PM311",
    Severity.ERROR,
    "two objects have the same name inside App Mesh",
    "`spec.awsName` (or its default, `name_namespace`) must be unique for a kind within a mesh: "
    "it names the proxy, the cluster or the host. The first object in order of namespace and "
    "name keeps it.",
)
LAST_GOOD = Code(
    "PM312",
    Severity.NOTE,
    "the last good version is still serving",
    "The object has an error, so the version before it stays in force until the error is mended.",
)
SAME_TARGET = Code(
    "PM313",
    Severity.ERROR,
    "another policy of this kind is attached to the same target",
    "Two policies of one kind name the same object and section in `targetRefs`, so it would be a "
    "guess which one counts there. The first in order of namespace and name is in force; the "
    "other one is not, on this target. Policies on different levels, such as a mesh and one of "
    "its virtual nodes, do not conflict: the more specific one counts.",
)
