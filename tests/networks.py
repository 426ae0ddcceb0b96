"""Networks small enough for tests."""

import inspect
from collections.abc import Callable

import keras

import harl_tf


def tiny_pyramid() -> keras.Model:
    """Three strided convolutions with batch normalisation: a cell per 8 pixels, 16 channels."""
    image = keras.Input((None, None, 3))
    maps, x = {}, image
    for index, channels in enumerate((8, 8, 16), start=1):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        maps[f"P{index}"] = x
    return harl_tf.backbones.feature_pyramid(keras.Model(image, maps))


def tiny_hapicl(seed: int = 0, **settings) -> harl_tf.HAPiCL:
    """HAPiCL on the network above, the same weights for the same seed, compiled."""
    keras.utils.set_random_seed(seed)
    small = {"projection_units": 16, "hidden_units": 32}
    settings = {"instance": harl_tf.methods.InstanceContrast(**small), **settings}
    model = hapicl(tiny_pyramid(), **small | settings)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model


def hapicl(backbone, instance=None, **settings) -> harl_tf.HAPiCL:
    """HAPiCL with the arguments of its pixel branch among its own."""
    of_pixel = inspect.signature(harl_tf.methods.PixelContrast).parameters
    pixel = {name: value for name, value in settings.items() if name in of_pixel}
    own = {name: value for name, value in settings.items() if name not in of_pixel}
    return harl_tf.HAPiCL(backbone, instance, harl_tf.methods.PixelContrast(**pixel), **own)


def tiny_methods() -> dict[str, Callable[[], harl_tf.pretraining.Pretraining]]:
    """Every method on the network above, and HAPiCL with each of its options, uncompiled."""
    methods, small = harl_tf.methods, {"projection_units": 16, "hidden_units": 32}
    queued = small | {"queue_size": 64}

    def with_pixels(instance: harl_tf.pretraining.Branch, **settings) -> harl_tf.HAPiCL:
        return hapicl(tiny_pyramid(), instance, **small, **settings)

    def nt_xent() -> harl_tf.pretraining.Branch:
        return methods.InstanceContrast(**small)

    return {
        "simclr": lambda: harl_tf.SimCLR(tiny_pyramid(), **small),
        "moco_v2": lambda: harl_tf.MoCoV2(tiny_pyramid(), **queued),
        "moco_v2_symmetric": lambda: harl_tf.MoCoV2(tiny_pyramid(), **queued, symmetric=True),
        "byol": lambda: harl_tf.BYOL(tiny_pyramid(), **small),
        "simsiam": lambda: harl_tf.SimSiam(tiny_pyramid(), 32, 16),
        "pixpro": lambda: harl_tf.PixPro(tiny_pyramid(), **small),
        "detcon": lambda: harl_tf.DetCon(tiny_pyramid(), drawn_regions=4, **small),
        "densecl": lambda: harl_tf.DenseCL(tiny_pyramid(), **queued),
        "harl": lambda: harl_tf.HARL(tiny_pyramid(), **small),
        "harl_mask_loss": lambda: harl_tf.HARL(tiny_pyramid(), whole_weight=0, **small),
        "harl_foreground_hybrid": lambda: harl_tf.HARL(
            tiny_pyramid(),
            foreground_weight=1,
            whole_weight=harl_tf.schedules.Cosine(0.9, 0.0, 100, floor=0.3),
            **small,
        ),
        "harl_intermediate": lambda: harl_tf.HARL(tiny_pyramid(), level="P2", **small),
        "hapicl": lambda: with_pixels(nt_xent()),
        "hapicl_moco": lambda: with_pixels(methods.MomentumContrast(**queued, symmetric=True)),
        "hapicl_byol": lambda: with_pixels(methods.Bootstrap(**small)),
        "hapicl_harl": lambda: with_pixels(methods.RegionBootstrap(**small)),
        "hapicl_momentum_keys": lambda: with_pixels(nt_xent(), momentum_keys=True),
        "hapicl_fused_maps": lambda: with_pixels(nt_xent(), level=("P2", "P3")),
        "hapicl_sampled": lambda: with_pixels(nt_xent(), level="P2", cells_per_region=5),
        "hapicl_near": lambda: with_pixels(nt_xent(), distance=0.7, boundary_margin=0.1),
        "hapicl_sampled_near": lambda: with_pixels(nt_xent(), distance=0.7, cells_per_region=5),
        "hapicl_prototypes": lambda: with_pixels(nt_xent(), prototypes=True),
        "hapicl_regions": lambda: with_pixels(nt_xent(), pool_regions=True),
        "hapicl_per_image": lambda: with_pixels(nt_xent(), reduction="image"),
        "hapicl_per_batch": lambda: with_pixels(nt_xent(), reduction="batch"),
    }
