"""A replica's tail can be held and let go, and nothing of it moves in between."""

import torch
from toys import fresh_network, head, same

from headstart.finetuning.replicas import Replica


def learn(replica, optimiser):
    outputs = torch.rand((4, 6, 16, 16), generator=torch.Generator().manual_seed(0))
    optimiser.zero_grad()
    replica(outputs)[1].square().sum().backward()
    optimiser.step()


def values(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_a_tail_that_has_learnt_stays_where_it_is_held_and_learns_when_let_go():
    replica = Replica(fresh_network().tail, *head(0))
    optimiser = torch.optim.Adam(replica.parameters())
    learn(replica, optimiser)
    before, rows = values(replica.tail), values(replica.head)
    replica.hold_tail(True)
    optimiser.step()  # with the last gradients, if they were still there
    for _ in range(2):  # the optimiser remembers how the tail moved
        replica.eval()
        replica.train()
        learn(replica, optimiser)
    assert same(values(replica.tail), before) and not same(values(replica.head), rows)
    replica.hold_tail(False)
    learn(replica, optimiser)
    assert all((value != before[name]).any() for name, value in values(replica.tail).items())


def test_batch_norm_in_eval_mode_is_so_whether_held_or_not():
    replica = Replica(fresh_network().tail, *head(0), batch_norm="eval")
    layers = [module for module in replica.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for held in (True, False):
        replica.hold_tail(held)
        replica.train()
        assert replica.training and not any(layer.training for layer in layers)


def test_a_replica_shares_nothing_with_the_network_or_its_head():
    network, (weight, bias) = fresh_network(), head(0)
    replica = Replica(network.tail, weight, bias)
    with torch.no_grad():
        for value in replica.parameters():
            value.zero_()
    assert same(values(network.tail), values(fresh_network().tail))
    assert weight.all() and bias.all()
