"""What each command does: settings in, exit status out. `exatrust.cli` reads the arguments."""
