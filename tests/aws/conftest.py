"""What the tests of this folder look at: the template as CloudFormation gets it, and the build.

They need the SAM command line and its own environment (`make test-aws`); without it there is
nothing to collect.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from local.template_routes import read_template

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"

collect_ignore_glob = [] if find_spec("samtranslator") else ["test_*.py"]


class NoManagedPolicies:
    """Where the translator looks up AWS's own policies by name; we use none."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="session")
def translated() -> dict[str, Any]:
    """Give the CloudFormation template that SAM makes of template.yaml."""
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - not in .venv

    template = json.loads(json.dumps(read_template(ROOT / "template.yaml")))
    for resource in template["Resources"].values():
        for uri in ("CodeUri", "ContentUri"):
            if uri in resource["Properties"]:
                resource["Properties"][uri] = "s3://artefacts/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        result: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    return result


@pytest.fixture(scope="session")
def build() -> Path:
    """Give the folder `sam build` filled."""
    folder = ROOT / ".aws-sam" / "build"
    assert folder.is_dir(), "run `make build` first"
    return folder
