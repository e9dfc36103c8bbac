"""What the commands take: options, files, texts and models, and how a function becomes a command."""
