"""Which sends travel together. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from clarion.model.ids import derived_id
from clarion.model.push import Delivery, PushMessage, Send, message_of


class Item(NamedTuple):
    """A send of a delivery, and what it says."""

    delivery: Delivery
    send: Send
    message: PushMessage


class Travel(NamedTuple):
    """How an integration takes several messages at once. `shares_body`: only what is the same for all."""

    most: int
    shares_body: bool
    batchable: Callable[[PushMessage], bool]


Parcel = list[Item]


def parcels(items: Sequence[Item], travel: Travel | None) -> list[Parcel]:
    """The sends of one integration as requests, in order.

    What shares a body is told apart by trigger and step, since a repetition has to travel under the same
    id. What stood alone in its delivery goes alone, so that it carries its own id; what once travelled in
    a shared body does so again.
    """
    if travel is None:
        return [[item] for item in items]
    if not travel.shares_body:
        return _cut_by_nothing(items, travel)
    return _cut_by_content(items, travel)


def group_id(send: Send) -> str:
    """The id that all travel under who are told the same by one step of one trigger."""
    return derived_id(send.trigger_id, send.step_id, "group")


def _cut_by_nothing(items: Iterable[Item], travel: Travel) -> list[Parcel]:
    alone: list[Parcel] = []
    together: list[Parcel] = [[]]
    for item in items:
        if not travel.batchable(item.message):
            alone.append([item])
            continue
        if len(together[-1]) >= travel.most:
            together.append([])
        together[-1].append(item)
    return [parcel for parcel in together if parcel] + alone


def _cut_by_content(items: Sequence[Item], travel: Travel) -> list[Parcel]:
    cut: list[Parcel] = []
    open_parcels: dict[tuple[str, str, bytes], Parcel] = {}
    said = _Said()
    grouped = _grouped(items, said)
    for item in items:
        key = (item.send.trigger_id, item.send.step_id, said.of(item))
        shared = item.send.grouped or (id(item.delivery), *key) in grouped
        if not shared or not travel.batchable(item.message):
            cut.append([item])
            continue
        parcel = open_parcels.get(key)
        if parcel is None or len(parcel) >= travel.most:
            parcel = open_parcels[key] = []
            cut.append(parcel)
        parcel.append(item._replace(send=msgspec.structs.replace(item.send, grouped=True)))
    return cut


def _grouped(items: Sequence[Item], said: "_Said") -> set[tuple[int, str, str, bytes]]:
    """What several sends of a delivery say, whether those sends are still to be made or not: a delivery that
    comes again is cut like the first time."""
    seen: set[tuple[int, str, str, bytes]] = set()
    several: set[tuple[int, str, str, bytes]] = set()
    for delivery in {id(item.delivery): item.delivery for item in items}.values():
        for send in delivery.sends:
            item = Item(delivery, send, message_of(delivery, send))
            key = (id(delivery), send.trigger_id, send.step_id, said.of(item))
            (several if key in seen else seen).add(key)
    return several


class _Said:
    """What a message says as bytes that can be compared; contents that many share are encoded once."""

    def __init__(self) -> None:
        self._contents: dict[int, bytes] = {}

    def of(self, item: Item) -> bytes:
        """The content, and what is the recipient's own."""
        content = item.delivery.contents[item.send.content]
        shared = self._contents.get(id(content))
        if shared is None:
            shared = self._contents[id(content)] = msgspec.msgpack.encode(content)
        own = item.send.personal
        return shared if own is None else shared + msgspec.msgpack.encode(own)
