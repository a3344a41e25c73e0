"""Recording: an event becomes one row of the send log, in the shop's open transaction.

Input: signals, calls of `track`, and adapters' events. Output: an entry, and a wake for the dispatcher after the
commit. No error of this package reaches the shopper, unless it has broken the order's transaction.
"""
