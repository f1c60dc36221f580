import pytest

from farebox.domain.catalogue import load_catalogue
from farebox.domain.errors import ModelNotFound
from farebox.domain.tiers import Tier
from farebox.services.describe_models import DescribeModels
from tests.chat_world import make_principal

DESCRIBE = DescribeModels(load_catalogue())


@pytest.mark.parametrize(
    ("tier", "count"),
    [(Tier.FREE, 4), (Tier.STARTER, 7), (Tier.PROFESSIONAL, 10), (Tier.ENTERPRISE, 14)],
)
def test_a_caller_sees_what_its_tier_may_use(tier: Tier, count: int) -> None:
    assert len(DESCRIBE.usable(make_principal(tier=tier))) == count


def test_a_key_of_few_models_sees_those_of_them_its_tier_may_use() -> None:
    models = frozenset({"gpt-4o-mini", "gpt-4o", "gone-model"})

    usable = DESCRIBE.usable(make_principal(models=models))

    assert [model.id for model in usable] == ["gpt-4o-mini"]


def test_all_are_all() -> None:
    assert len(DESCRIBE.every()) == 14


def test_one_is_found_by_alias_whoever_may_use_it() -> None:
    assert DESCRIBE.one("openai/gpt-4o-mini").id == "gpt-4o-mini"


def test_one_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelNotFound, match="The model 'gpt-9' does not exist"):
        DESCRIBE.one("gpt-9")
