"""`python -m pointsman.cli`: the command line without its script on PATH."""

import sys

from pointsman.cli.main import main

sys.exit(main())
