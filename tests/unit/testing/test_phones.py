from typing import Any

from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.phones import Phones
from clarion.testing.webhook import Delivery, WebhookReceiver


class Street:
    """Phones, and messages that arrive at them."""

    def __init__(self) -> None:
        self.fcm, self.webhook = FcmEmulator(), WebhookReceiver()
        self.phones = Phones(self.fcm, self.webhook)

    def push(self, title: str, token: str = "phone-1", **fields: Any) -> None:
        message = {"token": token, "notification": {"title": title, "body": "there"}, **fields}
        self.fcm.record.add(AcceptedMessage(token, message, 0, "name"))

    def post(self, title: str, message_id: str, *tokens: str) -> None:
        body = {"payload": {"__nvMessageId": message_id}}
        self.webhook.record.add(Delivery("d", tokens, title, "there", body, b"", "", "", 0))

    def titles(self, token: str = "phone-1") -> list[str]:
        return [entry.title for entry in self.phones.shown(token)]


def test_messages_that_share_nothing_are_all_shown() -> None:
    street = Street()
    street.push("one")
    street.push("one")
    assert (street.titles(), street.phones.repeats("phone-1")) == (["one", "one"], 0)


def test_the_same_message_id_is_shown_once() -> None:
    street = Street()
    street.push("one", data={"__nvMessageId": "m1"})
    street.push("two", data={"__nvMessageId": "m2"})
    street.push("one", data={"__nvMessageId": "m1"})
    assert (street.titles(), street.phones.repeats("phone-1")) == (["one", "two"], 1)


def test_the_same_collapse_key_shows_the_later_message_in_either_casing() -> None:
    street = Street()
    street.push("one", android={"collapse_key": "k"})
    street.push("two", android={"collapseKey": "k"})
    assert street.titles() == ["two"]


def test_the_same_collapse_key_on_two_devices_is_no_repeat() -> None:
    street = Street()
    street.push("one", "phone-1", apns={"headers": {"apns-collapse-id": "k"}})
    street.push("one", "phone-2", apns={"headers": {"apns-collapse-id": "k"}})
    assert (street.titles("phone-1"), street.titles("phone-2")) == (["one"], ["one"])
    assert street.phones.tokens == ["phone-1", "phone-2"]


def test_a_data_message_is_shown_by_its_data() -> None:
    street = Street()
    data = {"title": "Hi", "body": "there", "__nvMessageId": "m1"}
    street.fcm.record.add(AcceptedMessage("phone-1", {"token": "phone-1", "data": data}, 7, "name"))
    shown = street.phones.shown("phone-1")[0]
    assert (shown.title, shown.body, shown.message_id, shown.at) == ("Hi", "there", "m1", 7)


def test_a_webhook_reaches_every_target_once() -> None:
    street = Street()
    street.post("one", "m1", "phone-1", "phone-2")
    street.post("one", "m1", "phone-1")
    assert (street.titles("phone-1"), street.titles("phone-2")) == (["one"], ["one"])
    assert street.phones.repeats("phone-1") == 1


def test_a_reset_empties_the_phones() -> None:
    street = Street()
    street.push("one")
    assert street.titles() == ["one"]
    street.fcm.reset()
    street.push("two")
    assert street.titles() == ["two"]


def test_a_phone_nothing_was_sent_to_shows_nothing() -> None:
    assert (Street().phones.shown("phone-1"), Street().phones.repeats("phone-1")) == ([], 0)
