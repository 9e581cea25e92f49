"""The lab: small worlds in which the rules of ``trust`` play, on the very code that a node runs.

Pure but for numpy's generators, which are handed in: the same seed gives the same figures on every machine.
"""
