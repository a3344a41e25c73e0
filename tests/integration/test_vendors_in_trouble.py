"""What the log tells of a vendor that misbehaves, and what becomes of the event, over real HTTP."""

from __future__ import annotations

import pytest

from django_vt.delivery import deliver_due
from django_vt.models import Endpoint
from django_vt.testing import FakeVendor, Hang
from tests.support.delivering import configure, one, pending
from tests.support.misbehaviour import DripBody, DripHead, HugeBody, redirect
from tests.support.tls import certificate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.ends]

PAUSES = "Sending to Vibetrace (account acc123, type wishlist) pauses until "


@pytest.fixture
def vendor(fake_vendor, settings):
    configure(settings, TIMEOUT=(0.2, 0.3))
    return fake_vendor


@pytest.mark.parametrize("misbehaviour", [Hang(), DripHead(interval=0.02)])
def test_of_a_vendor_that_does_not_answer_in_time_the_log_says_so(vendor, settings, caplog, misbehaviour):
    vendor.misbehave(misbehaviour)
    configure(settings, BATCH_SIZE=1)
    entries = pending(2)
    deliver_due()
    for entry in entries:
        entry.refresh_from_db()
        assert (entry.status, entry.reason) == ("pending", "timed out")
    assert PAUSES in caplog.text
    assert "No complete answer within the time limit" in caplog.text


@pytest.mark.parametrize("misbehaviour", [DripBody(interval=0.02), HugeBody()])
def test_of_a_vendor_that_accepts_with_a_body_without_end_the_log_says_nothing(vendor, caplog, misbehaviour):
    vendor.misbehave(misbehaviour)
    entry = one()
    deliver_due()
    entry.refresh_from_db()
    assert (entry.status, entry.response_status) == ("sent", 200)
    assert caplog.records == []


def test_of_a_vendor_that_redirects_to_another_host_the_log_says_that_the_configuration_seems_wrong(vendor, caplog):
    with FakeVendor() as elsewhere:
        vendor.misbehave(redirect(elsewhere.endpoint))
        entry = one()
        deliver_due()
        assert elsewhere.connections == 0
    entry.refresh_from_db()
    assert (entry.status, entry.reason) == ("pending", "answered: 302")
    [error] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "The configuration for Vibetrace seems wrong" in error
    assert "302 Found" in error


def test_of_a_vendor_whose_certificate_is_wrong_the_log_says_so_and_nothing_is_sent(settings, caplog, tmp_path):
    with FakeVendor(tls=certificate(tmp_path, "127.0.0.1").server) as stranger:
        configure(settings, BACKEND="django_vt.backends.http.HttpBackend", ENDPOINT=stranger.endpoint)
        entry = one()
        deliver_due()
        assert stranger.requests == []
    entry.refresh_from_db()
    assert (entry.status, entry.reason) == ("pending", "tls")
    assert PAUSES in caplog.text
    assert "The TLS certificate of ENDPOINT was not accepted" in caplog.text
    assert Endpoint.objects.get().consecutive_failures == 1
