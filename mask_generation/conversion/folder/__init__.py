"""The folder that a conversion writes: shards, journal, descriptions, and how it gets its name."""
