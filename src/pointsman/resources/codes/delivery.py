"""PM00x: delivery, that is rollouts and what keeps them from moving weights."""

from pointsman.resources.problem import Code, Severity

NO_ROUTE = Code(
    "PM001",
    Severity.ERROR,
    "a rollout has no route whose weights it could move",
    "The route must be there, and its targets must be the stable version and the candidate, or the "
    "stable version alone. While they are not, the rollout does not run, and the weights are those "
    "of the manifests.",
)
SHARED_ROUTE = Code(
    "PM002",
    Severity.ERROR,
    "two rollouts move the weights of one route",
    "The first one by kind, namespace and name has it; the other one does not run.",
)
NOT_ENFORCED = Code(
    "PM003",
    Severity.WARNING,
    "a field of a Canary has no effect",
    "Flagger acts upon it with other meshes, or by objects that are not read here. The Canary runs "
    "without it.",
)
WAITS_FOR_WORKLOADS = Code(
    "PM004",
    Severity.NOTE,
    "a field of a Canary means workloads of Kubernetes",
    "Nothing here starts, scales or copies workloads. Traffic moves as the Canary says, and a new "
    "revision is a change of the virtual node `TARGET-canary`. When all of it has passed, the "
    "Canary waits in the phase Promoting until `pointsman rollout promote` says that the primary "
    "has the new version.",
)
NO_ANALYSIS = Code(
    "PM005",
    Severity.ERROR,
    "a rollout cannot be carried out as it is written",
    "It would never move, or it relies on a measure that cannot be taken. It does not run, and the "
    "weights are those of the manifests.",
)
NO_PLACE = Code(
    "PM006",
    Severity.ERROR,
    "requests cannot be copied or picked for a candidate of this target",
    "Mirroring and headers need a route of a VirtualRouter for HTTP or gRPC. For a gateway route, "
    "only weights move.",
)
FORGETFUL = Code(
    "PM007",
    Severity.WARNING,
    "what rollouts have done is kept in memory",
    "The instance keeps no state, or its database does not answer. Rollouts go on; after a restart "
    "they begin anew, with all requests at the stable version. Name a database with `--state`. "
    "An instance that cannot read at its start what was kept lets rollouts stand still until it "
    "can, and so does one whose PostgreSQL has been away for 15 s, for another one may have taken "
    "over.",
)
FOLLOWS = Code(
    "PM009",
    Severity.NOTE,
    "another control plane carries rollouts out",
    "It has the lease in the database they share. This one has the weights it decides on, and "
    "takes over when it ends. Commands of `pointsman rollout` have to go to the one that is named.",
)
HOLDS = Code(
    "PM008",
    Severity.NOTE,
    "a rollout holds the weights of a route",
    "The weights in the manifest do not count until the rollout is removed; the files stay as they "
    "are. `pointsman rollout status` shows what is in force.",
)
