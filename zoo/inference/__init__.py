"""What trained generators are used for, in files: one verb a file."""
