"""All views of one input, for a page."""
