"""From a file to token ids: readers, columns, tokenizer, vocabulary, splits, batches."""
