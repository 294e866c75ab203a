"""How a running instance is asked: its HTTP interface and the client of it."""
