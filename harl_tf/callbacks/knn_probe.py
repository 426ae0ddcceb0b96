"""A kNN probe during pretraining, for when a linear probe would be too expensive or too much."""

from collections.abc import Mapping

from harl_tf.callbacks.labeled_probe import LabeledProbe
from harl_tf.evaluation import Score, knn_score


class KNNProbe(LabeledProbe):
    """Adds ``knn_accuracy`` on separate labeled data to the logs of an epoch, and says it in words.

    A ``LabeledProbe``, with the same arguments, without its linear classifier: ``epoch 5: kNN .44 ±
    .10 of 25 images, chance .33``.

    Example:
        ::

            probe = harl_tf.callbacks.KNNProbe(train, test, every=5)
            model.fit(..., callbacks=[probe, keras.callbacks.CSVLogger("log.csv")])
    """

    names = ("knn_accuracy",)

    def score(self) -> Score:
        """The current kNN accuracy of the model, with its standard error and chance."""
        return knn_score(*self.vectors(), self.neighbors)

    def scores(self) -> Mapping[str, Score]:
        """The same by its name in the logs."""
        return {"knn_accuracy": self.score()}
