"""pytest fixtures that hand a test a running stand-in."""
