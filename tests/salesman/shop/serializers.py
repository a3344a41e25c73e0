from __future__ import annotations

from rest_framework import serializers

from tests.salesman.shop.models import Tea


class TeaSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tea
        fields = ("name", "code")
