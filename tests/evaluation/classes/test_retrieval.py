"""Against scikit-learn's average precision, query by query."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import cosine_similarity

import harl_tf.evaluation.classes.retrieval as module
from harl_tf.evaluation import retrieval_scores


def data(images=60, classes=5):
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, images)
    return random.normal(size=(classes, 8))[labels] + random.normal(size=(images, 8)), labels


@pytest.mark.parametrize("part", [8_000_000, 70])
def test_retrieval_is_that_of_scikit_learn(monkeypatch, part):
    """In one part, and one query at a time."""
    monkeypatch.setattr(module, "_LARGEST_PART", part)
    vectors, labels = data()
    labels = np.append(labels, 9)  # alone in its class
    vectors = np.vstack([vectors, np.ones(8)])
    similarity = cosine_similarity(vectors)
    precisions, hits = [], []
    for query in range(60):
        others = np.delete(np.arange(61), query)
        right = labels[others] == labels[query]
        precisions.append(average_precision_score(right, similarity[query, others]))
        hits.append(right[np.argsort(-similarity[query, others])[:3]].any())
    found = retrieval_scores(vectors, labels, among=[3])
    assert found["map"] == pytest.approx(np.mean(precisions), abs=1e-12)
    assert found["recall@3"] == pytest.approx(np.mean(hits), abs=1e-12)


@pytest.mark.parametrize(
    ("vectors", "labels", "among", "words"),
    [
        (np.eye(3), [0, 1, 2], [1], "at least two images of a class"),
        (np.eye(3), [0, 0, 1], [3], "from 1 to 2"),
        (np.eye(3), [0, 0], [1], "as many labels as vectors"),
        (np.full((2, 2), np.nan), [0, 0], [1], "finite numbers"),
    ],
)
def test_bad_input_is_named(vectors, labels, among, words):
    with pytest.raises(ValueError, match=words):
        retrieval_scores(vectors, np.array(labels), among)


def test_of_many_images_as_many_queries_lie_evenly_among_them(monkeypatch):
    """Seven of 60, the first and the last one included; all others are found among."""
    monkeypatch.setattr(module, "_MOST", 7)
    vectors, labels = data()
    found = module.queries(labels)
    assert found.tolist() == [0, 10, 20, 30, 39, 49, 59]
    monkeypatch.setattr(module, "_MOST", 60)
    order = [*found, *np.setdiff1d(np.arange(60), found)]
    monkeypatch.setattr(module, "queries", lambda labels: np.arange(7))
    first = retrieval_scores(vectors[order], labels[order], among=[3])
    monkeypatch.setattr(module, "queries", lambda labels: found)
    assert retrieval_scores(vectors, labels, among=[3]) == pytest.approx(first, abs=1e-12)
