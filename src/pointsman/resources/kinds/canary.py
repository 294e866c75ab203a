"""Canary: Flagger's own kind, `flagger.app/v1beta1`, for its provider `appmesh:v1beta2`.

It moves the weights of the VirtualRouter that is called like its service, between the virtual
nodes `TARGET-canary` and `TARGET-primary`, as Flagger made them. What means workloads of
Kubernetes is accepted and reported.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Flag, Name, Text, schema
from pointsman.resources.kinds.rollout import HookType

Foreign = Mapping[Text, Any]
Whole = Annotated[int, Strict()]
GoDuration = Annotated[str, Strict()]


@schema
class CanaryWorkload:
    """A workload of Kubernetes."""

    api_version: Text | None = None
    """Its apiVersion."""
    kind: Text | None = None
    """Its kind."""
    name: Name
    """Its name."""
    primary_scaler_replicas: Foreign | None = None
    """Waits for the Kubernetes source."""
    primary_scaler_queries: Foreign | None = None
    """Waits for the Kubernetes source."""


@schema
class StringMatch:
    """How a header's value is compared; exactly one."""

    exact: Text | None = None
    """The value itself."""
    prefix: Text | None = None
    """How the value starts."""
    suffix: Text | None = None
    """How the value ends."""
    regex: Text | None = None
    """RE2 expression for the whole value."""


@schema
class CanaryMatch:
    """Which requests take part in an A/B test."""

    headers: Mapping[Text, StringMatch] = Field(default_factory=dict)
    """Conditions on headers, all of which must hold."""
    uri: Foreign | None = None
    """Not used with App Mesh."""
    source_labels: Foreign | None = None
    """Not used with App Mesh."""
    method: Foreign | None = None
    """Not used with App Mesh."""
    query_params: Foreign | None = None
    """Not used with App Mesh."""


@schema
class CanaryService:
    """The service; Flagger made objects of App Mesh from it, which are manifests here."""

    name: Name | None = None
    """Name of the VirtualRouter; that of the target by default."""
    port: Any = None
    """The manifests say so here."""
    port_name: Any = None
    """Waits for the Kubernetes source."""
    target_port: Any = None
    """Waits for the Kubernetes source."""
    port_discovery: Any = None
    """Waits for the Kubernetes source."""
    app_protocol: Any = None
    """Waits for the Kubernetes source."""
    mesh_name: Any = None
    """The manifests say so here."""
    timeout: Any = None
    """The manifests say so here."""
    retries: Any = None
    """The manifests say so here."""
    backends: Any = None
    """The manifests say so here."""
    hosts: Any = None
    """The manifests say so here."""
    match: Any = None
    """The manifests say so here."""
    rewrite: Any = None
    """Not used with App Mesh."""
    headers: Any = None
    """Not used with App Mesh."""
    cors_policy: Any = None
    """Not used with App Mesh."""
    traffic_policy: Any = None
    """Not used with App Mesh."""
    gateways: Any = None
    """Not used with App Mesh."""
    gateway_refs: Any = None
    """Not used with App Mesh."""
    delegation: Any = None
    """Not used with App Mesh."""
    apex: Any = None
    """Waits for the Kubernetes source."""
    primary: Any = None
    """Waits for the Kubernetes source."""
    canary: Any = None
    """Waits for the Kubernetes source."""


@schema
class ThresholdRange:
    """What values are good."""

    min: float | None = None
    """The least."""
    max: float | None = None
    """The most."""


@schema
class CanaryMetric:
    """One measure of an analysis."""

    name: Name
    """`request-success-rate` in percent, or `request-duration` in milliseconds (99 % of them)."""
    interval: GoDuration | None = None
    """Time that is measured; the interval of the analysis here."""
    threshold_range: ThresholdRange | None = None
    """What is good."""
    threshold: float | None = None
    """The old form: the least success rate, or the longest duration."""
    template_ref: Foreign | None = None
    """MetricTemplates are not read: the Canary does not run."""
    template_variables: Foreign | None = None
    """As `templateRef`."""
    query: Text | None = None
    """As `templateRef`."""


@schema
class CanaryWebhook:
    """A question to a service: a status up to 202 approves."""

    type: HookType = "rollout"
    """When it is asked."""
    name: Name
    """Name, for people."""
    url: Name
    """Where a POST with JSON goes to."""
    timeout: GoDuration | None = None
    """How long an answer may take; 10 s by default."""
    retries: Annotated[int, Strict(), Field(ge=0, le=100)] = 0
    """How often it is asked again when nobody answers."""
    metadata: Mapping[Text, Text] = Field(default_factory=dict)
    """Sent along."""
    mute_alert: Flag = False
    """Whether nobody is told that it waits for this one."""


@schema
class CanaryAnalysis:
    """How a candidate is tried out."""

    interval: GoDuration | None = None
    """Time between two looks; 10 s at least, a minute by default."""
    threshold: Whole = 1
    """Failed checks before it is rolled back."""
    max_weight: Whole | None = None
    """Share at which steps end; 100 by default."""
    step_weight: Whole | None = None
    """By how much the share grows each interval."""
    step_weights: tuple[Whole, ...] = ()
    """The shares one after the other."""
    step_weight_promotion: Whole | None = None
    """By how much the primary's share grows each interval at the end; all at once by default."""
    iterations: Whole | None = None
    """Intervals of a blue/green rollout, or, with `match`, of an A/B test."""
    match: tuple[CanaryMatch, ...] = ()
    """Requests of an A/B test."""
    mirror: Flag = False
    """Whether the candidate gets copies of requests first."""
    mirror_weight: Annotated[int, Strict(), Field(ge=0, le=100)] | None = None
    """How many percent are copied; all by default."""
    session_affinity: Foreign | None = None
    """Not enforced: Flagger had it for other meshes."""
    primary_ready_threshold: Whole | None = None
    """Waits for the Kubernetes source."""
    canary_ready_threshold: Whole | None = None
    """Waits for the Kubernetes source."""
    metrics: tuple[CanaryMetric, ...] = ()
    """What is measured."""
    webhooks: tuple[CanaryWebhook, ...] = ()
    """What services are asked."""
    alerts: tuple[Foreign, ...] = ()
    """AlertProviders are not read."""


@schema
class CanarySpec:
    """Spec of a Canary."""

    provider: Literal["appmesh", "appmesh:v1beta2", "appmesh:v1beta1"] | None = None
    """The mesh."""
    metrics_server: Text | None = None
    """Not used: what is measured comes from the proxies."""
    target_ref: CanaryWorkload
    """The workload; its name is that of the nodes."""
    autoscaler_ref: CanaryWorkload | None = None
    """Waits for the Kubernetes source."""
    ingress_ref: CanaryWorkload | None = None
    """Not used with App Mesh."""
    upstream_ref: CanaryWorkload | None = None
    """Not used with App Mesh."""
    route_ref: CanaryWorkload | None = None
    """Not used with App Mesh."""
    service: CanaryService = Field(default_factory=CanaryService)
    """The service."""
    analysis: CanaryAnalysis | None = None
    """How it is tried out."""
    canary_analysis: CanaryAnalysis | None = None
    """The old name of `analysis`."""
    progress_deadline_seconds: Annotated[int, Strict(), Field(ge=1)] = 600
    """Waits for the Kubernetes source."""
    skip_analysis: Flag = False
    """Whether it is promoted without being tried out."""
    suspend: Flag = False
    """Whether nothing moves."""
    revert_on_deletion: Flag = False
    """Not needed: without the Canary the manifests' own weights are back."""
