"""`pointsman check`: everything that is wrong with some manifests."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output

if TYPE_CHECKING:
    from pointsman.resources.problem import Problem


def check(
    paths: options.Paths,
    var: options.Variables = [],  # noqa: B006 - typer copies it
    resolve: options.Resolves = [],  # noqa: B006
    certificate: options.Certificates = [],  # noqa: B006
    authority: options.Authorities = [],  # noqa: B006
    certificates: options.CertificateFile = None,
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
    2 the command or a path is wrong; 3 there is no usable Envoy.
    """
    from pointsman.app import offline
    from pointsman.app.certificates import read_certificates
    from pointsman.errors import EnvoyError
    from pointsman.proxy.binary import find_envoy
    from pointsman.resources.problem import has_errors
    from pointsman.settings import read_settings

    loaded = offline.load(
        paths,
        options.parse_variables(var),
        options.parse_resolves(resolve),
        read_certificates(certificates, certificate, authority),
    )
    problems, failure = loaded.problems, None
    try:
        binary = find_envoy(envoy, read_settings().envoy)
        problems += offline.ask_envoy(loaded, binary)
    except EnvoyError as error:
        # What was found without Envoy is of use all the same.
        failure = error
    _print(problems, notes=notes, as_json=as_json, color=options.wants_color(no_color))
    if failure is not None:
        raise failure
    if has_errors(problems):
        raise typer.Exit(1)


def _print(problems: "tuple[Problem, ...]", *, notes: bool, as_json: bool, color: bool) -> None:
    from pointsman.observe.problems import problem_lines, summary
    from pointsman.resources.report import problem_json

    if as_json:
        output.write_json({"problems": [problem_json(problem) for problem in problems]})
        return
    output.write_lines(problem_lines(problems, notes=notes), color=color)
    output.write_lines([summary(problems, notes=notes)], color=color)
