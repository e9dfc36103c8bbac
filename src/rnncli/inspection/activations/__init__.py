"""What single units are for, over a whole file."""
