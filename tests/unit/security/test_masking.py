from typing import Any

import pytest

from clarion.security.masking import CHANGED, MASK, depersonalised, masked_document


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ({"password": "x", "name": "Ada"}, {"password": MASK, "name": "Ada"}),
        ({"newPassword": "x", "secretKey": "y"}, {"newPassword": MASK, "secretKey": MASK}),
        ({"deviceTokens": ["a", "b"]}, {"deviceTokens": [MASK, MASK]}),
        ({"apiKeys": [{"key": "mine", "_userId": None}]}, {"apiKeys": [{"key": MASK, "_userId": None}]}),
        ([{"key": "cl_sk_abc"}, "whsec_abc", "-----BEGIN PRIVATE KEY"], [{"key": MASK}, MASK, MASK]),
        ({"key": "news", "token": ""}, {"key": "news", "token": ""}),
        ({"deep": [{"auth_token": 5, "ok": True}]}, {"deep": [{"auth_token": MASK, "ok": True}]}),
        (
            {"credentials": {"projectName": "p", "secure": True}},
            {"credentials": {"projectName": "p", "secure": True}},
        ),
    ],
)
def test_secrets_are_masked_by_name_and_by_form(document: Any, shown: Any) -> None:
    assert masked_document(document) == shown


def test_what_callers_send_is_masked_more_widely() -> None:
    sent = {"credentials": {"projectName": "p", "secure": True}, "headers": {"X-A": "b"}, "name": "n"}
    assert masked_document(sent, sent=True) == {
        "credentials": {"projectName": MASK, "secure": True},
        "headers": {"X-A": MASK},
        "name": "n",
    }


def test_of_a_person_stays_what_names_things_and_what_changed() -> None:
    before: Any = {
        "_id": "a1",
        "subscriberId": "ada",
        "firstName": "Ada",
        "email": "ada@clarion.test",
        "isOnline": False,
        "data": {"customerId": "c7", "plan": "gold"},
        "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": ["t1"]}}],
        "createdAt": "2026-01-01",
    }
    after = {
        **before,
        "email": "",
        "firstName": "Grace",
        "isOnline": True,
        "phone": None,
        "lastName": "Hopper",
    }
    after["data"] = {"customerId": "c8", "plan": "gold"}
    after["channels"] = [{"providerId": "apns", "credentials": {"deviceTokens": ["t1", "t2"]}}]
    kept = {"_id": "a1", "subscriberId": "ada", "createdAt": "2026-01-01"}
    assert depersonalised(before, None) == kept | {
        "firstName": MASK,
        "email": MASK,
        "isOnline": MASK,
        "data": {"customerId": MASK, "plan": MASK},
        "channels": [{"providerId": "fcm", "credentials": {"deviceTokens": [MASK]}}],
    }
    assert depersonalised(after, before) == kept | {
        "firstName": CHANGED,
        "email": "",
        "isOnline": CHANGED,
        "phone": None,
        "lastName": MASK,
        "data": {"customerId": CHANGED, "plan": MASK},
        "channels": [{"providerId": "apns", "credentials": {"deviceTokens": [MASK, MASK]}}],
    }


def test_a_secret_is_none_of_a_things_names() -> None:
    assert depersonalised({"id": "whsec_abc", "key": {"email": "a@b.c"}}, None) == {
        "id": MASK,
        "key": {"email": MASK},
    }
