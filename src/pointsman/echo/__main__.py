"""`python -m pointsman.echo`: the demo backends' process, started by `fleet.EchoFleet`."""

from pointsman.echo.server import main

if __name__ == "__main__":
    main()
