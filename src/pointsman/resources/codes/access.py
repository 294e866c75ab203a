"""PM9xx: who may call, and how often."""

from pointsman.resources.problem import Code, Severity

NO_CONSUMER = Code(
    "PM901",
    Severity.WARNING,
    "a rule names a consumer that is not declared",
    "Nobody can be that consumer, so that the rule holds for the others it names only. Declare a "
    "Consumer, or look at the spelling.",
)
NOBODY_KNOWN = Code(
    "PM902",
    Severity.WARNING,
    "a rule goes by who calls, and no method tells",
    "Keys, passwords and certificates tell the consumer; a token does where its method has "
    "`consumer`, and only tokens have scopes and claims. Such a rule never holds: one that denies "
    "denies nobody, one that allows allows nobody.",
)
CLOSED = Code(
    "PM903",
    Severity.ERROR,
    "a gateway is closed because a policy of access cannot be read",
    "A policy that breaks while it serves stays in force as it was. At the start there is nothing "
    "to fall back on, and what the policy was to protect would be open to everybody. The gateways "
    "of its namespace answer 503 until it can be read, or is gone.",
)
STATE_AWAY = Code(
    "PM904",
    Severity.WARNING,
    "the database of consumers and credentials does not answer",
    "What was known last is in force: keys that were good stay good, keys that are revoked now "
    "end when the database answers again. It is asked every two seconds.",
)
CLOSED_SECRET = Code(
    "PM905",
    Severity.WARNING,
    "the secret of a credential cannot be opened",
    "Secrets are closed by a master key, which is kept outside the database. The one this "
    "credential was closed by is not in the file of master keys, or was changed. Proxies do not "
    "know the credential; all others are in force.",
)
FORGETTING_RATE = Code(
    "PM910",
    Severity.NOTE,
    "a proxy counts for days, and forgets it when it restarts",
    "A rate of scope `proxy` is counted in the proxy's memory, by each proxy and each of its "
    "listeners. For days, weeks and months `quota` is usually what one wants: it is kept.",
)
GUESSED_KEY = Code(
    "PM911",
    Severity.WARNING,
    "a limit counts by what callers choose freely",
    "Whoever sends another value has an allowance of their own, so that a limit by header, path "
    "or a cost in a header alone holds back nobody who does not want it. Add a limit by address "
    "or consumer beside it, or make sure that somebody trusted writes the header.",
)
NOBODY_ASKED = Code(
    "PM912",
    Severity.WARNING,
    "a limit goes by who calls, where nobody is asked",
    "The policy of limits meets requests that no AccessPolicy finds the consumer of. They all "
    "count under their address, and no override holds for them. Attach an AccessPolicy with a "
    "method that tells the consumer, or count by something else.",
)
