"""Discriminative regional feature integration: saliency learned from the features of regions.

After Jiang, Wang, Yuan, Wu, Zheng and Li, "Salient Object Detection: A Discriminative Regional
Feature Integration Approach", CVPR 2013. An image is cut at several levels; every region is
described by its contrast to the other regions, by its difference from the image border
(backgroundness) and by its own properties; a random forest maps the description to a saliency; the
maps of all levels are averaged.

``pixels`` measures an image, ``features`` describes its regions, ``forest`` evaluates and stores
the trees, ``training`` grows them. The mask method itself is ``mask_generation.methods.drfi``.
"""
