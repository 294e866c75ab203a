"""What an endpoint change touches, and what it does not."""

from pointsman.control.compile import Compiled
from pointsman.control.endpoints import Endpoints
from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import ENDPOINT
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.registry.instance import ServiceName
from pointsman.registry.registry import Registry
from pointsman.resources.key import Key
from pointsman.xds.plan import Plan
from pointsman.xds.snapshot import Snapshot
from tests.registry.instances import CART, cluster, instance
from tests.registry.mesh import EDGE, REGISTERED, SIDE, class_of, compiler, shop
from tests.support.manifests import NAMESPACE
from tests.support.problems import problem_line

PAY = ServiceName("shop.local", "pay")
CART_CLUSTER = "cds_egress_mesh_cart_shop_http_8080"
PAY_CLUSTER = "cds_egress_mesh_pay_shop_http_8080"


class Scene:
    """A mesh compiled over a registry with one source."""

    def __init__(self, **attributes: str) -> None:
        self.registry = Registry(["files"])
        self.endpoints = Endpoints(self.registry)
        self.compiler = compiler(self.endpoints)
        self.attributes = attributes

    def compile(self) -> Compiled:
        return self.compiler.compile(shop(**self.attributes), REGISTERED)


def hosts(snapshot: Snapshot, cluster: str) -> list[str]:
    message: pb.Message = unseal(snapshot.of(ENDPOINT)[cluster])
    return [
        item.endpoint.address.socket_address.address
        for group in message.endpoints
        for item in group.lb_endpoints
    ]


def test_only_assignments_that_change_travel_and_only_to_those_who_use_them() -> None:
    scene = Scene()
    scene.registry.replace("files", {CART: [instance("a")], PAY: [instance("b", service=PAY)]})
    compiled = scene.compile()
    edge, side = (class_of(compiled, key) for key in (EDGE, SIDE))
    assert scene.endpoints.services == {CART, PAY}

    scene.registry.put("files", CART, [instance("a"), instance("c", "10.0.0.3")])
    changed = scene.endpoints.update([CART])
    assert changed.keys() == {edge}
    plan = Plan(compiled.snapshots[edge], changed[edge])
    assert {kind: step.names for kind, step in plan.additions.items()} == {ENDPOINT: {CART_CLUSTER}}
    assert plan.removals == {}
    assert hosts(changed[edge], CART_CLUSTER) == ["10.0.0.1", "10.0.0.3"]

    scene.registry.put("files", PAY, [])
    changed = scene.endpoints.update([PAY])
    assert changed.keys() == {edge, side}
    assert changed[edge].of(ENDPOINT)[PAY_CLUSTER] is changed[side].of(ENDPOINT)[PAY_CLUSTER]
    assert hosts(changed[edge], CART_CLUSTER) == ["10.0.0.1", "10.0.0.3"]


def test_a_change_that_changes_no_endpoint_is_not_published() -> None:
    scene = Scene(version="v1")
    scene.registry.replace("files", {CART: [instance("a", version="v1")]})
    scene.compile()
    other = instance("b", "10.0.0.2", version="v2")
    scene.registry.put("files", CART, [instance("a", version="v1", build="7"), other])
    assert scene.endpoints.update([CART]) == {}


def test_a_class_that_is_added_takes_no_endpoints_back() -> None:
    scene = Scene()
    scene.registry.replace("files", {CART: [instance("a")], PAY: []})
    compiled = scene.compile()
    edge = class_of(compiled, EDGE)
    scene.registry.put("files", CART, [instance("c", "10.0.0.3")])
    changed = scene.endpoints.update([CART])
    added = scene.compiler.add(NodeClass(EDGE, "sotw"))
    assert added.snapshots[edge] is changed[edge]
    assert hosts(added.snapshots[edge], CART_CLUSTER) == ["10.0.0.3"]


def test_an_edit_leaves_assignments_the_same_objects() -> None:
    scene = Scene()
    scene.registry.replace("files", {CART: [instance("a")]})
    before, after = scene.compile(), scene.compile()
    for node_class, snapshot in after.snapshots.items():
        for name, sealed in snapshot.of(ENDPOINT).items():
            assert sealed is before.snapshots[node_class].of(ENDPOINT)[name]


def test_a_change_between_two_edits_is_kept_by_the_second() -> None:
    scene = Scene()
    scene.registry.replace("files", {CART: [instance("a")]})
    scene.compile()
    scene.registry.put("files", CART, [instance("b", "10.0.0.2")])
    scene.endpoints.update([CART])
    compiled = scene.compile()
    assert hosts(compiled.snapshots[class_of(compiled, EDGE)], CART_CLUSTER) == ["10.0.0.2"]


def test_of_what_is_not_known_yet_proxies_are_told_nothing() -> None:
    registry = Registry(["files", "cloud-map"])
    endpoints = Endpoints(registry)
    registry.replace("files", {PAY: []})
    compiled = compiler(endpoints).compile(shop(), REGISTERED)
    edge = class_of(compiled, EDGE)
    assert compiled.snapshots[edge].of(ENDPOINT).keys() == {PAY_CLUSTER}
    registry.fail("cloud-map", "down", CART)
    assert endpoints.update([]) == {}
    registry.put("cloud-map", CART, [])
    assert hosts(endpoints.update([CART])[edge], CART_CLUSTER) == []


