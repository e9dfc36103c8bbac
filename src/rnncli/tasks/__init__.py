"""What a sequence problem is: its examples, model, loss, metrics and predictions."""
