"""Many-to-one: a number for a sequence."""
