"""What learns a mask method from masks."""
