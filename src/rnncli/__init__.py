"""Train, use and open up small recurrent networks."""

__version__ = "0.1.0"
