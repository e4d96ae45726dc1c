"""What stands around the rules: config, layout of results, code versions, the plan, and the words at the end of a run.

Nothing here is imported by the library; only `plan` may draw in torch.
"""
