"""Numbers that open a model up, without drawing them."""
