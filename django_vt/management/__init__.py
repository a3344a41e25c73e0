"""The commands that operate the send log, and the code that they share."""
