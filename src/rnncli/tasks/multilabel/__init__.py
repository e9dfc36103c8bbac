"""Many-to-one: any number of labels for a sequence."""
