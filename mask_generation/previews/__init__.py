"""Pages and contact sheets for looking at masks."""
