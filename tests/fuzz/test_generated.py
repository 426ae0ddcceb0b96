"""JSON and names of any content, made by Hypothesis: well-formed, and wrong in every other way."""

import json

import hypothesis
from hypothesis import strategies

from harl_tf.data.manifest import sealed
from tests.fuzz import seeds, targets

ANY = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False)
    | strategies.text(max_size=5)
    | strategies.sampled_from(["", "..", "../a", "/", "a\x00b"]),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)

settled = hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)


@strategies.composite
def changed(draw, valid: dict) -> dict:
    """A valid dictionary with something else somewhere in it."""
    found = json.loads(json.dumps(valid))
    place = found
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return found
        key = draw(strategies.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and draw(strategies.booleans()):
            place = place[key]
            continue
        place[key] = draw(ANY)
        return found


@settled
@hypothesis.given(changed({**json.loads(seeds.manifests()[0])}), strategies.booleans())
def test_manifest_with_anything_in_it(fields, seal):
    """Under a right checksum, as a stranger would send it, or without one."""
    targets.manifest(json.dumps(sealed(fields) if seal else fields).encode())


@settled
@hypothesis.given(changed(json.loads(seeds.quarantines()[0])) | ANY)
def test_quarantine_with_anything_in_it(fields):
    targets.quarantine(json.dumps(fields).encode())


@settled
@hypothesis.given(changed(json.loads(seeds.metadata()[-1])) | ANY)
def test_metadata_with_anything_in_it(fields):
    targets.metadata(json.dumps(fields).encode())


@settled
@hypothesis.given(strategies.text(max_size=40) | strategies.binary(max_size=40))
def test_page_with_any_name(name):
    targets.page(name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass"))
