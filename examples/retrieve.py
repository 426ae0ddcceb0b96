"""Finds the photographs of a folder that are most similar to each of another, by frozen features.

    python examples/retrieve.py BACKBONE [FOLDER QUERIES]

Both are folders of class folders; without them, tiles of sixteen photographs. Prints the five most
similar of the first query, and how often the most similar one is of the query's class.
"""

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import sample_data
from absl import app

SIDE = 64


def main(argv: list[str]) -> None:
    """Embeds both folders and compares every query with every photograph."""
    embed = harl_tf.evaluation.Embedder(harl_tf.load_backbone(argv[1]))
    found, names, classes = [], [], []
    for folder in argv[2:4] or sample_data.class_folders():
        photographs = keras.utils.image_dataset_from_directory(
            folder,
            image_size=(SIDE, SIDE),
            crop_to_aspect_ratio=True,
            shuffle=False,
            verbose=False,
        )
        vectors, labels = embed(photographs)
        found.append((vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels))
        names.append(photographs.file_paths)
        classes.append(photographs.class_names)
    assert classes[0] == classes[1], "FOLDER and QUERIES need the same class folders."
    (known, labels), (queries, truth) = found
    similarity = queries @ known.T
    print(f"most similar to {names[1][0]}:")
    for index in np.argsort(-similarity[0])[:5]:
        print(f"  {similarity[0, index]:.3f}  {names[0][index]}")
    print(f"right class: {np.mean(labels[similarity.argmax(axis=1)] == truth):.3f}")


if __name__ == "__main__":
    app.run(main)
