"""PM5xx: accepted though foreign, and what has no effect."""

from pointsman.resources.problem import Code, Severity

NOT_USED = Code(
    "PM501",
    Severity.NOTE,
    "The object is not used by Pointsman",
    "Manifests usually hold Deployments, Services and others beside the objects of the mesh. "
    "They are left to Kubernetes.",
)
ARTICLE_DIALECT = Code(
    "PM502",
    Severity.WARNING,
    "The object is written in a dialect that App Mesh never had",
    "v1beta1 knew only Mesh, VirtualNode and VirtualService, in a shape of their own. Articles "
    "show other kinds, or the shape of v1beta2, under `apiVersion: appmesh.k8s.aws/v1beta1`. The "
    "object is read as v1beta2; the App Mesh controller and its CRDs would refuse it. Write "
    "`apiVersion: appmesh.k8s.aws/v1beta2`.",
)
EXTENSION_FIELD = Code(
    "PM503",
    Severity.WARNING,
    "The field is an extension that App Mesh does not have",
    "`spec.meshName`, `spec.gatewayName` and `action.weightedTargets` of a GatewayRoute appear in "
    "articles and work here. In App Mesh an object joins its mesh by Mesh.spec.namespaceSelector, "
    "a route joins its gateway by VirtualGateway.spec.namespaceSelector and gatewayRouteSelector, "
    "and traffic is split among virtual nodes by the weightedTargets of a VirtualRouter. "
    "Manifests that must also work with the App Mesh controller use those.",
)
NO_EFFECT = Code(
    "PM504",
    Severity.WARNING,
    "The field has no effect here",
    "It is part of the schema, but nothing reads it in this place; the message says why.",
)
