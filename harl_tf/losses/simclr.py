"""NT-Xent, the instance-level contrastive loss of SimCLR, over all replicas.

Owns only the formula; heads and views belong to the models.
"""

import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


def nt_xent(embeddings1: tf.Tensor, embeddings2: tf.Tensor, temperature: float = 0.2) -> tf.Tensor:
    """Normalized temperature-scaled cross entropy, one value per embedding.

    Each embedding must identify its partner, the same image's other view, among all other
    embeddings of both views of the global batch (Chen et al., A Simple Framework for Contrastive
    Learning of Visual Representations, 2020, eq. 1). Negatives come from every replica, and
    gradients flow through them.

    Args:
        embeddings1: ``(batch, dimensions)``, first views; need not be normalized.
        embeddings2: ``(batch, dimensions)``, second views of the same images in the same order.
        temperature: Positive; smaller values emphasize the hardest negatives. Default: 0.2.

    Returns:
        ``(2 * batch,)`` losses, those of ``embeddings1`` first. The best value is 0.

    Raises:
        ValueError: If ``temperature`` is not positive.

    Example:
        With three identical images, each embedding has one chance in five:

        >>> same = tf.ones((3, 8))
        >>> float(tf.exp(nt_xent(same, same))[0])
        5.0...
    """
    check_temperature(temperature)
    local1, local2 = l2_normalize(embeddings1), l2_normalize(embeddings2)
    global1, global2 = distribution.gather_rows(local1), distribution.gather_rows(local2)
    queries = tf.concat([local1, local2], axis=0)
    keys = tf.concat([global1, global2], axis=0)
    logits = tf.matmul(queries, keys, transpose_b=True) / temperature

    local_rows, global_rows = tf.shape(local1)[0], tf.shape(global1)[0]
    rows = tf.range(local_rows) + distribution.first_row_index(local_rows)
    itself = tf.concat([rows, rows + global_rows], axis=0)
    partner = tf.concat([rows + global_rows, rows], axis=0)
    is_itself = tf.equal(tf.range(2 * global_rows)[None, :], itself[:, None])
    logits = tf.where(is_itself, logits.dtype.min / 2, logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=partner, logits=logits)
