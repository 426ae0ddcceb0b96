"""Parts of image files: markers, chunks, profiles and orientations."""
