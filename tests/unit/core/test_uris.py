import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.uris import path_of, reference

PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
SEGMENT_WITHOUT_COLON = PCHAR.replace(":@", "@")
AUTHORITY = rf"//(?:(?:{PCHAR})*@)?(?:\[[0-9A-Fa-f:.]+\]|(?:{SEGMENT_WITHOUT_COLON})*)(?::\d*)?"
PATH = rf"(?:/(?:{PCHAR})*)*"
REST = rf"(?:\?(?:{PCHAR}|[/?])*)?(?:#(?:{PCHAR}|[/?])*)?"
REFERENCE = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.\-]*:(?:{AUTHORITY}{PATH}|/?{PCHAR}*{PATH})"
    rf"|{AUTHORITY}{PATH}|/?{SEGMENT_WITHOUT_COLON}*{PATH}|{PATH}){REST}"
)
"""The grammar of RFC 3986, appendix A."""


@pytest.mark.parametrize(
    "valid",
    [
        *("/crm/orders", "/crm/sales.orders", "/crm/a:b", "urn:shop:orders", "a", "../orders", "?", "#", ""),
        *("https://shop.example/orders?x=1/2#now", "https://me@[2001:db8::1]:8080/a%20b", "//host:1/a", "/a/b;c=1"),
        *("mailto:a@b", "/a%41b", "/c/a#b", "/c/~a_b-c!$&'()*+,;=@"),
    ],
)
def test_what_is_a_reference_stays_as_it_is(valid):
    assert REFERENCE.fullmatch(valid)
    assert reference(valid) == valid


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("/crm/Order Items", "/crm/Order%20Items"),
        ("/crm/a%b", "/crm/a%25b"),
        ("/crm/100%", "/crm/100%25"),
        ("/crm/größe", "/crm/gr%C3%B6%C3%9Fe"),
        ("/crm/日本", "/crm/%E6%97%A5%E6%9C%AC"),
        ("/crm/a<b>", "/crm/a%3Cb%3E"),
        ("/crm/back\\slash", "/crm/back%5Cslash"),
        ('/crm/"quoted"', "/crm/%22quoted%22"),
        ("/crm/a\r\nb\0\x7f\x85", "/crm/a%0D%0Ab%00%7F%C2%85"),
        ("/crm/a{b}|`^", "/crm/a%7Bb%7D%7C%60%5E"),
        ("/crm/a[1]", "/crm/a%5B1%5D"),
        ("/crm/a#b#c[", "/crm/a#b%23c%5B"),
        ("42:x/y:z", "42%3Ax/y:z"),
        (":x", "%3Ax"),
        ("a b:c", "a%20b%3Ac"),
        ("http://[x/a", "http://%5Bx/a"),
        ("https://shop.example/größe?a b", "https://shop.example/gr%C3%B6%C3%9Fe?a%20b"),
    ],
)
def test_what_may_not_stand_there_is_escaped(text, escaped):
    assert reference(text) == escaped
    assert REFERENCE.fullmatch(escaped)
    assert reference(escaped) == escaped


@given(st.text())
def test_names_make_a_path_that_gives_them_again(name):
    path = path_of("crm", name)
    assert REFERENCE.fullmatch(path)
    assert unquote(path) == f"/crm/{name}"


@given(st.text(alphabet=st.sampled_from("a1:/?#[]@% %41ü\n\\")))
def test_every_text_becomes_a_reference(text):
    assert REFERENCE.fullmatch(reference(text)) or reference(text).startswith("//")
