"""`pointsman render`: the Envoy configuration some manifests come to."""

from typing import Annotated

import typer

from pointsman.cli import options, output


def render(
    paths: options.Paths,
    node: Annotated[
        str | None,
        typer.Option(
            "--node", metavar="ID", help="The proxy: a virtual gateway or node, by name or node id."
        ),
    ] = None,
    admin_port: Annotated[
        int | None,
        typer.Option(
            "--admin-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Opens Envoy's administration on loopback.",
        ),
    ] = None,
    var: options.Variables = [],  # noqa: B006 - typer copies it
    resolve: options.Resolves = [],  # noqa: B006
    certificate: options.Certificates = [],  # noqa: B006
    authority: options.Authorities = [],  # noqa: B006
    certificates: options.CertificateFile = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Prints the Envoy configuration that manifests come to.

    It is complete: `envoy -c FILE` serves it without a control plane. What cannot be served is
    left out and said on standard error.

    Examples:
      pointsman render mesh.yaml > envoy.yaml && envoy -c envoy.yaml
      pointsman render mesh.yaml --node mesh/colors/virtualGateway/ingress --json
      pointsman render mesh.yaml --node front > sidecar.yaml

    Exit status: 0 all was rendered; 1 something with errors was left out;
    2 the command or a path is wrong, or there is no such proxy.
    """
    from pointsman.app import offline
    from pointsman.app.certificates import read_certificates
    from pointsman.envoy.static import static_bootstrap
    from pointsman.observe.problems import problem_lines
    from pointsman.resources.problem import Severity

    loaded = offline.load(
        paths,
        options.parse_variables(var),
        options.parse_resolves(resolve),
        read_certificates(certificates, certificate, authority),
    )
    errors = [item for item in loaded.problems if item.code.severity is Severity.ERROR]
    output.write_lines(
        problem_lines(errors, notes=False),
        color=options.wants_color(no_color),
        stream=typer.get_text_stream("stderr"),
    )
    proxy = offline.find_proxy(loaded, node)
    bootstrap = static_bootstrap(proxy, offline.render(loaded, proxy), admin_port)
    if as_json:
        output.write_json(bootstrap)
    else:
        output.write_yaml(bootstrap)
    if errors:
        raise typer.Exit(1)
