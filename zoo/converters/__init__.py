"""Networks that other programs trained: a module for each family, and one for each file format.

No reader runs anything that a file says. A file that is not exactly what its reader knows is
refused, with what is wrong about it.
"""
