"""What Clarion remembers. Modules hold functions over an open transaction, one module per aggregate."""
