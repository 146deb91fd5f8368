from __future__ import annotations

from tierwise import expressions


def test_a_tree_has_fields_literals_and_places() -> None:
    text = "has(lead.region) && lead.employee_count >= 100 && size(lead.message) < 80"
    root = expressions.tree(text, "gate")
    assert (root.kind, root.name) == ("call", "_&&_")
    assert root.reads == {"lead.employee_count", "lead.message"}
    found = {node.name: node for arg in root.args for node in (arg, *arg.args)}
    compared = found["_>=_"]
    assert text[compared.offset :].startswith(">=")
    assert [(arg.kind, arg.name, arg.value) for arg in compared.args] == [
        ("field", "lead.employee_count", None),
        ("literal", "", 100),
    ]
    assert text[compared.args[1].offset :].startswith("100")
    assert found["lead.region"].kind == "has"


def test_literals_keep_their_kind() -> None:
    root = expressions.tree("lead.monthly_volume in [1.5, 2.0] || true == lead.is_duplicate", "gate")
    volumes, flag = root.args
    assert [arg.value for arg in volumes.args[1].args] == [1.5, 2.0]
    assert flag.args[0].value is True


def test_what_is_not_looked_into_tells_what_it_reads() -> None:
    root = expressions.tree("[1, 2].exists(n, n == lead.employee_count)", "gate")
    assert (root.kind, root.reads) == ("opaque", {"lead.employee_count"})


def test_parts_that_say_the_same_have_one_key() -> None:
    one, two = expressions.tree("lead.message.matches('a') || lead.message.matches('a')", "gate").args
    assert one.key == two.key
    assert one.key != expressions.tree("lead.message.matches('b')", "gate").key
