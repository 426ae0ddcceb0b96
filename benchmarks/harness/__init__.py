"""What the commands share: fair turns, the things measured, tables and plots."""
