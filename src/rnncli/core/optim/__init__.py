"""Parameters, optimizers and schedules."""
