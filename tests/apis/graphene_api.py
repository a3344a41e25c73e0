"""graphene with graphene-django: its context is Django's request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene

from tests.apis.orders import PLACE

FORMS: dict[str, Callable[[Any], object]] = {
    "info": lambda info: info,
    "info.context": lambda info: info.context,
}


class Query(graphene.ObjectType):
    shop = graphene.String()


class PlaceOrder(graphene.Mutation):
    class Arguments:
        form = graphene.String(required=True)
        way = graphene.String(required=True)

    done = graphene.Boolean()

    @staticmethod
    def mutate(root: object, info: Any, form: str, way: str) -> PlaceOrder:
        PLACE[way](FORMS[form](info))
        return PlaceOrder(done=True)


class Mutation(graphene.ObjectType):
    place_order = PlaceOrder.Field()


schema = graphene.Schema(query=Query, mutation=Mutation)
