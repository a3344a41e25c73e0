"""A send log of a million entries on PostgreSQL: every page and command, with the plan of each of its queries."""
