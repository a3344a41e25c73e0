from django.contrib.auth.views import LogoutView
from django.urls import path

from example_project.shop import accounts, payment, views, visitor

app_name = "shop"

urlpatterns = [
    path("", views.home, name="home"),
    path("teas/<slug:slug>/", views.product, name="product"),
    path("basket/", views.basket, name="basket"),
    path("basket/<slug:slug>/add/", views.add_to_basket, name="add-to-basket"),
    path("basket/<slug:slug>/buy-now/", views.buy_now, name="buy-now"),
    path("basket/<slug:slug>/quantity/", views.set_quantity, name="set-quantity"),
    path("checkout/", views.checkout, name="checkout"),
    path("payment/callback/", payment.callback, name="payment-callback"),
    path("payment/<str:payment>/", payment.payment, name="payment"),
    path("thank-you/", views.thank_you, name="thank-you"),
    path("sign-in/", accounts.SignInView.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sign-up/", accounts.SignUpView.as_view(), name="sign-up"),
    path("orders/", accounts.orders, name="orders"),
    path("visitor/", visitor.visitor, name="visitor"),
    path("visitor/pixel/set/", visitor.set_pixel, name="set-pixel"),
    path("visitor/pixel/remove/", visitor.remove_pixel, name="remove-pixel"),
]
