"""The recurrent cells, one file each, and what they share."""
