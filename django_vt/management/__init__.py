"""The commands that operate the send log, and what they share."""
