"""What harl_tf is timed against, in a separate environment (``environment.sh``)."""
