"""The tags that every team has from the beginning, and the groups they stand in."""

from typing import Literal, get_args

from kefu.collaboration.models import Tag
from kefu.kit.i18n import Text

Group = Literal["inquiry", "problem", "outcome", "customer", "custom"]
GROUPS: dict[Group, Text] = {
    "inquiry": {"en": "Kind of inquiry", "zh": "咨询类型"},
    "problem": {"en": "Kind of problem", "zh": "问题类型"},
    "outcome": {"en": "Outcome", "zh": "处理结果"},
    "customer": {"en": "Customer", "zh": "客户情绪"},
    "custom": {"en": "Our own", "zh": "自定义"},
}
RED, ORANGE, YELLOW, GREEN, BLUE, GREY = "#EF4444", "#F97316", "#F59E0B", "#10B981", "#3B82F6", "#6B7280"
PRESETS: dict[str, tuple[Group, str, str, str, str]] = {
    "tag_pre_sales": ("inquiry", "Before buying", "售前咨询", BLUE, "🛒"),
    "tag_after_sales": ("inquiry", "After-sales", "售后服务", GREEN, "🔧"),
    "tag_logistics": ("inquiry", "Delivery", "物流查询", YELLOW, "🚚"),
    "tag_technical": ("inquiry", "Technical", "技术支持", BLUE, "🔵"),
    "tag_refund": ("problem", "Refund", "退款", ORANGE, "🟠"),
    "tag_quality": ("problem", "Quality", "质量问题", RED, "⚠️"),
    "tag_damage": ("problem", "Damaged in transit", "运输损坏", ORANGE, "📦"),
    "tag_warranty": ("problem", "Warranty", "保修", BLUE, "📄"),
    "tag_resolved": ("outcome", "Solved", "已解决", GREEN, "🟢"),
    "tag_follow_up": ("outcome", "Follow up", "待跟进", YELLOW, "⏰"),
    "tag_escalated": ("outcome", "Passed on", "已升级", ORANGE, "⬆️"),
    "tag_unresolved": ("outcome", "Not solved", "未解决", GREY, "⚪"),
    "tag_vip": ("customer", "VIP", "VIP", YELLOW, "🟡"),
    "tag_urgent": ("customer", "Urgent", "紧急", RED, "🔴"),
    "tag_angry": ("customer", "Angry", "不满", RED, "😠"),
    "tag_satisfied": ("customer", "Satisfied", "满意", GREEN, "😊"),
}
GROUP_ORDER = get_args(Group)


def preset(tag_id: str) -> Tag:
    """The preset as it comes, belonging to no transaction yet."""
    group, en, zh, color, icon = PRESETS[tag_id]
    name: Text = {"en": en, "zh": zh}
    tag = Tag(id=tag_id, name=name, name_key=en.casefold(), group=group, color=color, icon=icon)
    tag.description, tag.rules, tag.is_archived, tag.created_at = "", [], False, 0
    return tag
