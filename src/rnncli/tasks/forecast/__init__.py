"""Windows of a series in, the values that follow it out."""
