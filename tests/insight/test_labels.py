from __future__ import annotations

from evonas.insight.labels import Labels


def place(labels, x, y, must=False):
    return labels.place(x, y, "0.1234", 40, 11, 9, must)


def test_upper_left_where_it_is_free():
    labels = Labels(0, 0, 500, 500)

    assert place(labels, 100, 100)
    assert (labels.placed[0].anchor, labels.placed[0].x < 100, labels.placed[0].y < 100) == (
        "end",
        True,
        True,
    )


def test_no_label_leaves_the_frame_or_meets_another():
    labels = Labels(0, 0, 500, 500)

    assert place(labels, 5, 100)
    assert labels.placed[0].anchor != "end"
    assert place(labels, 250, 250)
    assert place(labels, 251, 251)
    assert not place(labels, 250, 252)
    assert not place(labels, 250, 3)


def test_ink_is_avoided_unless_there_must_be_a_label():
    labels = Labels(0, 0, 500, 500)
    labels.keep_clear((float(x), float(y)) for x in range(0, 500, 3) for y in range(0, 500, 3))

    assert not place(labels, 250, 250)
    assert place(labels, 250, 250, must=True)
