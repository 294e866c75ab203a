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
