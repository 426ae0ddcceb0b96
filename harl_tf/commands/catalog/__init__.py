"""Lists of what has a name: recipes and presets."""
