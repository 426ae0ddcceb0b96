"""How fast: beside other tools, by method, and as sizes grow."""
