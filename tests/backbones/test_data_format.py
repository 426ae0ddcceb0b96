import keras
import pytest

import harl_tf


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    "make",
    [
        lambda: harl_tf.backbones.resnet(18),
        lambda: harl_tf.backbones.feature_pyramid(keras.Model()),
        lambda: harl_tf.load_backbone("no/such/folder"),
    ],
    ids=["resnet", "feature_pyramid", "load_backbone"],
)
def test_channels_first_is_refused_with_the_call_that_mends_it(channels_first, make):
    sentence = r'Expected .*channels_last.*Received: .channels_first.*set_image_data_format\("chan'
    with pytest.raises(ValueError, match=sentence):
        make()
