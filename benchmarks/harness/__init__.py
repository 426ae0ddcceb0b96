"""What the commands share: fair turns, what is measured, tables and pictures."""
