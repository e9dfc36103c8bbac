"""The compiled engine: kernels in C, and what loads and calls them. Without it, NumPy computes."""
