"""`manage.py import_phone_orders FILE`: the orders that were taken by telephone, a JSON object a line.

It writes orders and their lines, and forgets that django-vt has to hear of them: nobody sends `order_placed`. That is
what `find_unreported_orders` is for.
"""

import json
from argparse import FileType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from example_project.shop.models import Order, OrderLine, Product


class Command(BaseCommand):
    help = "Imports orders that were taken by telephone, and forgets to signal them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=FileType(encoding="utf-8"), help="A JSON object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        with options["file"] as lines, transaction.atomic():
            numbers = [import_order(json.loads(line)).number for line in lines if line.strip()]
        self.stdout.write(f"Imported: {', '.join(numbers)}.")


def import_order(given: dict[str, Any]) -> Order:
    products = {product.sku: product for product in Product.objects.filter(sku__in=given["items"])}
    order = Order.objects.create(
        name=given["name"],
        email=given["email"],
        address=given["address"],
        total=sum(products[sku].price * quantity for sku, quantity in given["items"].items()),
        confirmed_at=timezone.now(),
    )
    OrderLine.objects.bulk_create(order_line(order, products[sku], amount) for sku, amount in given["items"].items())
    return order


def order_line(order: Order, product: Product, quantity: int) -> OrderLine:
    return OrderLine(
        order=order, product=product, sku=product.sku, name=product.name, price=product.price, quantity=quantity
    )
