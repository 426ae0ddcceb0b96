"""Where the time goes within a step and within a record."""
