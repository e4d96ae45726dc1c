import threading

import pytest

from headstart.machine.prefetch import one_ahead, one_behind


@pytest.mark.parametrize("second_thread", [True, False])
def test_items_come_in_order_and_an_error_where_its_item_would(second_thread):
    assert list(one_ahead(lambda key: key * 2, range(5), second_thread)) == [0, 2, 4, 6, 8]
    assert list(one_ahead(str, [], second_thread)) == []
    found = []
    with pytest.raises(ZeroDivisionError):
        for item in one_ahead(lambda key: 6 // key, [3, 2, 0, 1], second_thread):
            found.append(item)
    assert found == [2, 3]


def test_one_item_is_made_while_another_is_in_use_and_no_more():
    made, second = [], threading.Event()

    def make(key):
        made.append((key, threading.current_thread()))
        if len(made) == 2:
            second.set()
        return key

    items = one_ahead(make, range(4))
    assert next(items) == 0 and second.wait(60)
    items.close()  # waits for the thread
    assert [key for key, _ in made] == [0, 1]
    assert len({thread for _, thread in made}) == 1 and made[0][1] is not threading.current_thread()


@pytest.mark.parametrize("second_thread", [True, False])
def test_items_are_used_in_order_and_an_error_of_their_use_is_raised(second_thread):
    used, made = [], []
    one_behind(used.append, iter(range(5)), second_thread)
    one_behind(used.append, [], second_thread)
    assert used == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        one_behind(lambda key: 6 // key, (made.append(key) or key for key in (3, 0, 1, 2)), second_thread)
    assert made == ([3, 0, 1] if second_thread else [3, 0])


def test_an_item_is_used_while_the_next_is_made():
    made, used = threading.Event(), []

    def items():
        yield 0
        made.set()
        yield 1

    def use(item):
        assert made.wait(60)
        used.append((item, threading.current_thread()))

    one_behind(use, items())
    assert [item for item, _ in used] == [0, 1]
    assert len({thread for _, thread in used}) == 1 and used[0][1] is not threading.current_thread()
