from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from example_project.shop.basket import MOST
from example_project.shop.models import Order


class SignUpForm(BaseUserCreationForm):
    """An account by e-mail address: the address, in lower case, is the user name too."""

    class Meta:
        model = User
        fields = ["email"]

    email = forms.EmailField(label="E-mail", max_length=150, widget=forms.EmailInput({"autocomplete": "email"}))

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(username=email).exists():
            raise ValidationError("There is an account with this address already. Please sign in.")
        self.instance.username = email
        return email


class SignInForm(AuthenticationForm):
    username = forms.EmailField(label="E-mail", widget=forms.EmailInput({"autocomplete": "email"}))

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


INVOICE, CARD = "invoice", "card"


class CheckoutForm(forms.ModelForm):
    payment = forms.ChoiceField(
        choices=[(INVOICE, "By invoice, with the parcel"), (CARD, "By card, now")],
        initial=INVOICE,
        required=False,
        help_text="By card, you leave for the provider's page.",
    )

    class Meta:
        model = Order
        fields = ["name", "email", "address"]
        labels = {"name": "Your name", "email": "E-mail", "address": "Delivery address"}
        help_texts = {"email": "For your receipt."}
        widgets = {
            "name": forms.TextInput({"autocomplete": "name"}),
            "email": forms.EmailInput({"autocomplete": "email"}),
            "address": forms.Textarea({"autocomplete": "street-address", "rows": 3}),
        }


class QuantityForm(forms.Form):
    """How many of one product; none takes it out of the basket."""

    quantity = forms.IntegerField(min_value=0, max_value=MOST)
