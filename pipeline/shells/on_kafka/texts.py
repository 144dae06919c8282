"""What the commands around topics say, in both languages."""

from pipeline.shells.texts import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "made": "made {topics}: {names}",
        "all_there": "every topic is there",
        "as_it_must_be": "{topics}, all as they must be",
        "topic": "topic",
        "holds": "holds",
        "key": "key",
        "partitions": "partitions",
        "replication": "replicas",
        "cleanup": "cleanup",
        "kept": "kept",
        "for_ever": "for ever",
        "days": "{days:g} days",
        "none": "-",
    },
    "zh": {
        "made": "已建立 {topics}：{names}",
        "all_there": "所有主题都已存在",
        "as_it_must_be": "{topics}，均符合要求",
        "topic": "主题",
        "holds": "内容",
        "key": "键",
        "partitions": "分区",
        "replication": "副本",
        "cleanup": "清理方式",
        "kept": "保留",
        "for_ever": "永久",
        "days": "{days:g} 天",
        "none": "-",
    },
}
