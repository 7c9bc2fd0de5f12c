"""What stands around the camera under test: power, card, console, dock. Speaks to it as the host does."""
