"""Reasons in the shop's words: why an event was not sent, and what to do about it.

The stored reasons are for the site's maintainers: an entry's page shows them under its technical details.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_vt.protocol import reasons
from django_vt.protocol.outcome import KIND_OF_STATUS, Kind


@dataclass(frozen=True)
class Reason:
    """A reason in words, without a full stop, and advice: a sentence, empty if there is nothing to do.

    `passes`: whether the cause passes by itself.
    """

    words: str
    advice: str = ""
    passes: bool = False


# The words of each reason, and the advice. They are translated when shown.
_ASK_THE_MAINTAINER = _("Whoever looks after the shop's site has to mend this.")
_REASONS: dict[str, tuple[Any, Any]] = {
    reasons.NOBODY: (
        _("Nobody knows whose it is: the visitor had no cookie of Vibetrace's, and no e-mail address was given"),
        _("It can be sent once the shop tells whose it is, as by an e-mail address in the order."),
    ),
    reasons.EXPIRED: (_("Too old to be of use when its turn came"), ""),
    reasons.FORGOTTEN: (_("Emptied, as the person asked for"), ""),
    reasons.SET_ASIDE: (_("Staff have said that it is not to be sent: nobody knew its account any more"), ""),
    reasons.BACKEND_FAILED: (
        _("The shop's own program failed while it sent"),
        _("Whoever looks after the shop's site finds more in the server's log."),
    ),
    reasons.KEPT_HERE: (
        _("It never left this machine: the shop is set up for tests or development"),
        _ASK_THE_MAINTAINER,
    ),
    reasons.UNKNOWN_HOST: (_("The address of Vibetrace was not found"), _ASK_THE_MAINTAINER),
    reasons.PLAIN_HTTP: (
        _("The shop is set up to send where anybody on the way could read along, and so it sends nothing"),
        _ASK_THE_MAINTAINER,
    ),
    reasons.TLS: (
        _("Vibetrace could not prove that it is Vibetrace: its certificate was not accepted"),
        _ASK_THE_MAINTAINER,
    ),
    reasons.TLS_VERSION: (_("The shop's server and Vibetrace's found no secure way to talk"), _ASK_THE_MAINTAINER),
}
_PASSING = {
    reasons.UNREACHABLE: _("Vibetrace could not be reached"),
    reasons.TIMED_OUT: _("Vibetrace did not answer in time"),
    reasons.BROKEN: _("The connection to Vibetrace broke off"),
}
_COMPARE_THE_ACCOUNT = _("Have the account in the shop's settings compared with the one at Vibetrace.")
_UNTIL_IT_WORKS = _("Wait until Vibetrace works again.")

# The words for an unusable value, by the name of the field.
_ITEM = re.compile(r"items\[([0-9]{1,9})\](?:\.(id|quantity))?", re.ASCII)
_FIELDS: dict[str, tuple[Any, Any]] = {
    "items": (_("The articles of the order could not be read"), _ASK_THE_MAINTAINER),
    "total": (_("The total of the order is no amount"), _("Correct the order's total.")),
    "order_id": (_("The number of the order cannot be used"), _ASK_THE_MAINTAINER),
    "email": (_("The e-mail address cannot be used"), _("Correct the customer's e-mail address.")),
    "ACCOUNT_ID": (_("Nobody could tell for which of the shop's accounts it is"), _("Choose the account.")),
    "payload": (_("It is too long to be sent"), _ASK_THE_MAINTAINER),
}
_ANY_FIELD = (
    _("Something in it cannot be sent"),
    _("Whoever looks after the shop's site finds under the technical details what it is."),
)
_ANY_ITEM = (_("Article %(number)d of the order could not be read"), _ASK_THE_MAINTAINER)
_ITEMS: dict[str, tuple[Any, Any]] = {
    "id": (_("Article %(number)d of the order has no number that can be used"), _("Fill in the article's SKU.")),
    "quantity": (
        _("The quantity of article %(number)d of the order is no number above 0"),
        _("Correct the quantity in the order."),
    ),
}

_DENIED = {401, 403}


def plainly(stored: str) -> Reason:
    """A stored reason in the shop's words; an unknown reason is returned unchanged."""
    code, detail = reasons.split(stored)
    if code == reasons.ANSWERED:
        return _answered(detail)
    if code == reasons.INVALID:
        return Reason(*_invalid(detail))
    if code in _PASSING:
        return Reason(str(_PASSING[code]), str(_UNTIL_IT_WORKS), passes=True)
    if code not in _REASONS:
        return Reason(stored)
    words, advice = map(str, _REASONS[code])
    # Show the detail, such as the name of an exception: reasons with different details are different.
    return Reason(gettext("%(reason)s (%(detail)s)") % {"reason": words, "detail": detail} if detail else words, advice)


def _invalid(field: str) -> tuple[str, str]:
    item = _ITEM.fullmatch(field)
    if item is None:
        words, advice = _FIELDS.get(field, _ANY_FIELD)
        return str(words), str(advice)
    words, advice = _ITEMS.get(item[2] or "", _ANY_ITEM)
    return str(words) % {"number": int(item[1]) + 1}, str(advice)


def _answered(detail: str) -> Reason:
    status = int(detail) if detail.isdecimal() else 0
    kind = KIND_OF_STATUS.get(status, Kind.RETRY)
    if kind is Kind.MISCONFIGURED and status in _DENIED:
        words, advice = gettext("Vibetrace did not let the shop's account in"), str(_COMPARE_THE_ACCOUNT)
    elif kind is Kind.MISCONFIGURED:
        words, advice = gettext("At the address in the shop's settings nothing takes events"), str(_ASK_THE_MAINTAINER)
    elif kind is Kind.REJECTED:
        words, advice = gettext("Vibetrace refused it"), gettext("Ask Vibetrace why it refuses this event.")
    else:
        words, advice = gettext("Vibetrace could not take it at the time"), str(_UNTIL_IT_WORKS)
    if status:
        words = gettext("%(reason)s (answer %(answer)d)") % {"reason": words, "answer": status}
    return Reason(words, advice, passes=kind is Kind.RETRY)
