"""`pointsman rollout`: how rollouts are doing, and what somebody wants of them."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pointsman.cli import options, output
from pointsman.cli.admin import Commands, show_table
from pointsman.errors import UsageError
from pointsman.observe.lines import Line, line, plain

if TYPE_CHECKING:
    from pointsman.api.client import Client
    from pointsman.rollout.view import RolloutView

Name = Annotated[
    str,
    typer.Argument(
        metavar="[KIND/][NAMESPACE/]NAME", help="The rollout; a Rollout of default, if not said."
    ),
]
SomeName = Annotated[
    str,
    typer.Argument(metavar="[[KIND/][NAMESPACE/]NAME]", help="Only this one."),
]
_EVERY_S: Final = 1.0
_HEADINGS: Final = ("ROLLOUT", "PHASE", "STABLE", "CANDIDATE", "STEP", "FAILED", "REQUESTS", "NOTE")


def status(
    name: SomeName = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Shows each change, until it is over.")
    ] = False,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows how rollouts are doing.

    REQUESTS and FAILED count those of the candidate in the newest interval, and failed checks of
    those that end it.

    Examples:
      pointsman rollout status
      pointsman rollout status shop/cart --follow

    Exit status: 0 it answered; 1 with --follow, it was rolled back; 4 there is no running instance.
    """
    with _client(instance) as client:
        if follow:
            raise typer.Exit(_follow(client, name))
        found = _chosen(client, name)
        if as_json:
            from pointsman.rollout.view import views_json

            output.write_json(views_json(found))
            return
        rows = [_row(item) for item in found]
        show_table(_HEADINGS, rows, color=options.wants_color(no_color))


def history(
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    instance: options.InstanceId = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Shows what happened to a rollout, the newest at the end.

    With --json each verdict comes with the counts that it was worked out from.

    Examples:
      pointsman rollout history shop/cart
    """
    with _client(instance) as client:
        found = client.rollout_events(_path(name), limit)
    if as_json:
        output.write_json({"items": found})
        return
    rows = [
        (_moment(item["at"]), item["level"], item["phase"], f"{item['weight']} %", item["text"])
        for item in reversed(found)
    ]
    headings = ("AT", "LEVEL", "PHASE", "WEIGHT", "WHAT")
    show_table(headings, rows, color=options.wants_color(no_color))


def pause(name: Name, instance: options.InstanceId = None) -> None:
    """Has a rollout stay where it is; nothing is looked at meanwhile.

    Examples:
      pointsman rollout pause shop/cart
    """
    _tell(name, "pause", instance)


def resume(name: Name, instance: options.InstanceId = None) -> None:
    """Ends a pause, and approves what waits for an approval.

    Examples:
      pointsman rollout resume shop/cart
    """
    _tell(name, "resume", instance)


def promote(name: Name, instance: options.InstanceId = None) -> None:
    """Gives the candidate all requests now, whatever the analysis would say.

    Of a Canary in the phase Promoting it says that the primary has the new version.

    Examples:
      pointsman rollout promote shop/cart
    """
    _tell(name, "promote", instance)


def abort(name: Name, instance: options.InstanceId = None) -> None:
    """Gives the stable version all requests now; also after a Rollout has succeeded.

    Examples:
      pointsman rollout abort shop/cart
    """
    _tell(name, "abort", instance)


def set_weight(
    name: Name,
    weight: Annotated[int, typer.Argument(min=0, max=100, help="The candidate's, in percent.")],
    instance: options.InstanceId = None,
) -> None:
    """Sets the candidate's share, and pauses; `resume` goes on from there.

    Examples:
      pointsman rollout set-weight shop/cart 25
    """
    _tell(name, "set-weight", instance, weight)


def _client(instance: int | None) -> "Client":
    from pointsman.api.client import Client
    from pointsman.api.instances import find_instance
    from pointsman.settings import read_settings

    # A command may have to wait for proxies, and for a webhook that is being asked.
    return Client(find_instance(read_settings().runtime_folder, instance), timeout_s=60.0)


def _path(name: str) -> tuple[str, str, str]:
    parts = name.split("/")
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"{name} is no rollout", hint="write NAMESPACE/NAME, or NAME of default")
    kind = parts[0] if len(parts) == 3 else "Rollout"
    return kind, parts[-2] if len(parts) > 1 else "default", parts[-1]


def _tell(name: str, command: str, instance: int | None, weight: int | None = None) -> None:
    with _client(instance) as client:
        path = _path(name)
        client.tell_rollout(path, command, weight)
        output.write_lines([_sentence(item) for item in _matching(client, path)], color=False)


def _chosen(client: "Client", name: str) -> "list[RolloutView]":
    if not name:
        return client.rollouts()
    found = _matching(client, _path(name))
    if not found:
        raise UsageError(f"no {' '.join((_path(name)[0], '/'.join(_path(name)[1:])))} runs there")
    return found


def _matching(client: "Client", path: tuple[str, str, str]) -> "list[RolloutView]":
    return [item for item in client.rollouts() if (item.kind, item.namespace, item.name) == path]


def _follow(client: "Client", name: str) -> int:
    """Writes a line for each change, until nothing moves any more."""
    said: dict[str, str] = {}
    while True:
        found = _chosen(client, name)
        for item in found:
            text = plain([_sentence(item)])
            if said.get(item.path) != text:
                said[item.path] = text
                sys.stdout.write(f"{_moment(time.time())}  {text}")
                sys.stdout.flush()
        if found and not any(item.moving or item.phase in _EARLY for item in found):
            return int(any(item.phase == "Failed" for item in found))
        time.sleep(_EVERY_S)


_EARLY: Final = ("Initializing", "Waiting")


def _sentence(item: "RolloutView") -> Line:
    parts = [f"{item.kind} {item.path}: {item.phase}, {_split(item)}"]
    if item.requests:
        parts.append(f"{item.failed} of {item.requests} requests failed")
    if item.harmed and not item.moving:
        parts.append(f"{item.harmed} requests failed in all")
    if item.waits:
        parts.append(item.waits)
    return line("; ".join(parts))


def _split(item: "RolloutView") -> str:
    text = f"{100 - item.weight} % {item.stable}, {item.weight} % {item.candidate}"
    if item.mirror:
        text += f", copies of {item.mirror} %"
    return f"{text}, picked by headers" if item.routed else text


def _row(item: "RolloutView") -> tuple[str, ...]:
    return (
        f"{item.kind}/{item.path}",
        item.phase,
        f"{item.stable} {100 - item.weight} %",
        f"{item.candidate} {item.weight} %",
        f"{item.stage}/{item.stages}",
        f"{item.failures}/{item.threshold}",
        f"{item.requests} ({item.failed} failed)",
        item.waits or "-",
    )


def _moment(at: Any) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(float(at)))


COMMANDS: Commands = {
    "status": status,
    "pause": pause,
    "resume": resume,
    "promote": promote,
    "abort": abort,
    "set-weight": set_weight,
    "history": history,
}
