"""What a file may be beside what it would be taken for: where two readings are likely, or the likely one is not
supported, it is refused before anything is learned from it, with what was seen and what settles it.

A check is a function of a :class:`Look` that returns the refusal or None, and a row in a table of checks: those of a
text file, of a table before its columns are chosen, and of one whose columns were. Labels and the parts of a file show
only when all of it was read. What the user has said is not doubted: a column that is named is what it was named as,
unless it cannot be.
"""
