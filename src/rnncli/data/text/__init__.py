"""Tokens, vocabularies, word features and word vectors."""
