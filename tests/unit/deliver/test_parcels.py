from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from clarion.deliver.parcels import Item, Travel, group_id, parcels
from clarion.model.push import Delivery, Personal, PushMessage, Send, message_of

HELLO, BYE = PushMessage("Hello", "Body"), PushMessage("Bye", "Body")


def send(number: int, content: int = 0, trigger: str = "t", personal: Personal | None = None) -> Send:
    return Send(f"m{number}", "n", trigger, "push", 1, 1, f"token-{number}", content, personal)


def items(*sends: Send, left: int | None = None) -> list[Item]:
    delivery = Delivery("e", "i", 0, [HELLO, BYE], list(sends))
    return [Item(delivery, one, message_of(delivery, one)) for one in sends[: left or len(sends)]]


def travel(most: int = 100, *, shares_body: bool = True) -> Travel:
    return Travel(most, shares_body, lambda message: "alone" not in message.override)


def ids(cut: list[list[Item]]) -> list[list[str]]:
    return [[item.send.message_id for item in parcel] for parcel in cut]


def test_without_batching_each_goes_alone() -> None:
    assert ids(parcels(items(send(1), send(2)), None)) == [["m1"], ["m2"]]


def test_the_same_content_of_one_trigger_shares_a_request() -> None:
    cut = parcels(items(send(1), send(2, 1), send(3), send(4, 1), send(5, trigger="u")), travel())
    assert ids(cut) == [["m1", "m3"], ["m2", "m4"], ["m5"]]
    assert [item.send.grouped for parcel in cut for item in parcel] == [True, True, True, True, False]


def test_what_is_personal_is_not_the_same_unless_it_is() -> None:
    ada, eve = Personal("Hello Ada"), Personal("Hello Eve")
    cut = parcels(items(send(1, personal=ada), send(2, personal=eve), send(3, personal=ada)), travel())
    assert ids(cut) == [["m1", "m3"], ["m2"]]


def test_a_request_holds_no_more_than_it_may() -> None:
    cut = parcels(items(*(send(number) for number in range(5))), travel(2))
    assert ids(cut) == [["m0", "m1"], ["m2", "m3"], ["m4"]]


def test_what_is_left_of_a_delivery_travels_as_it_did() -> None:
    """A repetition must have the id of the first time, on the wire too."""
    (parcel,) = parcels(items(send(1), send(2), left=1), travel())
    assert ids([parcel]) == [["m1"]]
    assert parcel[0].send.grouped


def test_one_that_was_alone_stays_alone_beside_others_of_its_kind() -> None:
    one, other = items(send(1)), items(send(2))
    assert ids(parcels([*one, *other], travel())) == [["m1"], ["m2"]]


def test_bodies_of_their_own_travel_together_whatever_they_say() -> None:
    cut = parcels(items(send(1), send(2, 1), send(3, trigger="u")), travel(2, shares_body=False))
    assert ids(cut) == [["m1", "m2"], ["m3"]]
    assert not any(item.send.grouped for parcel in cut for item in parcel)


def test_overrides_may_want_a_request_of_their_own() -> None:
    delivery = Delivery("e", "i", 0, [PushMessage("Hi", "", override={"alone": 1})], [send(1), send(2)])
    own = [Item(delivery, one, message_of(delivery, one)) for one in delivery.sends]
    for shares_body in (True, False):
        assert ids(parcels(own, travel(shares_body=shares_body))) == [["m1"], ["m2"]]


def test_the_group_has_an_id_of_its_own_that_stays() -> None:
    assert group_id(send(1)) == group_id(send(2, 1))
    assert group_id(send(1)) != group_id(send(1, trigger="u"))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from("tuv")), max_size=40),
    st.integers(1, 7),
    st.booleans(),
)
def test_every_send_travels_once_with_its_like(
    given_sends: list[tuple[int, str]], most: int, shares_body: bool
) -> None:
    sends = [send(number, content, trigger) for number, (content, trigger) in enumerate(given_sends)]
    cut = parcels(items(*sends) if sends else [], travel(most, shares_body=shares_body))
    assert Counter(name for parcel in ids(cut) for name in parcel) == Counter(one.message_id for one in sends)
    assert all(0 < len(parcel) <= most for parcel in cut)
    if shares_body:
        kinds = [{(item.send.trigger_id, item.send.content) for item in parcel} for parcel in cut]
        assert all(len(kind) == 1 for kind in kinds)
