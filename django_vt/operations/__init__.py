"""Operations on the send log, shared by the admin and the commands; a shop may call these functions, too.

Input: ids, addresses and moments. Output: values such as counts, states, and what could not be done. Nothing here
prints, and no error here is a command's or a page's.
"""
