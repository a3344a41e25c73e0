"""Accounts. Signing in and up ends in Django's `user_logged_in`, and that is all django-vt needs."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe
from django.views.generic import CreateView

from example_project.shop.forms import SignInForm, SignUpForm
from example_project.shop.models import Order


class SignInView(LoginView):
    template_name = "shop/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True


class SignUpView(CreateView):
    template_name = "shop/sign_up.html"
    form_class = SignUpForm
    success_url = reverse_lazy("shop:home")

    def form_valid(self, form: ModelForm) -> HttpResponse:
        login(self.request, form.save())
        return redirect(self.success_url)


@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.filter(user=request.user.pk).prefetch_related("lines")
    return render(request, "shop/orders.html", {"orders": orders})
