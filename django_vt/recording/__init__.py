"""From the shop's code to one row of the send log, in the transaction that is open.

In come signals, `track`, and what adapters make. Out goes an entry, and a wake for the dispatcher after the commit. No
error of this package reaches the shopper, unless the order's transaction is lost with it.
"""
