"""What a shop's type checker sees of the wheel: .ci/run installs it in an environment of its own and asks two."""
