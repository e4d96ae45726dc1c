"""Pretrained networks: read their weights, cut them, pass images through frozen blocks, train the demo's own.

Nothing here knows the target task.
"""
