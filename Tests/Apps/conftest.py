"""What the integration tests share is shared here too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "Integration"))

from fixtures import certificates  # noqa: E402, F401
