"""What is measured of one image before anything is cut: its size, frame and superpixels."""
