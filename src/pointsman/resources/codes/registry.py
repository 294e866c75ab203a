"""PM7xx: what registries of service instances say, or fail to say."""

from pointsman.resources.problem import Code, Severity

BAD_ENTRY = Code(
    "PM701",
    Severity.ERROR,
    "a registry file cannot be used as it is",
    "The whole file stays as it was last good, so that half an edit never takes endpoints away. "
    "`docs/discovery.md` describes the format.",
)
NO_INSTANCE = Code(
    "PM702",
    Severity.WARNING,
    "no registered instance can be an endpoint of this node",
    "Requests for the node are answered 503 until there is one. The message says whether nothing "
    "is registered, the attributes of `awsCloudMap` match nothing, or addresses of the wanted IP "
    "version are missing.",
)
SOURCE_FAILED = Code(
    "PM703",
    Severity.WARNING,
    "a registry does not answer",
    "What it said last stays in force: proxies keep their endpoints, and traffic flows as long as "
    "those live. It is asked again, ever more seldom, until it answers.",
)
