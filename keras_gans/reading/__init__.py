"""Files that may come from anyone: what they claim is looked at before anything is read.

A file of weights or settings is data that somebody else wrote. It may name other files, claim
shapes of terabytes, unpack to a thousand times its size, or not be a file at all. Each module here
reads one format, and knows the kind and size of every part before it takes it into memory.
"""
