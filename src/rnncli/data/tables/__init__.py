"""What the columns of a table hold: by their names, and by a sample of their values."""
