"""The real engine on a real database, with a model of the vendor, in virtual time: a week passes in seconds."""
