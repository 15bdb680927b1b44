"""Contexts as triggers name them."""

from clarion.model.context import NO_SCOPE, Reference, keys_in, references, resolved, scope_in, scope_of


def test_a_context_is_named_by_its_id_alone_or_with_data() -> None:
    named = references({"tenant": "acme", "app": {"id": "crm", "data": {"tier": 1}}, "region": {"id": "eu"}})
    assert named == [
        Reference("app", "crm", {"tier": 1}),
        Reference("region", "eu"),
        Reference("tenant", "acme"),
    ]


def test_what_an_older_version_let_through_is_no_context_and_stays_as_it_was() -> None:
    odd = {"a": 1, "b": None, "c": {"no": "id"}, "d": {"id": "x", "data": "text"}, "e": {"id": 5}}
    assert references(odd) == []
    assert scope_in(odd) == NO_SCOPE
    assert resolved(odd, {}) == odd


def test_a_scope_is_the_same_in_any_order() -> None:
    assert scope_in({"tenant": "acme", "app": "crm"}) == scope_of(
        ["tenant:acme", "app:crm", "tenant:acme", ""]
    )
    assert keys_in(scope_of(["tenant:acme", "app:crm"])) == ["app:crm", "tenant:acme"]
    assert keys_in(scope_of([])) == keys_in(None) == []


def test_the_data_of_a_call_goes_over_what_is_known_and_what_is_unknown_is_empty() -> None:
    context = {"tenant": "acme", "app": {"id": "crm", "data": {"tier": 2}}, "region": {"id": "eu"}}
    assert resolved(context, {"tenant:acme": {"name": "Acme"}, "app:crm": {"tier": 1}}) == {
        "tenant": {"id": "acme", "data": {"name": "Acme"}},
        "app": {"id": "crm", "data": {"tier": 2}},
        "region": {"id": "eu", "data": {}},
    }
