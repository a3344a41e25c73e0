from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse


class Product(models.Model):
    sku = models.CharField("SKU", max_length=40, unique=True)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    origin = models.CharField(max_length=80)
    summary = models.CharField(max_length=120)
    description = models.TextField()
    brewing = models.CharField(max_length=120, help_text="How much, how hot, how long.")
    weight = models.CharField(max_length=20)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    picture = models.CharField(max_length=80, help_text="A file in static/shop/teas.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.slug])

    @property
    def picture_path(self) -> str:
        return f"shop/teas/{self.picture}"


class Order(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders")
    name = models.CharField(max_length=120)
    email = models.EmailField("e-mail")
    address = models.TextField()
    total = models.DecimalField(max_digits=10, decimal_places=2)
    placed_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, editable=False, help_text="Since when it counts: placed, and paid.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Order {self.number}"

    @property
    def number(self) -> str:
        """What the shopper knows the order by, and the vendor too."""
        return str(100_000 + self.pk)


class OrderLine(models.Model):
    """Keeps name and price as they were when the order was placed."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.SET_NULL, null=True)
    sku = models.CharField("SKU", max_length=40)
    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity
