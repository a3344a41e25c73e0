"""Every page of the send log's admin, and how staff come to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone
from selenium.webdriver.common.by import By

from django_vt.models import Endpoint, SendLogEntry
from tests.browser import sample_log
from tests.browser.sample_log import REJECTED
from tests.browser.staff import Staff
from tests.unit.admin.conftest import FORGET, PEOPLE, RESEND, VIEW

EVERYTHING = (VIEW, RESEND, PEOPLE, FORGET)
Entries = dict[str, SendLogEntry]


def first_order() -> Entries:
    return {"sent": sample_log.first_order(timezone.now())}


def a_month() -> Entries:
    return sample_log.fill(timezone.now())


def some_hours() -> Entries:
    return sample_log.fill(timezone.now(), days=0)


@dataclass(frozen=True)
class Page:
    """`go` leads there; `may` is what the member of staff may; `log` fills the send log before."""

    name: str
    go: Callable[[Staff, Entries], None]
    may: tuple[str, ...] = EVERYTHING
    log: Callable[[], Entries] = some_hours

    def show(self, log_in: Callable[..., Staff]) -> Staff:
        """Brings somebody to the page."""
        entries = self.log()
        staff = log_in(*self.may)
        self.go(staff, entries)
        return staff


def outage() -> Entries:
    entries = some_hours()
    sample_log.break_the_vendor(timezone.now())
    return entries


def held() -> Entries:
    entries = some_hours()
    Endpoint.objects.hold()
    return entries


def see_list(staff: Staff, _entries: Entries, query: str = "") -> None:
    staff.open("changelist", query=query)


def see_entry(status: str) -> Callable[[Staff, Entries], None]:
    return lambda staff, entries: staff.open("change", entries[status].pk)


def see_old_failure(staff: Staff, _entries: Entries) -> None:
    staff.open("change", SendLogEntry.objects.filter(status="failed", attempts=8).latest("created_at").pk)


def unmask(staff: Staff, entries: Entries) -> None:
    see_entry("sent")(staff, entries)
    staff.unfold("Show it unmasked")


def see_history(staff: Staff, entries: Entries) -> None:
    staff.open("change", entries["failed"].pk)
    staff.press("Send again")
    staff.press("Yes, send again")
    staff.follow("History")


def from_list(*steps: Callable[[Staff], None]) -> Callable[[Staff, Entries], None]:
    def go(staff: Staff, _entries: Entries) -> None:
        staff.open("changelist")
        for step in steps:
            step(staff)

    return go


def resend_entry(staff: Staff, entries: Entries) -> None:
    staff.open("change", entries["failed"].pk)
    staff.press("Send again")


def resend_reason(staff: Staff) -> None:
    staff.press(f"Send all again that failed for this reason: {REASON}")


def see_person(staff: Staff, _entries: Entries) -> None:
    staff.open("person")


def see_held(staff: Staff, entries: Entries) -> None:
    see_person(staff, entries)
    staff.browser.find_element(By.ID, "vt-text").send_keys("ada@example.com")
    staff.press("Look what is held")


def resend_chosen(staff: Staff) -> None:
    staff.act_on_entries(12)


REASON = "Vibetrace refused it (answer 400)"
DAYS = "?since=2020-01-01&until=2030-12-31&answer=4xx"
FAILURES = f"?recorded=7d&status=failed&reason={REJECTED}"

PAGES = {
    page.name: page
    for page in (
        Page("list", see_list, log=a_month),
        Page("list-unfolded", from_list(lambda staff: staff.unfold("Figures, and holding")), log=a_month),
        Page("list-first-order", see_list, log=first_order),
        Page("list-empty", see_list, log=dict),
        Page("list-outage", see_list, log=outage),
        Page("list-held", see_list, log=held),
        Page("list-filtered", lambda staff, _entries: see_list(staff, {}, FAILURES), log=a_month),
        Page("list-of-days", lambda staff, _entries: see_list(staff, {}, DAYS), log=a_month),
        Page("list-for-who-may-only-look", see_list, may=(VIEW,)),
        Page("list-figures", from_list(lambda staff: staff.unfold("The figures as a table"))),
        Page("search-found", from_list(lambda staff: staff.look_up("ada@example.com"))),
        Page("search-nothing", from_list(lambda staff: staff.look_up("nobody@example.com"))),
        Page("entry-pending", see_entry("pending"), log=outage),
        Page("entry-sent", see_entry("sent")),
        Page("entry-sent-unmasked", unmask),
        Page("entry-sent-masked", see_entry("sent"), may=(VIEW,)),
        Page("entry-failed", see_entry("failed")),
        Page("entry-failed-for-good", see_old_failure, log=a_month),
        Page("entry-skipped", see_entry("skipped")),
        Page("entry-history", see_history),
        Page("resend-entry", resend_entry),
        Page("resend-reason", from_list(resend_reason)),
        Page("resend-chosen", from_list(resend_chosen)),
        Page("resend-done", from_list(resend_reason, lambda staff: staff.press("Yes, send again"))),
        Page("person", see_person),
        Page("person-found", see_held),
        Page("hold", from_list(lambda staff: staff.press("Hold sending"))),
        Page("release", from_list(lambda staff: staff.press("Release sending")), log=held),
    )
}
