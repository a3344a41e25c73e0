"""What the admin and the commands both do with the send log; a shop may call these functions, too.

In come ids, addresses and moments. Out go values: counts, states, and what could not be done. Nothing here prints, and
no error here belongs to a command or a page.
"""
