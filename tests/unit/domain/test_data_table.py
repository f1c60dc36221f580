from datetime import date

import pytest

from farebox.domain.data_table import DataTable
from farebox.domain.errors import ConfigurationError


def _table(**fields: object) -> DataTable:
    return DataTable("here", fields)


class TestReading:
    def test_fields_are_read_as_what_they_are(self) -> None:
        table = _table(
            name="gpt",
            size=3,
            seen=date(2026, 11, 20),
            on=True,
            tags=["a", "b"],
            page="https://example.com",
            price="0.075",
        )

        assert table.text("name") == "gpt"
        assert table.count("size") == 3
        assert table.take("seen", date) == date(2026, 11, 20)
        assert table.take("on", bool) is True
        assert table.texts("tags") == ("a", "b")
        assert table.url("page") == "https://example.com"
        assert table.nanousd("price") == 75_000_000
        table.close()

    def test_an_absent_field_may_have_a_default(self) -> None:
        assert _table().take("on", bool, default=False) is False
        assert _table().texts("tags") == ()

    def test_tables_inside_are_read_in_the_order_of_the_file(self) -> None:
        table = _table(by_name={"b": {"n": 1}, "a": {"n": 2}}, listed=[{"n": 3}, {"n": 4}])

        assert [(name, each.count("n")) for name, each in table.named_tables("by_name")] == [
            ("b", 1),
            ("a", 2),
        ]
        assert [each.count("n") for each in table.listed_tables("listed")] == [3, 4]


class TestFaults:
    @pytest.mark.parametrize(
        ("fields", "read", "complaint"),
        [
            ({}, "text", "here: field is missing"),
            ({"field": 3}, "text", "here: field must be of type str, not 3"),
            ({"field": ""}, "text", "here: field is empty"),
            ({"field": True}, "count", "here: field must be of type int, not True"),
            ({"field": 0}, "count", "here: field must be at least 1, not 0"),
            ({"field": "ftp://x"}, "url", "here: field must start with https, not 'ftp://x'"),
            ({"field": "-1"}, "nanousd", "here: field is negative: -1"),
            ({"field": "cheap"}, "nanousd", "here: field is no price: 'cheap' is not a decimal"),
            ({"field": 0.5}, "nanousd", "here: field must be of type str, not 0.5"),
            ({"field": "x"}, "texts", "here: field must be of type list, not 'x'"),
            ({"field": ["x", 1]}, "texts", "here: field must list names, not 1"),
            ({"field": []}, "table", "here: field must be of type dict"),
        ],
    )
    def test_a_complaint_names_place_field_and_value(
        self, fields: dict[str, object], read: str, complaint: str
    ) -> None:
        with pytest.raises(ConfigurationError) as fault:
            getattr(_table(**fields), read)("field")

        assert str(fault.value).startswith(complaint)

    def test_a_list_of_tables_holds_nothing_else(self) -> None:
        with pytest.raises(ConfigurationError, match="here: models must list tables, not 7"):
            list(_table(models=[7]).listed_tables("models"))

    def test_a_listed_table_is_named_by_its_id_or_else_its_position(self) -> None:
        first, second = _table(models=[{"id": "gpt"}, {}]).listed_tables("models")

        assert str(first.fault("price", "is wrong")) == "here: gpt: price is wrong"
        assert str(second.fault("id", "is missing")) == "here: models 2: id is missing"

    def test_a_field_nobody_reads_is_a_misspelt_one(self) -> None:
        table = _table(name="gpt", colour="red")
        table.text("name")

        with pytest.raises(ConfigurationError, match="here: colour is not a known field"):
            table.close()
