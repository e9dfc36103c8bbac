"""The tests compute as the program does: one thread a product, decided before anything imports NumPy.

Hypothesis tries the same examples in every run, and as long as they take: a busy machine, or luck, fails no test.
"""

from hypothesis import HealthCheck, settings

from rnncli import blas

blas.set_up()

settings.register_profile("rnncli", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rnncli")
