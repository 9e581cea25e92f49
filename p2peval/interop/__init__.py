"""What the world outside speaks: records and benchmarks in formats that others have defined. Pure functions."""
