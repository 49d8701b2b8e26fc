"""`python -m exatrust_sandbox`: the sandbox's own commands, without the product."""

from exatrust_sandbox.cli import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m exatrust_sandbox")
