"""The tables as they are created."""

from farebox.adapters.tables import ACCOUNTS, APP, ENTRIES, TABLES

STRING_KEYS = [
    {"AttributeName": "pk", "AttributeType": "S"},
    {"AttributeName": "sk", "AttributeType": "S"},
]


def test_accounts_are_indexed_by_the_expiry_of_their_first_hold() -> None:
    creation = ACCOUNTS.creation("accounts")

    assert creation["TableName"] == "accounts"
    assert creation["BillingMode"] == "PAY_PER_REQUEST"
    assert creation["AttributeDefinitions"] == [
        *STRING_KEYS,
        {"AttributeName": "hs", "AttributeType": "S"},
        {"AttributeName": "hx", "AttributeType": "N"},
    ]
    assert creation["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "holds-by-expiry",
            "KeySchema": [
                {"AttributeName": "hs", "KeyType": "HASH"},
                {"AttributeName": "hx", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]


def test_other_tables_have_their_keys_and_no_index() -> None:
    for table in (ENTRIES, APP):
        creation = table.creation("some-table")

        assert creation["AttributeDefinitions"] == STRING_KEYS
        assert creation["KeySchema"] == [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]
        assert "GlobalSecondaryIndexes" not in creation


def test_what_holds_money_never_expires() -> None:
    kept = [table for table in TABLES if table.keeps_money]

    assert kept == [ACCOUNTS, ENTRIES]
    assert [table.expiry_attribute for table in kept] == [None, None]
    assert APP.expiry_attribute == "exp"
