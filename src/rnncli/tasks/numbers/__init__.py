"""What tasks share whose predictions are numbers: a squared error, and errors in the units of the data."""
