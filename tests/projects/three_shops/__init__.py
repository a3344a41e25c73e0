"""A group of shops in one project: three hosts, three accounts of the vendor's, and one send log."""
