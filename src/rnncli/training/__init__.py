"""The training loop as a stream of events, its state, and what it is compared with."""