def test_when_nothing_else_can_come_what_is_not_known_is_empty() -> None:
    registry = Registry(["rest"])
    endpoints = Endpoints(registry)
    compiled = compiler(endpoints).compile(shop(), REGISTERED)
    registry.settle("rest")
    changed = endpoints.update([])
    assert hosts(changed[class_of(compiled, EDGE)], CART_CLUSTER) == []


def test_given_addresses_come_before_the_registry() -> None:
    registry = Registry(["files"])
    registry.replace("files", {CART: [instance("a")], PAY: []})
    endpoints = Endpoints(registry)
    given = GivenEndpoints({("cart.shop.local", 8080): Address("127.0.0.1", 9)}, registered=True)
    compiled = compiler(endpoints).compile(shop(), given)
    assert endpoints.services == {PAY}
    snapshot = compiled.snapshots[class_of(compiled, EDGE)]
    assert snapshot.of(ENDPOINT).keys() == {PAY_CLUSTER}


def test_proxies_of_each_zone_get_their_own_where_it_is_asked_for() -> None:
    registry = Registry(["files"])
    near = instance("a", "10.0.0.1", AVAILABILITY_ZONE="a")
    registry.replace("files", {CART: [near, instance("b", "10.0.0.2", AVAILABILITY_ZONE="b")]})
    plain = compiler(Endpoints(registry)).compile(shop(), REGISTERED)
    snapshot = plain.snapshots[class_of(plain, EDGE)]
    assert hosts(snapshot, CART_CLUSTER) == ["10.0.0.1", "10.0.0.2"]
    message = unseal(snapshot.of(ENDPOINT)[CART_CLUSTER])
    assert [(group.locality.zone, group.priority) for group in message.endpoints] == [
        ("a", 0),
        ("b", 0),
    ]


def test_problems_name_the_node_and_say_why() -> None:
    scene = Scene(version="v2")
    found = [instance("a", version="v1")]
    scene.registry.replace("files", {CART: found, PAY: [instance("b", service=PAY)]})
    compiled = scene.compile()
    assert not [item for item in compiled.problems if item.code.id == "PM413"]
    (problem,) = scene.endpoints.problems()
    assert problem_line(problem) == (
        "warning PM702: no instance of cart.shop.local has all attributes version=v2; "
        "of 1 there, some have version=v1 (1) [VirtualNode shop/cart]"
    )
    assert problem.key == Key("VirtualNode", NAMESPACE, "cart")
    scene.registry.put("files", CART, [instance("a", version="v2")])
    assert scene.endpoints.problems() == ()


def test_a_source_that_fails_is_a_problem_that_tells_how_old_its_word_is() -> None:
    registry = Registry(["cloud-map"], lambda: 1_800_000_000.0)
    endpoints = Endpoints(registry)
    registry.put("cloud-map", PAY, [instance("b", service=PAY)])
    compiler(endpoints).compile(shop(), REGISTERED)
    unused = ServiceName("shop.local", "unused")
    for service in (CART, PAY, unused):
        registry.fail("cloud-map", "down", service)
    assert [item.message for item in endpoints.problems()] == [
        "registry cloud-map for cart.shop.local: down; it has not told anything yet",
        "registry cloud-map for pay.shop.local: down; "
        "what it said at 2027-01-15 08:00:00 UTC stays in force",
    ]


def test_without_a_registry_pm413_says_it_all() -> None:
    endpoints = Endpoints()
    compiled = compiler(endpoints).compile(shop(), GivenEndpoints())
    assert {item.code.id for item in compiled.problems} >= {"PM413"}
    assert endpoints.problems() == ()
    snapshot = compiled.snapshots[class_of(compiled, EDGE)]
    assert hosts(snapshot, CART_CLUSTER) == []


def test_zone_awareness_is_told_apart_by_zone() -> None:
    """As a policy will ask for it: on the cluster."""
    registry = Registry(["files"])
    zones = {"a": instance("a", "10.0.0.1", AVAILABILITY_ZONE="a")}
    zones["b"] = instance("b", "10.0.0.2", AVAILABILITY_ZONE="b")
    registry.replace("files", {CART: zones.values()})
    endpoints = Endpoints(registry)
    bundles = {
        NodeClass(EDGE, zone=zone): Bundle({}, {"cart": cluster(zone_aware=True)})
        for zone in ("a", "b")
    }
    composed = endpoints.compose(bundles)
    for zone in ("a", "b"):
        message = unseal(composed[NodeClass(EDGE, zone=zone)].of(ENDPOINT)["cart"])
        assert [(g.locality.zone, g.priority) for g in message.endpoints] == [
            (zone, 0),
            ("b" if zone == "a" else "a", 1),
        ]
