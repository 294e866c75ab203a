"""PM05x: versions of APIs."""

from pointsman.resources.problem import Code, Severity

TWO_DEFAULTS = Code(
    "PM050",
    Severity.ERROR,
    "two versions of an API are its default",
    "Requests that ask for no version can get one of them only: the first one by the order of "
    "routes. Take `default` from the other one.",
)
