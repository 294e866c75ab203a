"""How much of a list is answered at once: known to those who ask and to those who answer."""

from typing import Final

USUAL_ITEMS: Final = 100
MOST_ITEMS: Final = 1000
