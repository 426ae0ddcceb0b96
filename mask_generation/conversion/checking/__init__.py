"""Whether a folder of records is still what was written, and how it becomes so again."""
