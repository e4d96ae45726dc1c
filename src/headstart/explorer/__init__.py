"""The interactive page: facts are gathered from results, charts specified, and all of it put into one file.

It shows what `report` has worked out; nothing is computed here that a table does not have.
"""
