"""Result values as tables, JSON and pictures, and the one gate that cleans untrusted text."""
