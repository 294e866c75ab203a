"""`pointsman graph`: who calls whom."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli.over import Over, parse_over
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.observe.service_graph import ServiceGraph


def graph(
    paths: options.PathsInstead = [],  # noqa: B006 - typer copies it
    over: Over = "1m",
    dot: Annotated[bool, typer.Option("--dot", help="Graphviz' language.")] = False,
    svg: Annotated[bool, typer.Option("--svg", help="A picture.")] = False,
    var: options.Variables = [],  # noqa: B006
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
    instance: options.InstanceId = None,
) -> None:
    """Shows who calls whom: gateways and nodes, the services they call, and the nodes behind.

    Of a running instance with what its proxies counted; of manifests as they say it. SHARE is a
    node's part of what its service gets. REQ/S of TCP are connections. Numbers of a service's
    nodes are those of all its callers together.

    Examples:
      pointsman graph
      pointsman graph --over 5m --svg > mesh.svg
      pointsman graph manifests/ --dot | dot -Tpng > mesh.png

    Exit status: 0 it was shown; 2 the command or a path is wrong; 4 there is no running instance,
    or it does not answer.
    """
    if sum((dot, svg, as_json)) > 1:
        raise UsageError("--dot, --svg and --json are three ways to write it; choose one")
    from pointsman.observe.service_graph import graph_json
    from pointsman.observe.service_graph_svg import graph_svg
    from pointsman.observe.service_graph_text import graph_dot, graph_lines

    seconds = parse_over(over)
    known = _written(paths, var) if paths else _running(instance, seconds)
    if as_json:
        output.write_json(graph_json(known))
    elif dot:
        output.write_text(graph_dot(known))
    elif svg:
        output.write_text(graph_svg(known))
    else:
        output.write_lines(graph_lines(known), color=options.wants_color(no_color))


def _written(paths: list[str], variables: list[str]) -> "ServiceGraph":
    from pointsman.app import offline
    from pointsman.observe.service_links import service_graph

    loaded = offline.load(paths, options.parse_variables(variables), {})
    return service_graph(loaded.linked.graph)


def _running(instance: int | None, seconds: int) -> "ServiceGraph":
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    with Client(find_instance(read_settings().runtime_folder, instance)) as client:
        return client.graph(seconds)
