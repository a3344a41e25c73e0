"""Whatever stands in a URL of the admin: a page, a redirect or a refusal, and never an error of the server's."""

from __future__ import annotations

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_vt.admin import filters
from django_vt.models import SendLogEntry

pytestmark = pytest.mark.ends

LIST = reverse("admin:django_vt_sendlogentry_changelist")
NAMES = sorted(
    {*filters.PARAMETERS, "q", "o", "p", "e", "all", "_facets", "_popup", "_to_field", "id", "pk", "identity"}
)
LIKELY = [
    "",
    "0",
    "-1",
    "1",
    "999999999999999999",
    "reference:",
    "address:x",
    "identity:1",
    "24h",
    "sent",
    "\0",
    "\ud800",
]
VALUES = st.sampled_from(LIKELY) | st.text(max_size=40)


@pytest.mark.parametrize("value", LIKELY)
def test_no_value_of_a_parameter_breaks_the_list(viewer, record, value):
    record("100023")
    for name in NAMES:
        assert viewer.get(LIST, {name: value.encode("utf-8", "surrogatepass")}).status_code < 500, name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5), number=VALUES)
def test_no_mixture_of_them_breaks_a_page(viewer, asked, number):
    query = {name: value.encode("utf-8", "surrogatepass") for name, value in asked.items()}
    assert viewer.get(LIST, query).status_code < 500
    entry = SendLogEntry.objects.first()
    for page in ("change", "history"):
        if entry is not None:
            assert viewer.get(reverse(f"admin:django_vt_sendlogentry_{page}", args=[entry.pk]), query).status_code < 500


@pytest.mark.parametrize("same", ["", None])
def test_asking_for_what_has_nothing_in_common_with_nothing_lists_all(viewer, record, same):
    record("100023")
    response = viewer.get(LIST, {} if same is None else {"same": same})
    assert response.status_code == 200
    assert b"100023" in response.content


def test_no_browser_and_no_cache_keeps_the_page_of_an_entry(viewer, record):
    entry = record("100023")
    response = viewer.get(reverse("admin:django_vt_sendlogentry_change", args=[entry.pk]))
    assert {"private", "no-store"} <= set(response.headers["Cache-Control"].split(", "))
