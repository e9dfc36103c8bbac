"""An example worked by hand: every number of a small model, forward, backward and one step downhill."""

from rnncli.inspection.by_hand.example import by_hand
from rnncli.inspection.by_hand.lines import ByHand, Section, Step

__all__ = ["ByHand", "Section", "Step", "by_hand"]
