"""Adapters to what a shop may have beside Django. Nothing here is imported unless the shop asks for it."""
