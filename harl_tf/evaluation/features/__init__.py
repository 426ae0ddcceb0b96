"""From images to features: pooled vectors, their rank, the similarity of cells."""
