"""Dense collective: all of a ring lie, and each says of the others that they never did."""
