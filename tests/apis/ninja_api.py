"""django-ninja, with an operation of each colour."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import NinjaAPI, Schema

from tests.apis.orders import APLACE, PLACE

api = NinjaAPI()


class Placing(Schema):
    form: str
    way: str


@api.post("/orders")
def place(request: HttpRequest, placing: Placing) -> dict[str, str]:
    PLACE[placing.way](request)
    return {}


@api.post("/async-orders")
async def place_async(request: HttpRequest, placing: Placing) -> dict[str, str]:
    await APLACE[placing.way](request)
    return {}
