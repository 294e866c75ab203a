"""PM1xx: from bytes to objects."""

from pointsman.resources.problem import Code, Severity

YAML_SYNTAX = Code(
    "PM101",
    Severity.ERROR,
    "The document is not YAML",
    "The text could not be parsed, so nothing in this document is used. The other documents of "
    "the file are, and objects that this document may have held before stay in force as they "
    "were. The position is where the parser gave up; the mistake is there or a little above: "
    "usually indentation, a tab, a missing quote, or a value that contains `: `.",
)
DUPLICATE_KEY = Code(
    "PM102",
    Severity.ERROR,
    "A field is written twice in one mapping",
    "YAML forbids it and readers differ in which one they take. Keep one of the two. A second "
    "`---` between two objects is often what is missing.",
)
UNSUPPORTED_YAML = Code(
    "PM103",
    Severity.ERROR,
    "YAML that manifests have no use for",
    "Kubernetes objects are JSON: text, numbers, true, false, null, lists, and mappings with text "
    "as keys. Tags such as `!!python/name`, `!!binary` or `!Ref`, mappings as keys, values that "
    "contain themselves, and documents that grow beyond reason by aliases or nesting are "
    "refused. Anchors, aliases and `<<` merges work.",
)
NOT_UTF8 = Code(
    "PM104",
    Severity.ERROR,
    "The document is not UTF-8",
    "Manifests are read as UTF-8. Save the file in that encoding; the position is the first byte "
    "that does not belong there.",
)
VARIABLE_UNSET = Code(
    "PM105",
    Severity.WARNING,
    "A variable has no value",
    "`${NAME}` is replaced by the value given with `--var NAME=VALUE`. Without one it becomes "
    "empty, as envsubst does, which usually leaves a name missing or misspelt. Only this form "
    "is a variable; `$NAME` is plain text.",
)
NOT_AN_OBJECT = Code(
    "PM106",
    Severity.ERROR,
    "The document is not a Kubernetes object",
    "An object is a mapping with `apiVersion` and `kind`. Fragments, such as a list of routes to "
    "be pasted elsewhere, and files of other programs cannot be read; name the files you mean, "
    "or keep others out of the folder.",
)
DUPLICATE_OBJECT = Code(
    "PM107",
    Severity.ERROR,
    "Two objects have the same kind, namespace and name",
    "The first one, by the order of file names and lines, is in force and the others are not "
    "used. Rename or remove one of them.",
)
UNKNOWN_KIND = Code(
    "PM108",
    Severity.ERROR,
    "The group has no such kind",
    "The document belongs to appmesh.k8s.aws but its kind is none of Mesh, VirtualGateway, "
    "GatewayRoute, VirtualService, VirtualRouter, VirtualNode and BackendGroup, or to "
    "pointsman.dev and is none of the policies there (manifests.md lists them). Kinds are spelt "
    "exactly like this.",
)
UNKNOWN_VERSION = Code(
    "PM109",
    Severity.ERROR,
    "The group has no such version",
    "appmesh.k8s.aws/v1beta2 is the version of the App Mesh controller since 1.0; "
    "appmesh.k8s.aws/v1beta1, of controllers before it, is understood too. Pointsman's own kinds "
    "are pointsman.dev/v1alpha1.",
)
PREVIOUS_KEPT = Code(
    "PM110",
    Severity.WARNING,
    "The previous version of an object stays in force",
    "The object, or a document of its file that cannot be parsed at all, has errors now. So that "
    "a slip of the pen does not take a service down, the version that was read last remains until "
    "the file is mended or removed. It lives in memory only: a restart forgets it.",
)
HELD = Code(
    "PM111",
    Severity.WARNING,
    "An earlier revision is in force",
    "Somebody went back to what manifests said before, by `pointsman rollback`. Whatever files say "
    "now is remembered and waits until `pointsman rollback --release`, or until a restart.",
)
