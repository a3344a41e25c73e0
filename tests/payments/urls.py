from __future__ import annotations

from django.urls import include, path

from tests.payments.recipes import recipe

urlpatterns = [
    path("pay/stripe/", recipe("shop.stripe_checkout").pay),
    path("pay/", recipe("shop.payments").pay),
    path("stripe/", include("djstripe.urls", namespace="djstripe")),
    path("payments/", include("payments.urls")),
]
