from django.http import HttpRequest

from example_project.shop.basket import Basket


def basket(request: HttpRequest) -> dict[str, int]:
    """The number beside the basket, on every page."""
    return {"basket_size": len(Basket(request.session))}
