"""Training from several heads at once: batches, replicas, the loop, and the strategies that say what a step is.

Heads come in as arrays, F-scores and weights go out; nothing here knows how a head was made or what a table shows.
"""
