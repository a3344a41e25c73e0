"""A page that plays the vendor's pixel.

In a real shop the vendor's script sets `_vt_user` in the browser. Here a button does, so that what follows from it
can be tried without the vendor: with the cookie an order goes out under the pixel's ids, without it under the e-mail
address.
"""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

COOKIE = "_vt_user"
ONE_YEAR = 365 * 24 * 3600


@require_safe
def visitor(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/visitor.html", {"cookie": request.COOKIES.get(COOKIE)})


@require_POST
def set_pixel(request: HttpRequest) -> HttpResponse:
    response = redirect("shop:visitor")
    # As the vendor's own: readable by the page's scripts.
    response.set_cookie(COOKIE, new_pixel_value(), max_age=ONE_YEAR, samesite="Lax", httponly=False)
    return response


@require_POST
def remove_pixel(request: HttpRequest) -> HttpResponse:
    response = redirect("shop:visitor")
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


def new_pixel_value() -> str:
    """Of the vendor's form, with fresh ids: `8139618027113397_253412802711339765_false_false`."""
    user_id = 10**15 + secrets.randbelow(9 * 10**15)
    session_id = 10**17 + secrets.randbelow(9 * 10**17)
    return f"{user_id}_{session_id}_false_false"
