"""Two trees of any shape: values, lists, tuples, sets, matrices, equations, sets of reals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reasonry.verifiers.maths.context import Context
from reasonry.verifiers.maths.equations import (
    are_proportional,
    is_equation,
    may_be_same,
    named,
    renamed,
    solves,
    substituted,
)
from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.matrices import as_matrix
from reasonry.verifiers.maths.quantities import compare_quantities
from reasonry.verifiers.maths.sets import NoSet, compare_sets, is_inequality, is_set_of_reals
from reasonry.verifiers.maths.trees import Node, names_in, num, var, walk

__all__ = ["compare_trees"]

MAX_ITEMS = 2_000
MAX_PAIRS = 3_000  # of items compared one by one
_COLLECTIONS = frozenset({"list", "set", "tuple", "matrix"})


def compare_trees(reference: Node, answer: Node, context: Context) -> bool | None:
    """Whether an answer is the reference. None: not decided. Raises TooLarge."""
    if reference == answer:
        return True
    context.reached("structure")
    reference, answer = _grouped(_spread(reference)), _grouped(_spread(answer))
    if is_set_of_reals(reference) or is_set_of_reals(answer):
        return _sets(reference, answer, context)
    if is_equation(reference) or is_equation(answer):
        return _equations(reference, answer, context)
    return _unnamed(reference, answer, context)


def _grouped(node: Node) -> Node:
    """`p = 5, q = 2, p = 7, q = 2` as two groups: the names come again in the same order."""
    if node.op != "list" or any(not is_equation(item) for item in node.args):
        return node
    names = [named(item).name for item in node.args]
    period = names.index(names[0], 1) if names[0] in names[1:] else 0
    if period < 2 or len(names) % period or any(name != names[place % period] for place, name in enumerate(names)):
        return node
    groups = [node.args[start : start + period] for start in range(0, len(names), period)]
    return Node("list", tuple(Node("tuple", group, "()") for group in groups), ";")


def _unnamed(reference: Node, answer: Node, context: Context) -> bool | None:
    reference, answer = as_matrix(reference), as_matrix(answer)
    if reference.op in _COLLECTIONS or answer.op in _COLLECTIONS:
        return _collections(reference, answer, context)
    if reference.op == "rel" or answer.op == "rel":
        return False
    equal = compare_quantities(reference, answer, context)
    if equal is False and _may_rename(reference, answer):
        return _renamed_constant(reference, answer, context)
    return equal


# --- plus-minus


def _spread(node: Node) -> Node:
    """`1 \\pm \\sqrt{2}` as the list of both, also as an item of a list."""
    if not any(part.op == "pm" for part in walk(node)):
        return node
    if node.op in ("list", "set"):
        items: list[Node] = []
        for part in node.args:
            spread = _spread(part)
            items.extend(spread.args if spread.op == "list" and part.op != "list" else (spread,))
        return Node(node.op, tuple(items), node.name)
    if node.op == "tuple":
        return node
    name = None
    if node.op == "rel" and node.name == "=":
        name, node = node.args[0], node.args[1]
    plus, minus = _choose(node, first=True), _choose(node, first=False)
    both = (plus, minus) if name is None else (Node("rel", (name, plus), "="), Node("rel", (name, minus), "="))
    return Node("list", both, ",")


def _choose(node: Node, *, first: bool) -> Node:
    if node.op == "pm":
        one, other = (_choose(part, first=first) for part in node.args)
        return Node("add", (one, other if first else Node("neg", (other,))))
    if not node.args:
        return node
    return Node(node.op, tuple(_choose(part, first=first) for part in node.args), node.name, node.number, node.places)


# --- sets of reals


def _sets(reference: Node, answer: Node, context: Context) -> bool | None:
    context.reached("sets")
    one, other = _set_side(reference), _set_side(answer)
    if is_inequality(one) and is_inequality(other) and names_in(one) != names_in(other):
        return False
    try:
        if not compare_sets(one, other):
            return False
    except NoSet:
        return _as_written(one, other, context)
    is_same_kind = is_inequality(one) == is_inequality(other) and "builder" not in (one.op, other.op)
    return True if is_same_kind else context.may("inequality_as_interval")


def _set_side(node: Node) -> Node:
    """The set of `f(x) \\in [0, 1]` or `D = (0, 1)`."""
    if is_equation(node):
        node = named(node).value
    return node.args[1] if node.op == "rel" and node.name == "in" else node


def _as_written(one: Node, other: Node, context: Context) -> bool | None:
    """Sets whose ends have names, and inequalities in several: side by side."""
    if is_inequality(one) and is_inequality(other):
        one, other = _ascending(one), _ascending(other)
        if one.name == other.name and len(one.args) == len(other.args):
            if _all_equal(one.args, other.args, context):
                return True
            return are_proportional(one, other, positive=True) and context.may("equation_rearranged")
        flipped = _flipped(other)
        return one.name == flipped.name and are_proportional(one, flipped, positive=True)
    if one.op == other.op and one.name == other.name and len(one.args) == len(other.args):
        return _all_equal(one.args, other.args, context)
    bounds = (one, other) if is_inequality(one) else (other, one)
    if is_inequality(bounds[0]) and bounds[1].op == "tuple" and len(bounds[1].args) == 2:
        interval = _interval_of(bounds[0])
        if interval is None or interval.name != bounds[1].name:
            return False
        return _all_equal(interval.args, bounds[1].args, context) and context.may("inequality_as_interval")
    return False


def _interval_of(node: Node) -> Node | None:
    """`a < x < b` as `(a, b)`, also where the ends have names."""
    node = _ascending(node)
    signs = node.name.split()
    if len(node.args) != 3 or not set(signs) <= {"<", "<="} or node.args[1].op != "var":
        return None
    return Node(
        "tuple", (node.args[0], node.args[2]), ("[" if signs[0] == "<=" else "(") + ("]" if signs[1] == "<=" else ")")
    )


def _ascending(node: Node) -> Node:
    signs = node.name.split()
    return _flipped(node) if signs[0].startswith(">") else node


def _flipped(node: Node) -> Node:
    flip = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!=", "=": "="}
    signs = [flip.get(sign, sign) for sign in reversed(node.name.split())]
    return Node("rel", node.args[::-1], " ".join(signs))


# --- equations


def _equations(reference: Node, answer: Node, context: Context) -> bool | None:
    one, other = named(reference), named(answer)
    if (other.is_approximate or one.is_approximate) and not context.may("approximation_dropped"):
        return False
    if one.name is not None and other.name is not None:
        if may_be_same(one.name, other.name):
            value = renamed(other.value, other.name, one.name)
            if value != other.value and not context.may("parameter_renamed"):
                return False
            equal = compare_trees(one.value, value, context)
            return equal if equal or not _both_plain(reference, answer) else _rearranged(reference, answer, context)
        return _both_plain(reference, answer) and _rearranged(reference, answer, context)
    if (is_equation(one.value) and is_equation(other.value)) or (is_equation(reference) and is_equation(answer)):
        return _rearranged(reference, answer, context)
    if is_equation(one.value):
        is_solved = other.value.op != "rel" and len(reference.args) == 2 and solves(one.value, other.value)
        return is_solved and context.may("solved_form")
    if is_equation(other.value):
        return _stated(one.value, other.value, context)
    if one.name is not None and not context.may(_omitted(one.name)):
        return False
    if other.name is not None and not context.may("name_added"):
        return False
    return compare_trees(one.value, other.value, context)


def _omitted(name: Node) -> str:
    return "label_omitted" if name.op == "var" and name.name.startswith("'") else "name_omitted"


def _both_plain(reference: Node, answer: Node) -> bool:
    return len(reference.args) == 2 == len(answer.args) and is_equation(reference) and is_equation(answer)


def _rearranged(reference: Node, answer: Node, context: Context) -> bool:
    if not is_equation(reference) or not is_equation(answer):
        return False
    if _calls_as_names(reference) != reference or _calls_as_names(answer) != answer:
        reference, answer = _calls_as_names(reference), _calls_as_names(answer)
    return are_proportional(reference, answer) and context.may("equation_rearranged")


def _calls_as_names(node: Node) -> Node:
    """`f(x)` as the name `y`, so that equations can be rearranged around it."""
    if node.op == "call":
        return var("y") if node.name == "f" else var(f"{node.name}()")
    return (
        Node(node.op, tuple(map(_calls_as_names, node.args)), node.name, node.number, node.places)
        if node.args
        else node
    )


def _stated(reference: Node, equation: Node, context: Context) -> bool | None:
    """`a + b = 10` where 10 is asked: the right side is a number other than 0, the left side names what it is."""
    left, right = equation.args[0], equation.args[-1]
    if len(equation.args) != 2 or names_in(right) or not names_in(left) or names_in(reference):
        return False
    if right == num(0):
        return False
    equal = compare_trees(reference, right, context)
    return context.may("name_added") if equal else equal


# --- other letters


_CONSTANTS = frozenset({"C", "c", "K", "k", "A", "C_1", "c_1"})
_PARAMETERS = frozenset({"k", "n", "m", "l", "j", "t"})


def _may_rename(reference: Node, answer: Node) -> bool:
    return bool(names_in(reference) ^ names_in(answer))


def _renamed_constant(reference: Node, answer: Node, context: Context) -> bool:
    """Another letter for a constant of integration, or for the whole number in a multiple of pi."""
    mine, theirs = names_in(reference) - names_in(answer), names_in(answer) - names_in(reference)
    if len(mine) != 1 or len(theirs) != 1:
        return False
    wanted, given = mine.pop(), theirs.pop()
    if reference.op == "var" or answer.op == "var":
        return False
    has_pi = any(part.op == "const" and part.name == "pi" for part in walk(reference))
    is_constant = {wanted, given} <= _CONSTANTS or (has_pi and {wanted, given} <= _PARAMETERS)
    if not is_constant:
        return False
    equal = compare_quantities(reference, substituted(answer, {given: var(wanted)}), context)
    return bool(equal) and context.may("parameter_renamed")


# --- collections


def _collections(reference: Node, answer: Node, context: Context) -> bool | None:
    wanted, given = _items(reference), _items(answer)
    if len(wanted) > MAX_ITEMS or len(given) > MAX_ITEMS:
        return False
    if reference.op not in _COLLECTIONS:
        return _one_wanted(reference, answer, given, context)
    if answer.op not in _COLLECTIONS:
        is_single = reference.op == "set" and len(wanted) == 1
        return is_single and bool(compare_trees(wanted[0], answer, context)) and context.may("singleton_set")
    if reference.op == "matrix" or answer.op == "matrix":
        return _matrices(reference, answer, context)
    if len(wanted) != len(given) and "set" not in (reference.op, answer.op):
        wanted, given = _distinct(wanted), _distinct(given)
        is_repeated = len(wanted) == len(given) and all(item.op == "tuple" for item in (*wanted, *given))
        if not is_repeated or not context.may("list_as_set"):
            return False
    return _by_kind(reference, answer, wanted, given, context)


def _items(node: Node) -> tuple[Node, ...]:
    return node.args if node.op in _COLLECTIONS else (node,)


def _one_wanted(reference: Node, answer: Node, given: Sequence[Node], context: Context) -> bool | None:
    """Several answers where one is asked are none, unless every one of them is the one."""
    if len(given) == 1 and answer.op in ("set", "list"):
        return bool(compare_trees(reference, given[0], context)) and context.may("singleton_set")
    if answer.op != "list" or answer.name != "or" or len(given) > 4:
        return False
    for item in given:
        equal = compare_trees(reference, item, context)
        if not equal:
            return equal
    return context.may("alternatives_agree")


def _by_kind(
    reference: Node, answer: Node, wanted: Sequence[Node], given: Sequence[Node], context: Context
) -> bool | None:
    kinds = {_kind(reference), _kind(answer)}
    if kinds == {"tuple"}:
        return _tuples(reference, answer, context)
    if kinds == {"tuple", "list"}:
        return bool(_in_order(wanted, given, context)) and context.may("list_as_tuple")
    if kinds == {"tuple", "set"}:
        return False
    if kinds == {"set", "list"} and not context.may("list_as_set"):
        return False
    if kinds == {"list"} and _all_equal_quietly(wanted, given, context):
        return True
    if kinds == {"set"} or "set" in kinds:
        wanted, given = _distinct(wanted), _distinct(given)
    labelled = _labelled(wanted, given, context)
    if labelled is not None:
        return labelled
    equal = _in_any_order(_without_labels(wanted, context), _without_labels(given, context), context)
    return context.may("unordered_list") if equal and kinds == {"list"} else equal


def _kind(node: Node) -> str:
    return "list" if node.op == "set" and node.name == "bare" else node.op


def _distinct(items: Sequence[Node]) -> Sequence[Node]:
    return list(dict.fromkeys(items))


def _tuples(reference: Node, answer: Node, context: Context) -> bool | None:
    if reference.name != answer.name:
        is_vector = len(reference.args) > 2 or "<>" in (reference.name, answer.name)
        if {reference.name, answer.name} & {"(]", "[)"} or not is_vector or not context.may("vector_brackets"):
            return False
    return _in_order(reference.args, answer.args, context)


def _in_order(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool | None:
    labelled = _labelled(wanted, given, context)
    if labelled is not None:
        return labelled
    return _all_equal(_without_labels(wanted, context), _without_labels(given, context), context)


def _labelled(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool | None:
    """Where both sides name every item, and differently from each other: item by item under its name."""
    mine, theirs = [named(item) for item in wanted], [named(item) for item in given]
    if len(mine) != len(theirs) or any(item.name is None for item in (*mine, *theirs)):
        return None
    names = [item.name for item in mine]
    if len(set(names)) < len(names):
        return None
    by_name = {item.name: item.value for item in theirs}
    if set(by_name) == set(names):
        return _all_equal([item.value for item in mine], [by_name[name] for name in names], context)
    if all(
        one.name is not None and other.name is not None and may_be_same(one.name, other.name)
        for one, other in zip(mine, theirs, strict=True)
    ):
        return None
    return False


def _without_labels(items: Sequence[Node], context: Context) -> list[Node]:
    """The values of named items, where the other side has no names."""
    values: list[Node] = []
    for item in items:
        found = named(item)
        is_named = found.name is not None and found.name.op != "call" and context.may(_omitted(found.name))
        values.append(found.value if is_named else item)
    return values


def _all_equal(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool | None:
    if len(wanted) != len(given):
        return False
    undecided = False
    for one, other in zip(wanted, given, strict=True):
        equal = compare_trees(one, other, context)
        if equal is False:
            return False
        undecided = undecided or equal is None
    return None if undecided else True


def _all_equal_quietly(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool:
    """As above, but a failure leaves no trace of the rules that were tried."""
    trial = Context(context.policy, set(context.relaxed), context.rung)
    if not _in_order(wanted, given, trial):
        return False
    context.relaxed |= trial.relaxed
    context.reached(trial.rung)
    return True


def _in_any_order(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool | None:
    """Each wanted item has one of its own. Equality is transitive, so the first that fits will do."""
    if len(wanted) != len(given):
        return False
    values, others = _plain_values(wanted), _plain_values(given)
    if values is not None and others is not None:
        return sorted(values) == sorted(others) or (len(values) <= 50 and _matched(wanted, given, context))
    return _matched(wanted, given, context)


def _plain_values(items: Sequence[Node]) -> list[Fraction] | None:
    values = [exact_value(item) if item.op in ("num", "div", "neg") else None for item in items]
    return None if any(value is None for value in values) else [value for value in values if value is not None]


def _matched(wanted: Sequence[Node], given: Sequence[Node], context: Context) -> bool | None:
    if len(wanted) * len(given) > MAX_PAIRS:
        return False
    left, undecided = list(given), False
    for one in wanted:
        for place, other in enumerate(left):
            trial = Context(context.policy, set(context.relaxed), context.rung)
            equal = compare_trees(one, other, trial)
            if equal:
                context.relaxed |= trial.relaxed
                context.reached(trial.rung)
                del left[place]
                break
            undecided = undecided or equal is None
        else:
            return None if undecided else False
    return True


def _matrices(reference: Node, answer: Node, context: Context) -> bool | None:
    if reference.op == answer.op == "matrix":
        if len(reference.args) == len(answer.args):
            rows = zip(reference.args, answer.args, strict=True)
            results = [_all_equal(one.args, other.args, context) for one, other in rows]
            return False if False in results else None if None in results else True
        return False
    matrix, vector = (reference, answer) if reference.op == "matrix" else (answer, reference)
    cells = [cell for row in matrix.args for cell in row.args]
    if vector.op == "set" or min(len(matrix.args), len(matrix.args[0].args)) > 1 or len(cells) != len(vector.args):
        return False
    wanted, given = (cells, vector.args) if reference.op == "matrix" else (vector.args, cells)
    return bool(_all_equal(wanted, given, context)) and context.may("vector_brackets")
