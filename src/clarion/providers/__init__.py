"""What Clarion knows of each provider, one file each: credentials, rejections, build, read. Pure."""
