"""`pointsman history` and `pointsman rollback`: what manifests said, and going back to it."""

from typing import Annotated

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import administering
from pointsman.errors import UsageError
from pointsman.observe.lines import line

_Number = Annotated[int | None, typer.Argument(metavar="[REVISION]", min=1)]


def history(
    revision: _Number = None,
    to: Annotated[
        int | None, typer.Option("--to", metavar="REVISION", min=1, help="Compares with this one.")
    ] = None,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows what manifests said since the instance started.

    Without REVISION, every revision: since when, by whom, and which files changed. With one, what
    changed from it to the one in force, or to another one.

    Examples:
      pointsman history
      pointsman history 3
      pointsman history 3 --to 4

    Exit status: 0 it answered; 2 the command is wrong; 4 there is no running instance.
    """
    if revision is None and to is not None:
        raise UsageError("--to needs a revision to start from", hint="pointsman history 3 --to 4")
    from pointsman.observe.revisions import difference_lines, revision_lines

    color = options.wants_color(no_color)
    with administering(instance) as client:
        if revision is None:
            found = list(client.every("revisions"))
            if as_json:
                output.write_json({"items": found})
            else:
                output.write_lines(revision_lines(found), color=color)
            return
        answer = client.ask("GET", "revisions", str(revision), "diff", query={"to": to})
    if as_json:
        output.write_json(answer)
    else:
        output.write_lines(difference_lines(answer["diff"]), color=color)


def rollback(
    revision: _Number = None,
    release: Annotated[
        bool, typer.Option("--release", help="Makes what files say count again.")
    ] = False,
    instance: options.InstanceId = None,
) -> None:
    """Makes what manifests said earlier count again, without touching files.

    Without REVISION, the one before the one in force. Edits of files wait until --release, or
    until the instance is started anew; problem PM111 says so.

    Examples:
      pointsman rollback
      pointsman rollback 3
      pointsman rollback --release

    Exit status: 0 it is done; 2 it cannot be; 4 there is no running instance.
    """
    if release and revision is not None:
        raise UsageError("--release takes no revision: files count again")
    with administering(instance) as client:
        current = next(client.every("revisions"))["number"]
        wanted = current if release else revision or current - 1
        if not wanted:
            raise UsageError("there is no earlier revision", hint="see: pointsman history")
        client.ask("POST", "revisions", str(wanted), "release" if release else "rollback")
    told = (
        "what files say is in force again"
        if release
        else f"revision {wanted} is in force again; edits of files wait"
    )
    output.write_lines([line(told)], color=False)
