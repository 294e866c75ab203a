"""U18: gateway routes with CORS that do not take the question browsers ask first.

Linking says so of routes of routers (PM421); what a policy of a gateway route meets is told here.
"""

from collections.abc import Iterator

from pointsman.doctor.catalogue.availability import NO_PREFLIGHT
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.doctor.places import rule_field


def missed_preflights(evidence: Evidence) -> Iterator[Finding]:
    """Gateway routes for one method, with a policy that has CORS."""
    for rule in evidence.rules:
        override, method = rule.override, rule.match.method
        if override is None or override.effects.cors is None or method in (None, "OPTIONS"):
            continue
        yield found(
            NO_PREFLIGHT,
            rule.key,
            rule_field(evidence, rule, "match", "method"),
            f"{rule.key} is for {method} only, and browsers ask by OPTIONS before they send",
            fact(f"{override.policy} has CORS", override.policy, ("spec", "cors")),
            advice="remove the method from the match",
        )
