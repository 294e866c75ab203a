"""Writes the dashboards for Grafana in dashboards/, from what Prometheus is given.

python scripts/generate_dashboards.py            writes them
python scripts/generate_dashboards.py --check    exits 1 when they are not current

Tests ask a real Prometheus every question in them.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableRefresh,
)

FOLDER = Path(__file__).parent.parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HALF, HEIGHT = 12, 8
PER_S, SHARE, MS, SECONDS, COUNT = "reqps", "percentunit", "ms", "s", "short"


@dataclass(frozen=True)
class Panel:
    """A graph.

    Attributes:
        title: of it.
        about: one sentence for who looks at it.
        unit: as Grafana calls it.
        queries: PromQL, by what the lines are called.
    """

    title: str
    about: str
    unit: str
    queries: dict[str, str]


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        name: of its file.
        title: of it.
        about: what it answers.
        variables: what one chooses: name, and the metric and label whose values there are.
        rows: titles of rows with their panels.
        single: variables of which one value is chosen, not several.
    """

    name: str
    title: str
    about: str
    variables: dict[str, tuple[str, str]]
    rows: dict[str, tuple[Panel, ...]]
    single: bool = False


def rate(metric: str, labels: str, by: str, more: str = "") -> str:
    """What happens in a second."""
    both = ",".join(filter(None, (labels, more)))
    return f"sum by ({by}) (rate({metric}{{{both}}}[$__rate_interval]))"


def failing(metric: str, labels: str, by: str) -> str:
    """The share of answers that are 5xx; 0 where there are none."""
    every = rate(metric, labels, by)
    failed = rate(metric, labels, by, 'envoy_response_code_class="5"')
    return f"({failed} or {every} * 0) / {every}"


def quantile(share: float, metric: str, labels: str, by: str) -> str:
    """The time within which a share of requests was done."""
    return f"histogram_quantile({share:g}, {rate(f'{metric}_bucket', labels, f'le, {by}')})"


def red(begin: str, labels: str, by: str, whose: str) -> tuple[Panel, ...]:
    """Rate, errors and duration."""
    name, classes, times = f"{{{{{by}}}}}", f"{begin}_rq_xx", f"{begin}_rq_time"
    return (
        Panel(
            f"Requests {whose}",
            "Answers a second, whatever their status.",
            PER_S,
            {name: rate(classes, labels, by)},
        ),
        Panel(
            f"Failing {whose}",
            "The share of answers with a status of 500 and more.",
            SHARE,
            {name: failing(classes, labels, by)},
        ),
        Panel(
            f"Time, half of them, {whose}",
            "Half of the requests were done within it.",
            MS,
            {name: quantile(0.5, times, labels, by)},
        ),
        Panel(
            f"Time, 99 of 100, {whose}",
            "Of a hundred requests, 99 were done within it.",
            MS,
            {name: quantile(0.99, times, labels, by)},
        ),
    )


def causes(labels: str, by: str, named: dict[str, tuple[str, str]]) -> tuple[Panel, ...]:
    """What went wrong, or what was done about it: by metric, a title and a sentence."""
    return tuple(
        Panel(title, about, PER_S, {f"{{{{{by}}}}}": rate(metric, labels, by)})
        for metric, (title, about) in named.items()
    )


PROXY = 'proxy=~"$proxy"'
GATEWAYS = Board(
    "gateways",
    "Pointsman: gateways and sidecars",
    "What proxies take from clients or for their applications, by route and by consumer.",
    {"proxy": ("envoy_http_downstream_rq_xx", "proxy")},
    {
        "Requests": (
            *red("envoy_http_downstream", PROXY, "proxy", "by proxy"),
            Panel(
                "Answers by class",
                "Answers a second by the first digit of their status.",
                PER_S,
                {
                    "{{envoy_response_code_class}}xx": rate(
                        "envoy_http_downstream_rq_xx", PROXY, "envoy_response_code_class"
                    )
                },
            ),
            Panel(
                "Open connections",
                "Connections from clients that are open now.",
                COUNT,
                {"{{proxy}}": f"sum by (proxy) (envoy_http_downstream_cx_active{{{PROXY}}})"},
            ),
        ),
        "Refused by the proxy itself": causes(
            PROXY,
            "proxy",
            {
                "pointsman_denied_total": ("Denied", "Refused because of who sent them."),
                "envoy_http_local_rate_limit_enforced": ("Limited", "Refused by a rate limit."),
                "envoy_http_no_route": ("No route", "Requests that no route takes."),
                "envoy_http_downstream_cx_total": ("New connections", "Connections a second."),
            },
        ),
        "Routes": red("envoy_vhost_route_upstream", PROXY, "envoy_route", "by route"),
        "Consumers, where a TelemetryPolicy has them counted": red(
            "pointsman_consumer", PROXY, "consumer", "by consumer"
        ),
    },
)

