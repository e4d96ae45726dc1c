"""Ways to fine-tune, a file each; `finetune.py` is the paper's, and has everything that another may do differently.

A strategy sees one network, batches and replicas; which runs there are and how they are scored is not its business.
"""
