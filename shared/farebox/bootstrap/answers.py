"""The store of kept answers, for the functions that read or write them."""

from functools import cache

from farebox.adapters.answer_store import DynamoAnswerStore, ObjectStore
from farebox.bootstrap.parts import Parts


def build_answers(parts: Parts) -> DynamoAnswerStore:
    """Build it without its bucket: boto3 would double a cold start, and large answers are rare."""

    @cache
    def bucket() -> ObjectStore:
        from farebox.adapters.object_store import S3ObjectStore  # noqa: PLC0415 - see above

        settings = parts.settings
        return S3ObjectStore(settings.answers_bucket, settings.region, settings.endpoint_url("s3"))

    return DynamoAnswerStore(
        parts.dynamodb, parts.settings.app_table, bucket, parts.secrets, parts.clock
    )
