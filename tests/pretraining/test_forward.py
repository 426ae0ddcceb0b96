"""What is computed when, and which rows share a batch."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.pretraining.forward import Forward, TwoViews, View


class Recorder:
    """A network that adds the mean of its batch, and remembers how it was called."""

    def __init__(self):
        self.calls = []

    def __call__(self, inputs, training):
        self.calls.append((inputs.shape[0], training))
        return {"P1": inputs + tf.reduce_mean(inputs)}


FIRST, SECOND = tf.constant([[0.0], [2.0]]), tf.constant([[4.0], [6.0]])


def test_views_together_share_a_batch():
    """The mean of 0, 2, 4, 6 is 3; one call serves both."""
    network = Recorder()
    views = TwoViews(network, (FIRST, SECOND), training=True, together=True)
    assert network.calls == []
    assert views[1]["P1"].numpy().ravel().tolist() == [7.0, 9.0]
    assert views[0]["P1"].numpy().ravel().tolist() == [3.0, 5.0]
    assert network.calls == [(4, True)]


def test_views_apart_have_batches_of_their_own():
    """The means are 1 and 5; a view that nobody asks for costs nothing."""
    network = Recorder()
    views = TwoViews(network, (FIRST, SECOND), training=False, together=False)
    assert views[1]["P1"].numpy().ravel().tolist() == [9.0, 11.0]
    assert views[1]["P1"] is views[1]["P1"]
    assert network.calls == [(2, False)]
    assert views[0]["P1"].numpy().ravel().tolist() == [1.0, 3.0]


@pytest.mark.parametrize("together", [True, False])
def test_shapes_are_known_in_a_graph(together):
    @tf.function
    def shapes():
        views = TwoViews(lambda x, training: x, (FIRST, SECOND), True, together)
        assert views[0].shape == views[1].shape == (2, 1)
        return views[0]

    shapes()


@pytest.fixture
def views():
    masks = np.zeros((2, 4, 4), "uint8")
    masks[:, :2] = 1
    return tuple(View(image, tf.constant(masks)) for image in (FIRST, SECOND))


def forward(views, online, target=None):
    return Forward(views, online, target, tf.constant(3), training=True, together=False)


def test_no_gradient_flows_into_the_target_network(views):
    weight = tf.Variable(2.0)

    def network(inputs, training):
        return {"P1": inputs * weight}

    with tf.GradientTape(persistent=True) as tape:
        batch = forward(views, network, network)
        online, target = (tf.reduce_sum(maps[1]["P1"]) for maps in (batch.online, batch.target))
    assert float(tape.gradient(online, weight)) == 10.0
    assert tape.gradient(target, weight) is None


def test_method_without_a_target_has_none_and_labels_are_those_of_each_view(views):
    batch = forward(views, Recorder())
    assert batch.target is None
    first, second = batch.labels((2, 2))
    assert first.regions.numpy().tolist() == second.regions.numpy().tolist() == [[1, 1, 0, 0]] * 2


def test_head_shares_batch_statistics_as_the_backbone_does(views):
    head = Recorder()
    outputs = forward(views, Recorder()).through(head, FIRST, SECOND)
    assert outputs[0]["P1"].numpy().ravel().tolist() == [1.0, 3.0]
    assert head.calls == [(2, True)]
