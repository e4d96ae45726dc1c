"""Ways to fine-tune: each is a loss(replica, pretrained, features, logits, labels); finetune.py says what those are."""

from headstart.finetuning.strategies import finetune

STRATEGIES = {"finetune": finetune.loss}
