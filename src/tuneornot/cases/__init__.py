"""What can be done to cases."""
