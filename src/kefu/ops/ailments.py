"""What `kefu doctor` can find, in words, and how each is mended."""

from dataclasses import dataclass
from typing import Any, Literal

from kefu.kit.i18n import Locale, Text

Ailment = Literal[
    "database_away",
    "database_empty",
    "database_behind",
    "database_ahead",
    "database_restored",
    "clock_apart",
    "clock_back",
    "redis_away",
    "data_not_writable",
    "disk_full",
    "jobs_late",
    "jobs_dead",
    "font_missing",
    "mail_no_sender",
    "mail_fails",
    "certificate_ends",
    "certificate_unreadable",
    "provider_fails",
    "no_backup",
    "backup_late",
    "backup_not_writable",
    "backup_tool_missing",
]
# What is wrong, and what to do.
WORDS: dict[Ailment, tuple[Text, Text]] = {
    "database_away": (
        {"en": "The database does not answer: {why}", "zh": "数据库无响应：{why}"},
        {
            "en": "Is it running, and is DATABASE_URL right (host, port, name, password)?",
            "zh": "请确认数据库正在运行，并检查 DATABASE_URL 的主机、端口、库名与密码。",
        },
    ),
    "database_empty": (
        {"en": "The database is empty.", "zh": "数据库为空。"},
        {
            "en": "Run: kefu migrate (SQLite: kefu serve does it)",
            "zh": "运行：kefu migrate（SQLite 由 kefu serve 自动完成）",
        },
    ),
    "database_behind": (
        {
            "en": "The database has schema {migration}; this release needs {newest}.",
            "zh": "数据库结构版本为 {migration}，当前版本需要 {newest}。",
        },
        {"en": "Back up, then run: kefu migrate", "zh": "先备份，再运行：kefu migrate"},
    ),
    "database_ahead": (
        {
            "en": "The database has schema {migration}, of a newer release than this one ({newest}).",
            "zh": "数据库结构版本 {migration} 比当前程序（{newest}）更新。",
        },
        {
            "en": "Go on with the newer release. The one right before it serves too; an older one does not.",
            "zh": "请使用更新的版本。仅其前一个版本可以继续运行，更旧的版本不可以。",
        },
    ),
    "database_restored": (
        {
            "en": "The database was restored into a server that counts transactions from lower numbers.",
            "zh": "数据库恢复到了事务编号更小的服务器上。",
        },
        {"en": "Run: kefu migrate", "zh": "运行：kefu migrate"},
    ),
    "clock_apart": (
        {
            "en": "The clocks of this machine and of the database are {seconds} s apart.",
            "zh": "本机与数据库的时钟相差 {seconds} 秒。",
        },
        {
            "en": "Have both set by NTP: timedatectl set-ntp true",
            "zh": "请为两台机器启用 NTP：timedatectl set-ntp true",
        },
    ),
    "clock_back": (
        {
            "en": "The newest event is of {seconds} s from now: the clock of this machine is behind.",
            "zh": "最新事件的时间比本机时钟晚 {seconds} 秒：本机时钟偏慢。",
        },
        {"en": "Have it set by NTP: timedatectl set-ntp true", "zh": "请启用 NTP：timedatectl set-ntp true"},
    ),
    "redis_away": (
        {"en": "Redis does not answer: {why}", "zh": "Redis 无响应：{why}"},
        {
            "en": "Is it running, and is REDIS_URL right? Until it is back, processes meet in the database.",
            "zh": "请确认 Redis 正在运行，并检查 REDIS_URL；在此之前各进程通过数据库同步。",
        },
    ),
    "data_not_writable": (
        {"en": "{folder} cannot be written.", "zh": "{folder} 无法写入。"},
        {
            "en": "Give it to the user who runs Kefu, or name another one in KEFU_DATA_DIR.",
            "zh": "请将其授权给运行 Kefu 的用户，或用 KEFU_DATA_DIR 指定其他目录。",
        },
    ),
    "disk_full": (
        {"en": "Only {free} are free where {folder} is.", "zh": "{folder} 所在磁盘仅剩 {free}。"},
        {"en": "Make room, or move it to a larger disk.", "zh": "请清理空间，或迁移到更大的磁盘。"},
    ),
    "jobs_late": (
        {
            "en": "Work of the lane {lane} is due for {seconds} s, and nobody does it.",
            "zh": "{lane} 队列的任务已逾期 {seconds} 秒，无人处理。",
        },
        {
            "en": "bulk: start kefu worker (SQLite: kefu serve). talk, desk: start kefu serve.",
            "zh": "bulk：请启动 kefu worker（SQLite 为 kefu serve）；talk、desk：请启动 kefu serve。",
        },
    ),
    "jobs_dead": (
        {"en": "{count} jobs were given up.", "zh": "有 {count} 个任务多次失败后被放弃。"},
        {
            "en": "Look with: kefu jobs dead, and bring back with: kefu jobs retry ID",
            "zh": "查看：kefu jobs dead；重试：kefu jobs retry ID",
        },
    ),
    "font_missing": (
        {"en": "There is no font for PDF files with Chinese.", "zh": "缺少可用于 PDF 的中文字体。"},
        {"en": "Install one: apt-get install fonts-noto-cjk", "zh": "请安装：apt-get install fonts-noto-cjk"},
    ),
    "mail_no_sender": (
        {"en": "SMTP_HOST is set, but nobody mail could come from.", "zh": "已设置 SMTP_HOST，但没有发件地址。"},
        {"en": "Set EMAIL_FROM.", "zh": "请设置 EMAIL_FROM。"},
    ),
    "mail_fails": (
        {"en": "The mail server {host} does not take us: {why}", "zh": "邮件服务器 {host} 连接失败：{why}"},
        {
            "en": "Check SMTP_HOST, SMTP_PORT (465: TLS, others: STARTTLS), SMTP_USERNAME and SMTP_PASSWORD.",
            "zh": "请检查 SMTP_HOST、SMTP_PORT（465 为 TLS，其余为 STARTTLS）、SMTP_USERNAME 与 SMTP_PASSWORD。",
        },
    ),
    "certificate_ends": (
        {"en": "A certificate in {file} ends on {day}.", "zh": "{file} 中的证书将于 {day} 到期。"},
        {"en": "Put a new one in its place ({setting}).", "zh": "请更换证书文件（{setting}）。"},
    ),
    "certificate_unreadable": (
        {"en": "{file} holds no certificate that can be read.", "zh": "无法从 {file} 读取证书。"},
        {"en": "Let Kefu's user read it, or correct {setting}.", "zh": "请授予 Kefu 用户读取权限，或修正 {setting}。"},
    ),
    "provider_fails": (
        {
            "en": "The model of the shop {shop} ({provider} {model}): {why}",
            "zh": "店铺 {shop} 的模型（{provider} {model}）：{why}",
        },
        {
            "en": "Set it right in the workbench (Bot) or in the settings AI_…; meanwhile the builtin bot answers.",
            "zh": "请在工作台（机器人）或 AI_… 设置中修正；在此期间由内置机器人回答。",
        },
    ),
    "no_backup": (
        {"en": "Nothing was ever backed up.", "zh": "从未备份过。"},
        {
            "en": "Set BACKUP_TO and BACKUP_KEY, or run: kefu backup --to DIR",
            "zh": "请设置 BACKUP_TO 与 BACKUP_KEY，或运行：kefu backup --to DIR",
        },
    ),
    "backup_late": (
        {"en": "The last backup is {hours} hours old.", "zh": "最近一次备份已是 {hours} 小时前。"},
        {
            "en": "See why (kefu jobs dead, systemctl status kefu-backup), and run: kefu backup --to DIR",
            "zh": "请查明原因（kefu jobs dead、systemctl status kefu-backup），并运行：kefu backup --to DIR",
        },
    ),
    "backup_not_writable": (
        {"en": "{folder} cannot be written, so nothing is backed up.", "zh": "{folder} 无法写入，备份无法进行。"},
        {
            "en": "Is its disk mounted? Give it to the user who runs Kefu, or name another one in BACKUP_TO.",
            "zh": "请确认磁盘已挂载并授权给运行 Kefu 的用户，或修改 BACKUP_TO。",
        },
    ),
    "backup_tool_missing": (
        {
            "en": "{program} is not installed, so PostgreSQL is not backed up.",
            "zh": "未安装 {program}，无法备份 PostgreSQL。",
        },
        {"en": "Install it: apt-get install postgresql-client", "zh": "请安装：apt-get install postgresql-client"},
    ),
}
ADVICE: frozenset[Ailment] = frozenset({"no_backup", "font_missing"})
WELL: Text = {"en": "Nothing is wrong that could be seen from here.", "zh": "未发现问题。"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`facts` fill in the words."""

    ailment: Ailment
    facts: dict[str, Any]

    @property
    def is_advice(self) -> bool:
        """Something is missing that one may do without."""
        return self.ailment in ADVICE

    def told(self, locale: Locale) -> str:
        wrong, remedy = (words[locale].format_map(self.facts) for words in WORDS[self.ailment])
        return f"{'·' if self.is_advice else '✗'} {wrong}\n    → {remedy}"


def found(ailment: Ailment, **facts: Any) -> Finding:
    return Finding(ailment, facts)
