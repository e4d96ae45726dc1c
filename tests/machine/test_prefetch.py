import threading

import pytest

from headstart.machine.prefetch import one_ahead


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
