"""Files from elsewhere: what may be fetched, how it comes over the line, and whether it is the right thing.

Nothing here knows what a file is for.
"""
