"""What the visitor means to buy, kept in the session as quantities by SKU."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase

from example_project.shop.models import Product

MOST = 99
"""The most of one product in a basket."""


@dataclass(frozen=True)
class BasketLine:
    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


class Basket:
    KEY = "basket"

    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._quantities: dict[str, int] = dict(session.get(self.KEY, {}))

    def add(self, product: Product, quantity: int = 1) -> None:
        self.set(product, self._quantities.get(product.sku, 0) + quantity)

    def set(self, product: Product, quantity: int) -> None:
        """As many as this of the product, 99 at most; none takes it out."""
        if quantity > 0:
            self._quantities[product.sku] = min(quantity, MOST)
        else:
            self._quantities.pop(product.sku, None)
        self._session[self.KEY] = self._quantities

    def clear(self) -> None:
        self._quantities = {}
        self._session.pop(self.KEY, None)

    def __contains__(self, product: Product) -> bool:
        return product.sku in self._quantities

    def __len__(self) -> int:
        """The number of articles: of three of one tea and one of another, four. Asks no database."""
        return sum(self._quantities.values())

    def __iter__(self) -> Iterator[BasketLine]:
        """The lines, in the order in which they were put in; what has gone from the shop is left out."""
        products = {product.sku: product for product in Product.objects.filter(sku__in=self._quantities)}
        for sku, quantity in self._quantities.items():
            if sku in products:
                yield BasketLine(products[sku], quantity)
