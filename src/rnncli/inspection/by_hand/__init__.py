"""An example worked by hand: every number of a small model, forward, backward and one step downhill.

Whoever has an example writes its forward lines on a :class:`~rnncli.inspection.by_hand.tape.Sheet`, with the layers,
attention and answers of this package; the backward lines, the gradients and the step come from them.
"""
