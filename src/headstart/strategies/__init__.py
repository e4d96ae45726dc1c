"""Ways to fine-tune: each is a loss(replica, pretrained, features, logits, labels); finetune.py says what those are."""

from headstart.strategies import finetune

STRATEGIES = {"finetune": finetune.loss}
