"""What is decided and what is happening, put into JSON and words. Pure."""
