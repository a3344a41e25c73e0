"""strawberry-graphql: its context holds Django's request, and its `info` the context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

from tests.apis.orders import APLACE, PLACE

FORMS: dict[str, Callable[[Any], object]] = {
    "info": lambda info: info,
    "info.context": lambda info: info.context,
    "info.context.request": lambda info: info.context.request,
}


@strawberry.type
class Query:
    @strawberry.field
    def shop(self) -> str:
        return "tea"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def place_order(self, info: strawberry.Info, form: str, way: str) -> bool:
        PLACE[way](FORMS[form](info))
        return True


@strawberry.type
class AsyncMutation:
    @strawberry.mutation
    async def place_order(self, info: strawberry.Info, form: str, way: str) -> bool:
        await APLACE[way](FORMS[form](info))
        return True


schema = strawberry.Schema(query=Query, mutation=Mutation)
async_schema = strawberry.Schema(query=Query, mutation=AsyncMutation)
