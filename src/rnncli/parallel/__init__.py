"""Work shared among forked processes: one way to start and end them, and two to use them.

:mod:`~rnncli.parallel.processes` forks them, :class:`~rnncli.parallel.group.ProcessGroup` lets them compute in step on
shared arrays, and :func:`~rnncli.parallel.spread.in_order` spreads items among them.
"""
