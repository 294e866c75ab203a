"""Asks AWS Cloud Map by boto3, which is there only where it was asked for."""

from importlib import import_module
from typing import Any, Final

from pointsman.errors import UsageError
from pointsman.registry.cloud_map import AbsentError, DiscoveryError
from pointsman.registry.instance import Instance, ServiceName

TIMEOUT_S: Final = 5
MOST: Final = 1000
"""Most instances Cloud Map tells of a service; there are no further pages."""
_ABSENT: Final = frozenset({"ServiceNotFound", "NamespaceNotFound"})


class AwsDiscovery:
    """Cloud Map of one account and region.

    Credentials are found as boto3 always does: environment, profile, role of the machine.

    Args:
        region: AWS region; None takes the one of boto3's own configuration.
        endpoint: URL of another service that speaks the same, such as a stand-in for tests.

    Raises:
        UsageError: boto3 is not installed, or there is no region.
    """

    def __init__(self, region: str | None = None, endpoint: str | None = None) -> None:
        try:
            boto3: Any = import_module("boto3")
            config: Any = import_module("botocore.config")
            exceptions: Any = import_module("botocore.exceptions")
        except ImportError:
            raise UsageError(
                "AWS Cloud Map needs boto3, which is not installed",
                hint="pip install 'pointsman[aws]'",
            ) from None
        settings = config.Config(
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            # The one who asks has a patience of its own.
            retries={"total_max_attempts": 1},
            # AWS wants `data-` before its host; another host has no such name.
            inject_host_prefix=endpoint is None,
        )
        self._refusal: type[Exception] = exceptions.ClientError
        self._errors: type[Exception] = exceptions.BotoCoreError
        try:
            self._client: Any = boto3.session.Session().client(
                "servicediscovery", region_name=region, endpoint_url=endpoint, config=settings
            )
        except exceptions.BotoCoreError as error:
            raise UsageError(
                f"AWS Cloud Map cannot be asked: {error}", hint="for example --cloud-map eu-west-1"
            ) from None

    def revision(self, service: ServiceName) -> int | None:
        """The revision of a service; None where the role may not ask for it.

        Raises:
            DiscoveryError: there is no answer.
        """
        try:
            answer = self._client.discover_instances_revision(
                NamespaceName=service.namespace, ServiceName=service.name
            )
        except self._refusal:
            return None  # asking for the instances tells whether it is more than that
        except self._errors as error:
            raise DiscoveryError(str(error)) from None
        return int(answer["InstancesRevision"])

    def instances(self, service: ServiceName) -> tuple[int | None, list[Instance]]:
        """All instances of a service, healthy or not.

        Raises:
            AbsentError: there is no such service.
            DiscoveryError: there is no answer.
        """
        try:
            answer = self._client.discover_instances(
                NamespaceName=service.namespace,
                ServiceName=service.name,
                MaxResults=MOST,
                HealthStatus="ALL",
            )
        except self._refusal as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code in _ABSENT:
                what = "service" if code == "ServiceNotFound" else "namespace of"
                raise AbsentError(f"there is no {what} {service}") from None
            raise DiscoveryError(str(error)) from None
        except self._errors as error:
            raise DiscoveryError(str(error)) from None
        found = [_instance(service, item) for item in answer["Instances"]]
        return answer.get("InstancesRevision"), found


def _instance(service: ServiceName, item: Any) -> Instance:
    # UNKNOWN is what an instance is until its first check: Cloud Map hands it out, too.
    healthy = item.get("HealthStatus") != "UNHEALTHY"
    return Instance(service, item["InstanceId"], dict(item.get("Attributes") or {}), healthy)
