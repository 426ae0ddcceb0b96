"""How much is learned in how many minutes: a race beside lightly, and what settled the recipes."""
