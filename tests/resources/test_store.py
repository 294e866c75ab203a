from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.report import problem_json
from pointsman.resources.store import Store


def service(name: str, host: str = "a.shop", extra: str = "") -> str:
    return (
        "---\napiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{awsName: {host}{extra}}}\n"
    )


def namespace(name: str) -> str:
    return f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{a: b}}}}\n"


def key(name: str) -> Key:
    return Key("VirtualService", "shop", name)


def host(store: Store, name: str) -> str | None:
    found = store.resources().get(key(name))
    return found.spec.aws_name if found else None


def codes(store: Store) -> list[str]:
    return [problem.code.id for problem in store.problems()]


def test_a_source_comes_changes_and_goes() -> None:
    store = Store()
    store.replace("a.yaml", service("a") + namespace("shop"))
    assert host(store, "a") == "a.shop"
    assert store.resources().namespaces == {"shop": {"a": "b"}}
    store.replace("a.yaml", service("a", "b.shop"))
    assert host(store, "a") == "b.shop"
    assert store.resources().namespaces == {}
    store.replace("a.yaml", None)
    assert host(store, "a") is None
    assert store.origin(key("a")) is None
    store.replace("never-there.yaml", None)
    assert store.problems() == ()


def test_a_document_that_moved_keeps_its_spec() -> None:
    store = Store()
    store.replace("a.yaml", service("a") + service("b"))
    before = store.resources().get(key("b"))
    store.replace("a.yaml", "# a line more\n" + service("c") + service("a") + service("b"))
    after = store.resources().get(key("b"))
    assert before is not None
    assert after is not None
    assert after.spec is before.spec
    assert (before.origin.line, after.origin.line) == (7, 13)


def test_problems_move_with_their_document() -> None:
    store = Store()
    broken = service("a", "[") + service("b", "b.shop", ", awsname: x")
    store.replace("a.yaml", broken)
    before = [problem_json(store.locate(problem)) for problem in store.problems()]
    store.replace("a.yaml", "\n\n\n" + broken)
    after = [problem_json(store.locate(problem)) for problem in store.problems()]
    assert [p["code"] for p in before] == ["PM101", "PM206"]
    assert [p["line"] for p in before] == [5, 10]
    assert [{**p, "line": (p["line"] or 0) + 3} for p in before] == after


def test_an_object_that_breaks_keeps_its_last_good_version() -> None:
    store = Store()
    store.replace("a.yaml", service("a") + service("b"))
    store.replace("a.yaml", service("a", "'http://a'") + service("b", "new.shop"))
    assert (host(store, "a"), host(store, "b")) == ("a.shop", "new.shop")
    assert sorted(codes(store)) == ["PM110", "PM212"]
    store.replace("a.yaml", service("a", "'http://still'") + service("b", "new.shop"))
    assert host(store, "a") == "a.shop"
    store.replace("a.yaml", service("a", "mended.shop"))
    assert (host(store, "a"), host(store, "b")) == ("mended.shop", None)
    assert codes(store) == []


def test_an_object_that_was_never_good_is_not_there() -> None:
    store = Store()
    store.replace("a.yaml", service("a", "'http://a'"))
    assert host(store, "a") is None
    assert codes(store) == ["PM212"]


def test_what_vanished_from_a_source_with_a_syntax_error_stays() -> None:
    store = Store()
    store.replace("a.yaml", namespace("shop") + service("a") + service("b"))
    store.replace("a.yaml", namespace("shop") + service("a", "{") + service("b", "b.shop"))
    assert (host(store, "a"), host(store, "b")) == ("a.shop", "b.shop")
    assert codes(store) == ["PM110", "PM101"] or codes(store) == ["PM101", "PM110"]
    store.replace("a.yaml", "{")
    assert (host(store, "a"), host(store, "b")) == ("a.shop", "b.shop")
    assert store.resources().namespaces == {"shop": {"a": "b"}}
    store.replace("a.yaml", "")
    assert (host(store, "a"), host(store, "b")) == (None, None)


def test_a_removed_object_goes_although_a_named_one_is_broken() -> None:
    store = Store()
    store.replace("a.yaml", service("a") + service("b"))
    store.replace("a.yaml", service("a", "'http://a'"))
    assert (host(store, "a"), host(store, "b")) == ("a.shop", None)


def test_removing_a_broken_source_removes_what_was_kept() -> None:
    store = Store()
    store.replace("a.yaml", service("a"))
    store.replace("a.yaml", "{")
    store.replace("a.yaml", None)
    assert host(store, "a") is None
    assert codes(store) == []


def test_a_kept_object_gives_way_to_a_good_one_elsewhere() -> None:
    store = Store()
    store.replace("a.yaml", service("a"))
    store.replace("a.yaml", "{")
    store.replace("b.yaml", service("a", "moved.shop"))
    assert host(store, "a") == "moved.shop"


def test_the_first_of_two_with_one_key_wins_in_any_order() -> None:
    for order in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")):
        store = Store()
        for source in order:
            store.replace(source, service("x", f"{source[0]}.shop"))
        assert host(store, "x") == "a.shop"
        (problem,) = map(store.locate, store.problems())
        shown = problem_json(problem)
        assert (shown["code"], shown["file"], shown["line"]) == ("PM107", "b.yaml", 2)
        assert "a.yaml:2" in shown["message"]
        store.replace("a.yaml", None)
        assert host(store, "x") == "b.shop"
        assert store.problems() == ()


def test_a_problem_found_later_is_located_by_its_key() -> None:
    store = Store({"HOST": "a.shop"})
    store.replace("a.yaml", service("a", "${HOST}", ", awsname: x"))
    (found,) = store.problems()
    path = ("spec", "awsName")
    linked = Problem(found.code, "as a linker would say", key=key("a"), path=path)
    located = problem_json(store.locate(linked))
    assert (located["file"], located["line"], located["column"]) == ("a.yaml", 5, 8)
    nowhere = Problem(found.code, "about nothing", key=key("gone"))
    assert problem_json(store.locate(nowhere))["file"] is None


def test_problems_are_in_order_of_source_and_line() -> None:
    store = Store()
    store.replace("b.yaml", "{")
    store.replace("a.yaml", service("ok") + service("x", "'a b'") + "---\n[\n")
    places = [(p.origin.source, p.origin.line) for p in store.problems() if p.origin]
    assert places == [("a.yaml", 7), ("a.yaml", 12), ("b.yaml", 1)]
