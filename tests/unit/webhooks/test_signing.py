"""Signatures: against somebody else's implementation, and what receivers make of them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from docrefinery.services.webhooks import signing
from docrefinery.webhooks import InvalidSignature, verify

KEY = "whsec_" + base64.b64encode(bytes(range(24))).decode()
BODY = b'{"event":"job.updated","job_id":1}'
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")

secrets = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.binary(min_size=1).map(lambda key: "whsec_" + base64.b64encode(key).decode()),
    st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: "whsec_" + text),
)
events = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.none() | st.booleans())


def headers(
    body: bytes = BODY, secret: str | None = KEY, timestamp: int | None = None, delivery: UUID | None = None
) -> dict[str, str]:
    return signing.headers(
        body,
        event="job.updated",
        delivery=delivery or uuid4(),
        timestamp=int(time.time()) if timestamp is None else timestamp,
        secret=secret,
    )


def without(given: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in names}


def guide_only(secret: str = KEY) -> dict[str, str]:
    return without(headers(secret=secret), *STANDARD)


@given(st.binary(min_size=1), events)
def test_standard_webhooks_library_accepts_a_key_in_its_form(key: bytes, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    secret = "whsec_" + base64.b64encode(key).decode()
    assert Webhook(secret).verify(body, headers(body, secret)) == event


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: not text.startswith("whsec_")))
def test_standard_webhooks_library_accepts_any_other_text_as_its_bytes(secret: str) -> None:
    assert Webhook(secret.encode()).verify(BODY, headers(secret=secret)) == json.loads(BODY)


def test_standard_webhooks_library_notices_a_change() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(BODY + b" ", headers())


@pytest.mark.parametrize("secret", ["supersecret", KEY])
def test_header_of_the_guide_is_made_with_the_whole_secret(secret: str) -> None:
    expected = hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()
    assert headers(secret=secret)["X-DocRefinery-Signature"] == f"sha256={expected}"


def test_without_a_secret_only_the_signatures_are_missing() -> None:
    delivery = uuid4()
    assert headers(secret=None, timestamp=1700000000, delivery=delivery) == {
        "X-DocRefinery-Event": "job.updated",
        "X-DocRefinery-Delivery": str(delivery),
        "webhook-id": str(delivery),
        "webhook-timestamp": "1700000000",
    }


@given(secrets, events)
def test_what_is_signed_is_verified_under_both_schemes(secret: str, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    signed = headers(body, secret)
    assert verify(body, signed, secret) == event
    assert verify(body, {name.upper(): value for name, value in signed.items()}, secret) == event
    assert verify(body, without(signed, "X-DocRefinery-Signature"), secret) == event
    assert verify(body, without(signed, *STANDARD), secret) == event


@given(secrets, secrets, st.binary(min_size=1, max_size=3))
def test_other_secret_and_other_body_are_refused(secret: str, other: str, more: bytes) -> None:
    signed = headers(secret=secret)
    for given_headers in (signed, without(signed, *STANDARD)):
        with pytest.raises(InvalidSignature):
            verify(BODY + more, given_headers, secret)
        if other != secret:
            with pytest.raises(InvalidSignature):
                # Two spellings may stand for one key in Standard Webhooks alone.
                verify(BODY, without(given_headers, *STANDARD), other)


@given(st.text(), st.sampled_from([*STANDARD, "X-DocRefinery-Signature"]))
def test_headers_of_any_content_never_do_anything_but_refuse(text: str, name: str) -> None:
    signed = headers() if name in STANDARD else guide_only()
    if text.strip() != signed[name] and text != signed[name]:
        with pytest.raises(InvalidSignature):
            verify(BODY, signed | {name: text}, KEY)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp"])
def test_standard_signature_without_its_other_headers_is_refused(missing: str) -> None:
    with pytest.raises(InvalidSignature, match="missing"):
        verify(BODY, without(headers(), missing), KEY)


def test_unsigned_request_is_refused() -> None:
    with pytest.raises(InvalidSignature, match="no signature"):
        verify(BODY, headers(secret=None), KEY)


@pytest.mark.parametrize(("age", "fits"), [(-290, True), (290, True), (-310, False), (310, False)])
def test_time_of_sending_may_differ_by_five_minutes(age: int, fits: bool) -> None:
    signed = headers(timestamp=int(time.time()) - age)
    assert verify(BODY, signed, KEY, tolerance=None)
    if fits:
        assert verify(BODY, signed, KEY)
    else:
        with pytest.raises(InvalidSignature, match="300 s"):
            verify(BODY, signed, KEY)


def test_one_of_several_signatures_is_enough() -> None:
    signed = headers()
    several = f"v1,AAAA v2,{'B' * 44} {signed['webhook-signature']}"
    assert verify(BODY, signed | {"webhook-signature": several}, KEY)


@pytest.mark.parametrize("body", [b"", b"[]", b"nothing", b"\xff"])
def test_signed_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSignature, match="signature is right"):
        verify(body, headers(body), KEY)
