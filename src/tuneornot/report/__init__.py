"""Numbers into words and pictures; decides nothing."""
