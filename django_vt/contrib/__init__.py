"""Integrations with other packages that a shop may use. Nothing here is imported unless the shop asks for it."""
