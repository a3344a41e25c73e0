"""Django REST framework: its request wraps Django's."""

from __future__ import annotations

from collections.abc import Callable

from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.apis.orders import PLACE

FORMS: dict[str, Callable[[Request], object]] = {
    "request": lambda request: request,
    "request._request": lambda request: request._request,
}


class Orders(APIView):
    authentication_classes = [SessionAuthentication, TokenAuthentication]
    permission_classes = []

    def post(self, request: Request) -> Response:
        PLACE[request.data["way"]](FORMS[request.data["form"]](request))
        return Response(status=201)
