"""What stands around the camera under test: power, card, console, dock. Speaks to it only as the host does."""
