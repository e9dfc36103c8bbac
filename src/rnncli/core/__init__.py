"""Recurrent networks in NumPy and nothing else: no files, no printing, no global random state."""
