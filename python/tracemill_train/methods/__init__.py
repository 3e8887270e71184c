"""Training methods: a file each, which satisfies `method.Method`."""
