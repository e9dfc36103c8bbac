"""One-to-many: a text for a vector of numbers."""
