"""An example worked by hand: every number of a small model, forward, backward and in one step of gradient descent.

A task writes the forward lines on a :class:`~rnncli.inspection.by_hand.tape.Sheet`, with the layers, attention and
answers of this package; backward lines, gradients and the step follow from them.
"""
