"""What harl_tf is timed against, in an environment of its own (``environment.sh``)."""
