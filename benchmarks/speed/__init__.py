"""Speed: compared with other tools, by method, and as sizes grow."""