NODE = 'target_virtual_node=~"$node"'
NODES = Board(
    "nodes",
    "Pointsman: virtual nodes",
    "What proxies send to each virtual node, how it fares, and why it fails.",
    {"node": ("envoy_cluster_upstream_rq_xx", "target_virtual_node")},
    {
        "Requests": red("envoy_cluster_upstream", NODE, "target_virtual_node", "by node"),
        "Callers": red("envoy_cluster_upstream", NODE, "proxy", "by caller"),
        "Causes": causes(
            NODE,
            "target_virtual_node",
            {
                "envoy_cluster_upstream_rq_timeout": ("Timeouts", "Took too long, each try."),
                "envoy_cluster_upstream_cx_connect_fail": (
                    "Connections that did not come about",
                    "Nobody listens, or the network is in the way.",
                ),
                "envoy_cluster_upstream_rq_rx_reset": ("Resets", "Broken off by the other side."),
                "envoy_cluster_upstream_rq_pending_overflow": (
                    "Overflow",
                    "Refused because a connection pool was full.",
                ),
                "envoy_cluster_upstream_rq_retry": ("Retries", "Tries after the first."),
                "envoy_cluster_outlier_detection_ejections_enforced_total": (
                    "Ejections",
                    "Endpoints taken out because they failed.",
                ),
                "envoy_cluster_upstream_cx_none_healthy": (
                    "No endpoint",
                    "No endpoint was healthy.",
                ),
                "envoy_cluster_upstream_cx_total": ("New connections", "Connections a second."),
            },
        ),
        "Connections": (
            Panel(
                "Open connections",
                "Connections to the node that are open now.",
                COUNT,
                {
                    "{{target_virtual_node}}": "sum by (target_virtual_node) "
                    f"(envoy_cluster_upstream_cx_active{{{NODE}}})"
                },
            ),
        ),
    },
)


def beside(title: str, about: str, unit: str, of: str) -> Panel:
    """The candidate beside the stable version: `of` has LABELS in it."""
    versions = ("stable", "candidate")
    return Panel(
        title,
        about,
        unit,
        {name: of.replace("LABELS", f'target_virtual_node="${name}"') for name in versions},
    )


_CLASSES, _TIMES = "envoy_cluster_upstream_rq_xx", "envoy_cluster_upstream_rq_time"
ROLLOUTS = Board(
    "rollouts",
    "Pointsman: a candidate beside the stable version",
    "Two virtual nodes side by side, while a rollout moves requests from one to the other.",
    {
        "stable": ("envoy_cluster_upstream_rq_xx", "target_virtual_node"),
        "candidate": ("envoy_cluster_upstream_rq_xx", "target_virtual_node"),
    },
    {
        "Requests": (
            Panel(
                "Share of the candidate",
                "Of the requests to both, how many go to the candidate.",
                SHARE,
                {
                    "candidate": f'sum(rate({_CLASSES}{{target_virtual_node="$candidate"}}'
                    f"[$__rate_interval])) / sum(rate({_CLASSES}"
                    '{target_virtual_node=~"$stable|$candidate"}[$__rate_interval]))'
                },
            ),
            beside(
                "Requests",
                "Answers a second.",
                PER_S,
                f"sum(rate({_CLASSES}{{LABELS}}[$__rate_interval]))",
            ),
            beside(
                "Success rate",
                "The share of answers below 500, as a rollout's analysis has it.",
                SHARE,
                f"1 - (sum(rate({_CLASSES}"
                '{LABELS,envoy_response_code_class="5"}[$__rate_interval])) or vector(0))'
                f" / sum(rate({_CLASSES}{{LABELS}}[$__rate_interval]))",
            ),
            *(
                beside(
                    f"Time, {share:.0%}",
                    "So many of the requests were done within it.",
                    MS,
                    f"histogram_quantile({share:g}, "
                    f"sum by (le) (rate({_TIMES}_bucket{{LABELS}}[$__rate_interval])))",
                )
                for share in (0.5, 0.9, 0.99)
            ),
        )
    },
    single=True,
)


