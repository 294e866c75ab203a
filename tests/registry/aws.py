"""A Cloud Map that moto plays, and what a team does to it."""

from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx2

from pointsman.registry.instance import ServiceName

REGION = "eu-west-1"


class Aws:
    """A Cloud Map and what a team does to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Any = boto3.client("servicediscovery", region_name=REGION, endpoint_url=url)
        self._ids: dict[str, str] = {}

    def reset(self) -> None:
        """Forgets all."""
        httpx2.post(f"{self.url}/moto-api/reset")

    def service(self, name: ServiceName) -> None:
        namespaces = self.client.list_namespaces()["Namespaces"]
        found = [item["Id"] for item in namespaces if item["Name"] == name.namespace]
        if not found:
            self.client.create_http_namespace(Name=name.namespace)
            found = [self.client.list_namespaces()["Namespaces"][0]["Id"]]
        made = self.client.create_service(Name=name.name, NamespaceId=found[0])
        self._ids[name.name] = made["Service"]["Id"]

    def register(self, name: ServiceName, identity: str, **attributes: str) -> None:
        self.client.register_instance(
            ServiceId=self._ids[name.name], InstanceId=identity, Attributes=attributes
        )

    def deregister(self, name: ServiceName, identity: str) -> None:
        self.client.deregister_instance(ServiceId=self._ids[name.name], InstanceId=identity)

    def sicken(self, name: ServiceName, identity: str) -> None:
        self.client.update_instance_custom_health_status(
            ServiceId=self._ids[name.name], InstanceId=identity, Status="UNHEALTHY"
        )
