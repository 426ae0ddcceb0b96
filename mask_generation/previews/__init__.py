"""Pages and contact sheets, to look at masks."""
