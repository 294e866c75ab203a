"""`pointsman doctor`: what is wrong with a running instance or with manifests, and what to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli.over import parse_over
from pointsman.doctor.check import Symptom
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.observe.told import Told


def doctor(
    paths: options.PathsInstead = [],  # noqa: B006 - typer copies it
    symptom: Annotated[
        Symptom | None,
        typer.Option("--symptom", help="Shows what may be the cause of it, and nothing else."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="What was seen since; 10m, at most 30m."),
    ] = None,
    instance: options.InstanceId = None,
    var: options.Variables = [],  # noqa: B006
    resolve: options.Resolves = [],  # noqa: B006
    certificate: options.Certificates = [],  # noqa: B006
    authority: options.Authorities = [],  # noqa: B006
    certificates: options.CertificateFile = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Finds what is wrong, or will go wrong, and says what to do about it.

    The running instance is asked: its manifests, what its proxies have of them, and what requests
    met lately. With paths, manifests alone are read and linked, and nothing that runs is asked.
    What most requests show comes first. Where all is well there are no findings.

    Examples:
      pointsman doctor
      pointsman doctor --symptom slow --since 5m
      pointsman doctor manifests/ --var NAMESPACE=colors --json

    Exit status: 0 nothing was found, or nothing but notes; 1 errors or warnings were found;
    2 the command or a path is wrong; 4 there is no running instance, or it does not answer.
    """
    if paths:
        if since is not None:
            raise UsageError("--since is for a running instance, and manifests have no past")
        given = (certificates, certificate, authority)
        told = _written(paths, var, resolve, given, symptom)
    else:
        told = _running(instance, since or "10m", symptom)
    findings = told.known["findings"]
    if as_json:
        output.write_json({"findings": findings})
    else:
        output.write_lines(told.lines, color=options.wants_color(no_color))
    if any(finding["severity"] != "note" for finding in findings):
        raise typer.Exit(1)


def _running(instance: int | None, since: str, symptom: Symptom | None) -> "Told":
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    seconds = parse_over(since, "--since")
    with Client(find_instance(read_settings().runtime_folder, instance), timeout_s=60) as client:
        return client.doctor(seconds, symptom)


def _written(
    paths: list[str],
    variables: list[str],
    resolves: list[str],
    given: tuple[str | None, list[str], list[str]],
    symptom: Symptom | None,
) -> "Told":
    from pointsman.app import offline
    from pointsman.app.certificates import read_certificates
    from pointsman.doctor.engine import diagnose
    from pointsman.doctor.evidence import Evidence
    from pointsman.doctor.report import told_findings

    loaded = offline.load(
        paths,
        options.parse_variables(variables),
        options.parse_resolves(resolves),
        read_certificates(*given),
    )
    evidence = Evidence(loaded.store.resources(), loaded.linked.graph, loaded.problems)
    return told_findings(diagnose(evidence, symptom))
