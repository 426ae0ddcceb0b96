"""Discriminative regional feature integration: saliency learned from the features of regions.

After Jiang, Wang, Yuan, Wu, Zheng and Li, "Salient Object Detection: A Discriminative Regional
Feature Integration Approach", CVPR 2013. An image is cut at several levels; every region is
described by its contrast to the other regions, by its difference from the image border
(backgroundness) and by its own properties; trees map the description to a saliency; the maps of all
levels are averaged. The paper's trees are a random forest; boosted ones make better masks
(docs/design.md).

``pixels`` measures an image, ``features`` describes its regions, ``boosted_trees`` grows and stores
the trees. The mask method is ``mask_generation.methods.drfi``, its training
``mask_generation.training.drfi``.
"""
