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
COUNTS_AWAY = Code(
    "PM906",
    Severity.WARNING,
    "quotas cannot be counted",
    "The database, or the Redis of --quota-store, does not answer. Proxies go on with the leases "
    "they have, for a minute at the most, and then by `whenAway` of each limit. It is asked every "
    "second.",
)
KEY_IN_QUERY = Code(
    "PM910",
    Severity.NOTE,
    "API keys may be in the query",
    "Addresses are kept where headers are not: in access logs of every proxy on the way, in "
    "histories of browsers, in `Referer`. Keys that are used so should end soon.",
)
PLAIN_ADDRESS = Code(
    "PM911",
    Severity.WARNING,
    "a server that decides who may call is asked without TLS",
    "Keys and verdicts that come in plaintext can be changed by whoever is on the way, who then "
    "says who may call. Only on the machine itself plaintext does no harm.",
)
NO_CERTIFICATES = Code(
    "PM912",
    Severity.WARNING,
    "client certificates are to prove who calls, where none are asked for",
    "A listener asks for certificates where its TLS has `validation`, or a MeshTLS is in force. "
    "At all others nobody has one, and the method turns everybody away.",
)
NOT_ENFORCED = Code(
    "PM913",
    Severity.WARNING,
    "an AccessPolicy is enforced nowhere",
    "That of a virtual service, a virtual router or a route is enforced by gateways, for what "
    "comes through gateway routes. Proxies of virtual nodes do not ask on behalf of the services "
    "they call: attach a policy to the virtual node that is to be protected.",
)
LOGIN_BEHIND_REWRITE = Code(
    "PM914",
    Severity.WARNING,
    "a login stands behind a rewrite that needs a second pass",
    "The route's policy is known only once the path has been rewritten, and then the address that "
    "the browser knows is gone: logins do not come to an end. Attach the policy to the gateway "
    "route, or change the regex so that one pass can tell.",
)
FORGETTING_RATE = Code(
    "PM920",
    Severity.NOTE,
    "a proxy counts for days, and forgets it when it restarts",
    "A rate of scope `proxy` is counted in the proxy's memory, by each proxy and each of its "
    "listeners. For days, weeks and months `quota` is usually what one wants: it is kept.",
)
GUESSED_KEY = Code(
    "PM921",
    Severity.WARNING,
    "a limit counts by what callers choose freely",
    "Whoever sends another value has an allowance of their own, so that a limit by header, path "
    "or a cost in a header alone holds back nobody who does not want it. Add a limit by address "
    "or consumer beside it, or make sure that somebody trusted writes the header.",
)
BAD_DOCUMENT = Code(
    "PM940",
    Severity.ERROR,
    "an OpenAPI document cannot be used",
    "It has to be 3.0 or 3.1, with references within its own components, schemas that are schemas, "
    "and expressions that take linear time, which excludes looking ahead and back. The policy "
    "stays in force as it was.",
)
NOBODY_ASKED = Code(
    "PM922",
    Severity.WARNING,
    "a limit goes by who calls, where nobody is asked",
    "The policy of limits meets requests that no AccessPolicy finds the consumer of. They all "
    "count under their address, and no override holds for them. Attach an AccessPolicy with a "
    "method that tells the consumer, or count by something else.",
)
SAME_ISSUER = Code(
    "PM930",
    Severity.ERROR,
    "two authorization servers have one issuer",
    "Whoever checks a token goes by its issuer alone, so that the tokens of one would be taken for "
    "those of the other. The first one in order of namespace and name has the issuer; the other "
    "one is not served.",
)
NO_CLIENT = Code(
    "PM931",
    Severity.NOTE,
    "a client of an authorization server is declared in no file",
    "A client is a consumer. One that is made by `pointsman consumer create` is known while the "
    "control plane runs; until there is one, the client gets no tokens.",
)
OAUTH_PATH = Code(
    "PM932",
    Severity.WARNING,
    "a gateway route is for paths of an authorization server",
    "The authorization server's own paths come before all gateway routes of its host, and no "
    "policy of access stands before them. Requests for them never get to the route.",
)
CLOSED_KEY = Code(
    "PM933",
    Severity.WARNING,
    "a key that signs tokens cannot be opened",
    "Keys are closed by a master key, which is kept outside the database. The one that closed this "
    "key is not in the file of master keys, or was changed. Tokens that it has signed are good; "
    "no more are issued until the file is right, or another key is made by "
    "`pointsman oauth rotate --compromised`.",
)
