"""What stands in a street: primitives, houses, furniture, traffic."""
