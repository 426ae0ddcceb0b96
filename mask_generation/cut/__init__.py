"""From a saliency map to a mask: by one threshold, or along the edges of the image."""
