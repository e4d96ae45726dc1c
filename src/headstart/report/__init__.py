"""What is read off finished runs: statistics, tables, figures, the paper's values beside ours.

Nothing here trains or measures; it sees tables of numbers, and never torch.
"""
