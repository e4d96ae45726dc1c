"""What every job needs: files written whole, a log, a state to go on from, and where results come from.

This room imports no other.
"""
