import re
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.errors import IdentityError
from pointsman.graph import spiffe

PATH = re.compile(r"(/[A-Za-z0-9._-]+)+\Z")
segments = st.text(
    st.characters(exclude_categories=["Cs", "Z", "C"], exclude_characters="/"), min_size=1
).filter(lambda text: not re.search(r"\s", text))
awkward = st.text(st.sampled_from(".@:%4_-aAé"), min_size=1)
kinds = st.sampled_from(["virtualNode", "virtualGateway"])
node_ids = st.builds("mesh/{}/{}/{}".format, segments | awkward, kinds, segments | awkward).filter(
    lambda node_id: len(node_id) < 200
)


@pytest.mark.parametrize(
    ("node_id", "path"),
    [
        ("mesh/shop/virtualNode/cart_shop", "mesh/shop/virtualNode/cart_shop"),
        ("mesh/shop/virtualGateway/in.gress-1", "mesh/shop/virtualGateway/in.gress-1"),
        ("mesh/shop@123/virtualNode/a", "mesh/shop..40123/virtualNode/a"),
        ("mesh/./virtualNode/..", "mesh/..2E/virtualNode/..2E..2E"),
        ("mesh/a./virtualNode/a.@", "mesh/a..2E/virtualNode/a..2E..40"),
        ("mesh/a..40/virtualNode/é", "mesh/a..2E.40/virtualNode/..C3..A9"),
    ],
)
def test_node_ids_become_spiffe_ids_and_back(node_id: str, path: str) -> None:
    assert spiffe.spiffe_id(node_id) == f"spiffe://pointsman.local/{path}"
    assert spiffe.node_id(f"spiffe://pointsman.local/{path}") == node_id


@given(node_ids)
def test_every_node_id_can_be_told_from_its_spiffe_id(node_id: str) -> None:
    made = spiffe.spiffe_id(node_id, "mesh.example")
    path = made.removeprefix("spiffe://mesh.example")
    assert PATH.match(path)
    assert not {".", ".."} & set(path.split("/"))
    assert spiffe.node_id(made, "mesh.example") == node_id


@given(st.text(st.sampled_from(ascii_letters + digits + "._-"), min_size=1))
def test_no_two_spiffe_ids_are_one_node(segment: str) -> None:
    uri = f"spiffe://pointsman.local/mesh/{segment}/virtualNode/n"
    try:
        node_id = spiffe.node_id(uri)
    except IdentityError:
        return
    assert spiffe.spiffe_id(node_id) == uri


@pytest.mark.parametrize(
    "node_id",
    ["", "cart", "mesh/shop/virtualNode/", "mesh//virtualNode/a", "mesh/shop/virtualRouter/a",
     "mesh/shop/virtualNode/a/b", "mesh/shop/virtualNode/a b", "mesh/shop/virtualNode/a\n",
     "Mesh/shop/virtualNode/a"],
)  # fmt: skip
def test_what_is_no_node_id_gets_none(node_id: str) -> None:
    with pytest.raises(IdentityError, match="is not a node id"):
        spiffe.spiffe_id(node_id)


def test_too_long_a_name_is_refused() -> None:
    with pytest.raises(IdentityError, match="more than 2048 bytes"):
        spiffe.spiffe_id(f"mesh/{'é' * 400}/virtualNode/a")


@pytest.mark.parametrize("name", ["", "Example", "a b", "a/b", "a:1", "user@a", "x" * 256])
def test_trust_domains_have_rules(name: str) -> None:
    with pytest.raises(IdentityError, match="is not a trust domain"):
        spiffe.spiffe_id("mesh/a/virtualNode/b", name)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://pointsman.local/mesh/a/virtualNode/b", "not a SPIFFE id"),
        ("spiffe://other/mesh/a/virtualNode/b", "of trust domain other"),
        ("spiffe://pointsman.local", "does not name"),
        ("spiffe://pointsman.local/control-plane", "does not name"),
        ("spiffe://pointsman.local/mesh/a/virtualNode/b/c", "does not name"),
        ("spiffe://pointsman.local/mesh/a%40b/virtualNode/b", "does not name"),
        ("spiffe://pointsman.local/mesh/a..61/virtualNode/b", "does not name"),
        ("spiffe://pointsman.local/mesh/a..2F/virtualNode/b", "does not name"),
        ("spiffe://pointsman.local/mesh/a..4/virtualNode/b", "does not name"),
        ("spiffe://pointsman.local/mesh/a..FF/virtualNode/b", "does not name"),
    ],
)
def test_other_uris_name_no_node(uri: str, reason: str) -> None:
    with pytest.raises(IdentityError, match=reason):
        spiffe.node_id(uri)
