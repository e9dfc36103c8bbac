"""What the commands take: options, files, texts and models, and how a function becomes a command."""

# Whether a traceback is shown; set by --debug of whichever command runs.
debug_wanted = False