def of_all(metric: str, by: str = "") -> dict[str, str]:
    """A sum over everything, or a line for each value of a label."""
    return {f"{{{{{by}}}}}": f"sum by ({by}) ({metric})"} if by else {"all": f"sum({metric})"}


def own_time(metric: str) -> dict[str, str]:
    """Quantiles of one of the control plane's own histograms."""
    rates = f"sum by (le) (rate({metric}_bucket[$__rate_interval]))"
    return {f"{share:.0%}": f"histogram_quantile({share:g}, {rates})" for share in (0.5, 0.9, 0.99)}


CONTROL_PLANE = Board(
    "control-plane",
    "Pointsman: control plane",
    "Whether proxies are connected, and how changes reach them.",
    {},
    {
        "Proxies": (
            Panel(
                "Connected proxies",
                "Proxies with an xDS stream, by gateway or node.",
                COUNT,
                of_all("pointsman_connected_proxies", "proxy"),
            ),
            Panel(
                "Reports",
                "Reports of proxies on what they count; each reports every five seconds.",
                "ops",
                of_all("rate(pointsman_metrics_reports_total[$__rate_interval])"),
            ),
        ),
        "Changes": (
            Panel(
                "Until all proxies have it",
                "From a change that is seen to the last acknowledgement.",
                SECONDS,
                own_time("pointsman_push_seconds"),
            ),
            Panel(
                "Translation",
                "From a change that is seen to what proxies are to have.",
                SECONDS,
                own_time("pointsman_translation_seconds"),
            ),
            Panel(
                "Rejections",
                "Resources that proxies would not take, by type.",
                "ops",
                of_all("rate(pointsman_xds_rejections_total[$__rate_interval])", "type"),
            ),
            Panel(
                "Changes without an end",
                "Changes that not all proxies answered within 20 s.",
                "ops",
                of_all("rate(pointsman_push_unfinished_total[$__rate_interval])"),
            ),
        ),
        "Size": (
            Panel(
                "Resources",
                "What is served, by kind.",
                COUNT,
                of_all("pointsman_resources", "kind"),
            ),
            Panel(
                "Series",
                "How full the window of traffic is.",
                COUNT,
                of_all("pointsman_window_series"),
            ),
        ),
    },
)
BOARDS = (GATEWAYS, NODES, ROLLOUTS, CONTROL_PLANE)


def made(board: Board) -> str:
    """The dashboard as Grafana takes it."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(f"pointsman-{board.name}")
        .description(board.about)
        .tags(["pointsman", "envoy"])
        .editable()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    for variable in _variables(board):
        builder.with_variable(variable)
    for title, panels in board.rows.items():
        builder.with_row(dashboard.Row(title))
        for panel in panels:
            builder.with_panel(_graph(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(builder.build()) + "\n"


def _variables(board: Board) -> Iterator[dashboard.QueryVariable]:
    for name, (metric, label) in board.variables.items():
        variable = (
            dashboard.QueryVariable(name)
            .label(name.capitalize())
            .datasource(SOURCE)
            .query(f"label_values({metric}, {label})")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
        yield variable if board.single else variable.multi(True).include_all(True)


def _graph(panel: Panel) -> timeseries.Panel:
    graph = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.about)
        .datasource(SOURCE)
        .unit(panel.unit)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .min(0)
        .span(HALF)
        .height(HEIGHT)
    )
    for index, (legend, query) in enumerate(panel.queries.items()):
        target = prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(65 + index))
        graph.with_target(target)
    return graph


def main() -> int:
    """Writes the dashboards, or says which are not current."""
    stale = 0
    for board in BOARDS:
        file, text = FOLDER / f"{board.name}.json", made(board)
        if "--check" not in sys.argv[1:]:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{file} is not current: make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(main())
