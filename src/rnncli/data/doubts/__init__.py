"""What else a file may be: where two readings are likely, or the likely one is not supported, the file is refused
before anything is learned from it, with what was found and the commands that settle it.

A check is a function of a :class:`~rnncli.data.doubts.preview.Preview` that returns the refusal or None, and a row in
:mod:`~rnncli.data.doubts.checks`. Labels and the parts of a file show only when all of it was read.
"""
