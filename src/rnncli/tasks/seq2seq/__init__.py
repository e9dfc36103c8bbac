"""Many-to-many: a sequence for a sequence."""
