"""What looks for findings: the finders of every group, in one table."""

from collections.abc import Callable, Iterator
from typing import Final

from pointsman.doctor.checks.churn import constant_changes
from pointsman.doctor.checks.clocks import clocks_apart
from pointsman.doctor.checks.cors import missed_preflights
from pointsman.doctor.checks.endpoints import names_without_addresses, useless_ejections
from pointsman.doctor.checks.expiring import ending_certificates, ending_files
from pointsman.doctor.checks.failing import failed_requests
from pointsman.doctor.checks.health import failing_checks
from pointsman.doctor.checks.logs import logged_secrets
from pointsman.doctor.checks.matches import impossible_matches
from pointsman.doctor.checks.pools import narrow_pools
from pointsman.doctor.checks.prefixes import prefixes_in_words
from pointsman.doctor.checks.proxies import (
    gateways_without_proxies,
    lagging_proxies,
    lost_proxies,
    rejecting_proxies,
)
from pointsman.doctor.checks.refused import refused_proxies
from pointsman.doctor.checks.retries import multiplied_retries
from pointsman.doctor.checks.rollouts import unfinished_rollbacks, waiting_rollouts
from pointsman.doctor.checks.shadowing import hidden_routes
from pointsman.doctor.checks.shares import shares_off
from pointsman.doctor.checks.slow import (
    delays_on_purpose,
    hidden_retries,
    slow_requests,
    slower_nodes,
)
from pointsman.doctor.checks.timeouts import cut_requests
from pointsman.doctor.checks.tls import one_sided_tls
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding

Finder = Callable[[Evidence], Iterator[Finding]]

FINDERS: Final[tuple[Finder, ...]] = (
    hidden_routes,
    prefixes_in_words,
    impossible_matches,
    cut_requests,
    multiplied_retries,
    failing_checks,
    useless_ejections,
    names_without_addresses,
    one_sided_tls,
    missed_preflights,
    logged_secrets,
    failed_requests,
    slow_requests,
    slower_nodes,
    hidden_retries,
    delays_on_purpose,
    shares_off,
    narrow_pools,
    gateways_without_proxies,
    lost_proxies,
    lagging_proxies,
    rejecting_proxies,
    refused_proxies,
    ending_certificates,
    ending_files,
    constant_changes,
    clocks_apart,
    waiting_rollouts,
    unfinished_rollbacks,
)
"""Whatever looks for findings of its own; what problems tell is in `told.py`."""
