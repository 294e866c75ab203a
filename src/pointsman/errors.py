"""Errors that end a command with one clear line.

    PointsmanError
    ├── UsageError          the command line asks for something that cannot be       exit 2
    ├── SourceError         a path cannot be read                                     exit 2
    ├── IdentityError       an identity cannot be given, or is not believed           exit 2
    ├── EnvoyError          no usable Envoy, or it does not start                     exit 3
    ├── InstanceError       no running instance to talk to, or it does not answer     exit 4
    ├── StateError          the database, or what keeps its secrets, cannot be used   exit 5
    └── RefusedError        what is asked of the state cannot be done                 exit 2

Bad manifests are not errors of the program: they are `resources.problem.Problem` values.
"""


class PointsmanError(Exception):
    """Something a person can mend; the message is shown without a traceback.

    Attributes:
        hint: what to do about it, or "".
        exit_code: exit status of the command.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(PointsmanError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SourceError(PointsmanError):
    """A path cannot be read."""

    exit_code = 2


class IdentityError(PointsmanError):
    """An identity cannot be given, or is not believed."""

    exit_code = 2


class EnvoyError(PointsmanError):
    """There is no usable Envoy, or it does not start."""

    exit_code = 3


class InstanceError(PointsmanError):
    """There is no running instance to talk to, or it does not answer."""

    exit_code = 4


class StateError(PointsmanError):
    """The database, or what keeps its secrets, cannot be used."""

    exit_code = 5


class RefusedError(PointsmanError):
    """What is asked of the state cannot be done: it is not there, is there already, or is wrong.

    Attributes:
        status: the same as an HTTP status.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", status: int = 409) -> None:
        super().__init__(message, hint=hint)
        self.status = status
