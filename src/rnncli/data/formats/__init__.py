"""The file formats, one file each, and their registry."""
