"""The report of an announcement in Chinese: its tables say what they say in Chinese, quotations as they stand."""

import re

import jevons
from jevons.web.frozen import result_page
from jevons.web.wording import term

TEXT = (
    "2026年3月20日，云岭科技公告：预计2026/2027/2028年归母净利润分别为28.4/36.1/45.7亿元。未来三年资本开支不低于380亿元，"
    "超过过去十年总和。2025年营收118.73亿元，同比增长45%，毛利率38.1%。公司将部署10万张昇腾910C，电价约0.32元/度。"
    "最大客户占收入35%。每卡每小时租金8元。用水量同比增长12%。"
)


def test_claims_and_reasons_are_chinese():
    said = jevons.read(TEXT)
    cells = [cell for row in said.tables["claims"].rows for cell in row if isinstance(cell, str)]
    assert len(cells) > 40
    english = [
        term(cell, "zh") for cell in cells if re.search(r"[a-z]{3,}", re.sub("ascend_910c", "", term(cell, "zh")))
    ]
    assert english == []


def test_the_page_leaves_a_quoted_sentence_as_it_stands():
    quoted = "Full-year capital spending is seen at $4.5 billion to $5 billion"
    page = result_page(jevons.read(f"Nebulark Inc: {quoted}."), kind="read", language="zh")
    assert quoted in page
