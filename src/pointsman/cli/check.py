"""`pointsman check`: everything that is wrong with some manifests."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output

if TYPE_CHECKING:
    from pointsman.resources.problem import Problem


def check(
    paths: options.Paths,
    *,
    var: options.Variables = [],  # noqa: B006 - typer copies it
    resolve: options.Resolves = [],  # noqa: B006
    notes: Annotated[bool, typer.Option("--notes", help="Shows notes too.")] = False,
    envoy: options.EnvoyPath = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Says what is wrong with manifests.

    They are read, linked and translated, and Envoy is asked whether it would start with the
    result. Nothing is served.

    Examples:
      pointsman check mesh.yaml
      pointsman check manifests/ --var NAMESPACE=colors --notes
      kubectl get -A -o yaml virtualgateways,gatewayroutes,... | pointsman check --json -

    Exit status: 0 nothing is wrong, or nothing but warnings; 1 errors were found;
    2 the command or a path is wrong; 3 the Envoy that was named cannot be used.
    """
    from pointsman.app import offline
    from pointsman.resources.problem import has_errors
    from pointsman.settings import read_settings

    loaded = offline.load(paths, options.variables(var), options.resolves(resolve))
    problems = (*loaded.problems, *offline.ask_envoy(loaded, envoy, read_settings().envoy))
    _print(problems, notes=notes, as_json=as_json, color=options.wants_color(no_color))
    if has_errors(problems):
        raise typer.Exit(1)


def _print(problems: "tuple[Problem, ...]", *, notes: bool, as_json: bool, color: bool) -> None:
    from pointsman.observe.problems import count_line, problem_lines
    from pointsman.resources.problem import Severity
    from pointsman.resources.report import problem_json

    if as_json:
        output.write_json({"problems": [problem_json(problem) for problem in problems]})
        return
    told = [item for item in problems if notes or item.code.severity is not Severity.NOTE]
    for problem in told:
        output.write_lines(problem_lines(problem), color=color)
    output.write_lines([count_line(told, len(problems) - len(told))], color=color)
