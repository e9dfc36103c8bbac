"""The layers around the cells."""
