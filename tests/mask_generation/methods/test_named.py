import subprocess
import sys

import pytest

from mask_generation.methods import METHODS, MODEL_METHODS, named
from mask_generation.methods.features import FeatureCut


def test_method_that_needs_a_model_says_so():
    with pytest.raises(ValueError, match="for the method 'features': its path, or a KerasHub"):
        named("features")


def test_method_that_takes_no_model_says_which_do():
    with pytest.raises(
        ValueError, match=r"method 'felzenszwalb'; \['basnet', 'drfi', 'features'\] take one"
    ):
        named("felzenszwalb", "forest.npz")


def test_unknown_method_is_refused_with_all_known_ones():
    with pytest.raises(ValueError, match=r"'balanced', .*'drfi', .* Received: 'magic'"):
        named("magic")
    with pytest.raises(ValueError, match="Received: 'magic'"):
        named("magic", "model")


def test_model_reaches_the_method():
    assert named("features", "resnet_50_imagenet") == FeatureCut("resnet_50_imagenet")


def test_no_name_stands_for_two_methods():
    assert not set(METHODS) & set(MODEL_METHODS)


def test_naming_methods_loads_nothing_heavy():
    """A worker that computes classical masks starts in a moment."""
    program = (
        "import sys, mask_generation.methods as m; m.named('features', 'some_preset'); "
        "print(sorted({'tensorflow', 'keras', 'keras_hub', 'lightgbm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
