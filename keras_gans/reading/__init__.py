"""Safe readers of files from untrusted sources.

A file of weights or settings was written by somebody else. It may refer to other files, claim
shapes of terabytes, decompress to a thousand times its size, or be no regular file. Each module
reads one format, and checks the kind and size of every part before it loads it into memory.
"""
