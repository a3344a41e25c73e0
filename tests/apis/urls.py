from __future__ import annotations

from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from graphene_django.views import GraphQLView as GrapheneView
from strawberry.django.views import AsyncGraphQLView, GraphQLView

from tests.apis import graphene_api, strawberry_api
from tests.apis.ninja_api import api
from tests.apis.rest import Orders

urlpatterns = [
    path("rest/orders", Orders.as_view()),
    path("ninja/", api.urls),
    path("strawberry", csrf_exempt(GraphQLView.as_view(schema=strawberry_api.schema))),
    path("strawberry-async", csrf_exempt(AsyncGraphQLView.as_view(schema=strawberry_api.async_schema))),
    path("graphene", csrf_exempt(GrapheneView.as_view(schema=graphene_api.schema))),
]
