"""`python -m a3d.cli` is `a3d`."""

import sys

from a3d.cli import main

sys.exit(main())
