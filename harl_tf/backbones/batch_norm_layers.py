"""The batch normalization layers of a network, in its graph and inside composite layers."""

import keras


def batch_normalizations(graph: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The batch normalization layers of a functional model, including those of nested models.

    Layers inside composite layers are not found, because they are not part of the graph.

    Example:
        >>> len(batch_normalizations(resnet(18)))
        20
    """
    found = []
    for layer in graph.layers:
        if isinstance(layer, keras.Model):
            found += batch_normalizations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found


def inner_batch_normalizations(graph: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The others: those inside composite layers, which make them and which cannot be replaced.

    Example:
        >>> inner_batch_normalizations(resnet(18))
        []
    """
    in_graph = {id(layer) for layer in batch_normalizations(graph)}
    return [
        layer
        for layer in graph._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and id(layer) not in in_graph
    ]
