from django.contrib import admin

from django_vt.admin import OrderEntries
from example_project.shop.models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "sku", "origin", "weight", "price"]
    search_fields = ["name", "sku"]
    prepopulated_fields = {"slug": ["name"]}


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 0


@admin.register(Order)
class OrderAdmin(OrderEntries, admin.ModelAdmin):
    list_display = ["number", "placed_at", "name", "total"]
    readonly_fields = ["number", "placed_at"]
    raw_id_fields = ["user"]
    inlines = [OrderLineInline]
