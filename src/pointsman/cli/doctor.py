"""`pointsman doctor`: what will go wrong with some manifests, why, and what to do about it."""

from typing import Annotated

import typer

from pointsman.cli import options, output
from pointsman.doctor.check import Symptom


def doctor(
    paths: options.Paths,
    symptom: Annotated[
        Symptom | None,
        typer.Option("--symptom", help="Shows what may be the cause of it, and nothing else."),
    ] = None,
    var: options.Variables = [],  # noqa: B006 - typer copies it
    resolve: options.Resolves = [],  # noqa: B006
    certificate: options.Certificates = [],  # noqa: B006
    authority: options.Authorities = [],  # noqa: B006
    certificates: options.CertificateFile = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Finds what will go wrong: routes nobody reaches, timeouts that cut, checks that fail.

    Manifests are read and linked, and what they mean together is checked. Neither Envoy nor a
    running instance is asked. Healthy manifests have no findings.

    Examples:
      pointsman doctor manifests/
      pointsman doctor mesh.yaml --symptom misroute
      pointsman doctor manifests/ --var NAMESPACE=colors --json

    Exit status: 0 nothing was found, or nothing but notes; 1 errors or warnings were found;
    2 the command or a path is wrong.
    """
    from pointsman.app import offline
    from pointsman.app.certificates import read_certificates
    from pointsman.doctor.engine import diagnose
    from pointsman.doctor.evidence import Evidence
    from pointsman.doctor.report import finding_json, finding_lines, summary
    from pointsman.resources.problem import Severity

    loaded = offline.load(
        paths,
        options.parse_variables(var),
        options.parse_resolves(resolve),
        read_certificates(certificates, certificate, authority),
    )
    evidence = Evidence(loaded.store.resources(), loaded.linked.graph, loaded.problems)
    findings = diagnose(evidence, symptom)
    if as_json:
        output.write_json({"findings": [finding_json(finding) for finding in findings]})
    else:
        color = options.wants_color(no_color)
        output.write_lines([*finding_lines(findings), summary(findings)], color=color)
    if any(finding.severity is not Severity.NOTE for finding in findings):
        raise typer.Exit(1)
