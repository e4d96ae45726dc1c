"""Images and who trains on them: tars read and decoded into stores, crops cut, classes counted and split.

Nothing here knows a network, a similarity or a result.
"""
