"""Other libraries that train for us, one a module: each loads the base its own way and is then trained as always."""
