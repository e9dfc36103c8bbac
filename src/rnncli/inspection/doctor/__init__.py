"""What can be wrong with a model and its data."""
