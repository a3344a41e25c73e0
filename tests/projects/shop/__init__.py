"""The tests' shop: an order and the pages that place one."""
