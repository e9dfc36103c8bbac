"""What tasks share that give one answer for a whole input: a text, or a sequence of numbers."""
