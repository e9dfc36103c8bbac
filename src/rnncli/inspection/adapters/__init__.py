"""What each task says of its models so that inspection can open them."""
