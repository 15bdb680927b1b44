from typing import Any

import pytest

from clarion.security.masking import MASK, masked_document


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
