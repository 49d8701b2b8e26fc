"""`python -m exatrust` does what the command `exatrust` does."""

from exatrust.cli import entry_point

if __name__ == "__main__":
    entry_point()
