"""The tests compute as the program does: one thread a product, decided before anything imports NumPy."""

from rnncli import blas

blas.set_up()
