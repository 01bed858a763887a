"""Each rule of the checks, said to somebody who cannot program: what is wrong with which step, and what to do. Pure.

`{name}` is the step's name. A rule with several causes keeps the check's own sentence (`{said}`), with the words of the
file in plain language. `tests/studio/test_problems.py` holds that every rule of the checks stands here.
"""

import re

from app.bpmn.problem import Problem
from app.glossary import PARAMETERS
from app.studio.naming import Names, filled
from app.text import Text

SAID = Text("{said}", "{said}")
WORDS: dict[str, tuple[Text, Text]] = {
    # rule: what is wrong, what to do
    "root": (
        Text("文件不是 BPMN 2.0 流程图", "The file is no BPMN 2.0 diagram"),
        Text("从已发布的版本新建草稿，或导入流程图文件", "Start a draft from a published version, or import a diagram"),
    ),
    "too_many": (SAID, Text("把一部分画成另一个流程，用子流程步骤调用", "Draw a part as a flow of its own, and call it")),
    "too_deep": (SAID, Text("把里层画成另一个流程，用子流程步骤调用", "Draw the inner part as a flow of its own, and call it")),
    "one_process": (SAID, Text("一份草稿只画一个流程，删去多余的", "Draw one flow in a draft; remove the others")),
    "process_id": (Text("流程没有标识", "The flow has no id"), Text("从已发布的版本重新新建草稿", "Start another draft from a published version")),
    "executable": (Text("流程没有标为可执行", "The flow is not marked as one that runs"), Text("从已发布的版本重新新建草稿", "Start another draft from a published version")),
    "start": (Text("{name}没有开始", "{name} has no start"), Text("添加一个开始事件，并连到第一个步骤", "Add a start, and lead a flow from it to the first step")),
    "unsupported": (Text("{name}是不能运行的图元", "{name} is of a kind that cannot be run"), Text("改用人工步骤、自动步骤（从操作列表中选择）或分支", "Use a person's step, an automatic step (chosen from the list of actions) or a branch")),
    "boundary": (Text("{name}没有依附在步骤上，或没有说明等什么", "{name} sits on no step, or waits for nothing"), Text("把它拖到一个步骤的边上，并选择定时或消息", "Drag it onto the edge of a step, and choose a time or a message")),
    "duplicate_id": (Text("{name}与另一个图元的内部标识相同", "{name} has the same inner id as another shape"), Text("删去其中一个，重新添加", "Remove one of the two, and add it anew")),
    "reserved_id": (Text("{name}的内部标识是系统保留的", "The inner id of {name} is reserved"), Text("删去它，重新添加", "Remove it, and add it anew")),
    "border": (Text("{name}不允许：连线不能进入开始、离开结束或穿出子流程", "{name} is not allowed: none may enter a start, leave an end, or cross a sub-process's border"), Text("删去这条连线，改连到相邻的步骤", "Remove this flow, and lead it to a neighbouring step")),
    "event_gateway": (Text("{name}之后只能是等待消息或等待时间", "Only a wait for a message or a time may follow {name}"), Text("在它之后放等待事件，或改用普通分支", "Put waits after it, or use an ordinary branch")),
    "dangling": (Text("{name}有一端没有连上", "{name} is not connected at one end"), Text("把它连到一个步骤，或删去", "Connect it to a step, or remove it")),
    "unreachable": (Text("没有路能走到{name}", "No way leads to {name}"), Text("从前一个步骤连一条线过来，或删去它", "Lead a flow to it from the step before, or remove it")),
    "dead_end": (Text("{name}之后没有路：流程会停在这里", "Nothing follows {name}: the flow would stop there"), Text("连到下一个步骤或结束", "Lead a flow to the next step, or to an end")),
    "split": (Text("{name}有多条出线", "Several flows leave {name}"), Text("在它之后放一个分支，由分支决定走哪条", "Put a branch after it that says which way is taken")),
    "condition": (Text("{name}没有条件，也不是默认出线", "{name} has no condition and is not the default"), Text("为这条连线选择条件，或把它设为默认", "Choose a condition for it, or make it the default")),
    "default": (Text("{name}没有默认出线：条件都不成立时流程会停住", "{name} has no default: where no condition holds, the flow stops"), Text("把其中一条出线设为默认", "Make one of the flows that leave it the default")),
    "extension": (Text("{name}带有不认识的扩展，不会被执行", "{name} carries an extension that is not known and never run"), Text("删去该图元，用左侧的图元重新添加", "Remove the shape, and add it anew from the palette")),
    "language": (Text("{name}的条件用了别的语言，从不执行", "The condition of {name} is in another language and is never evaluated"), Text("在条件中重新选择字段、比较方式和取值", "Choose the field, the comparison and the value again")),
    "feel": (Text("{name}的条件读不懂", "The condition of {name} cannot be read"), Text("在条件中重新选择字段、比较方式和取值", "Choose the field, the comparison and the value again")),
    "loop": (Text("{name}的次数不对", "How often {name} is done is wrong"), Text("填写 1 至 1000 之间的整数", "Give a whole number from 1 to 1000")),
    "timer": (Text("{name}的时间不对：要大于零，写法要能读懂", "The time of {name} is wrong: it must be more than nothing, and readable"), Text("在“时限”或“时间”中重新填写天数或小时数", "Give the days or hours again under “due” or “time”")),
    "link": (
        Text("链接{name}没有恰好一个接收它的图元", "The link {name} is not caught by exactly one shape"),
        Text("在同一层放一个同名的接收链接，或直接连线", "Put one catching link of the same name beside it, or draw a flow instead"),
    ),
    "schedule": (
        Text("{name}的时间是别的系统的写法", "The time of {name} is written as another system would"),
        Text("在“时间”中重新选择多久一次", "Choose again under “time” how often"),
    ),
    "decision": (Text("{name}用的规则表不存在", "The rule table of {name} does not exist"), Text("选择草稿中的一张规则表，或导入它", "Choose one of the draft's rule tables, or import it")),
    "call": (Text("{name}调用的流程不存在", "The flow that {name} calls does not exist"), Text("选择一个已发布的流程，或先发布它", "Choose a published flow, or publish that first")),
    "action": (Text("{name}没有选择要做的操作，或该操作不存在", "{name} names no action, or one that does not exist"), Text("从操作列表中选择", "Choose one from the list of actions")),
    "parameter": (Text("{name}的操作参数不对：{detail}", "The parameters of {name} are wrong: {detail}"), Text("重新选择操作，并为每个参数选择来源", "Choose the action again, and where each of its parameters comes from")),
    "role": (Text("{name}没有人能办理：没有选择角色，或角色不存在", "Nobody could do {name}: it names no role, or one that does not exist"), Text("在“由谁办理”中选择角色", "Choose a role under “who acts”")),
    "form": (Text("{name}用的表单不存在", "The form of {name} does not exist"), Text("选择草稿中的一张表单，或先添加它", "Choose one of the draft's forms, or add it first")),
    "message": (Text("{name}等待的消息没有名称", "The message that {name} waits for has no name"), Text("选择要等待的消息", "Choose the message to wait for")),
    "correlation": (Text("{name}没有说明消息与哪一件事对应", "{name} does not say which case its message is about"), Text("选择用来对应的编号，如申请编号", "Choose the number that ties them together, such as the application's")),
    "misplaced": (SAID, Text("这项设置只用于人工步骤，请去掉", "This setting belongs to a person's step; take it away")),
    "on_timeout": (SAID, Text("在“超时怎么办”中重新选择", "Choose again under “when it is late”")),
    "own_hand": (SAID, Text("去掉“须本人亲办”，或去掉自动通过、到时自动办结", "Take away either “by one's own hand” or what would pass it by itself")),
    "batch": (Text("{name}须逐项办理，不能批量办理", "{name} is decided one by one and cannot be decided together with others"), Text("去掉“可批量办理”", "Take away “may be decided together”")),
    "vote": (SAID, Text("在“会签”和“自动通过”中重新选择方式、人员和比例", "Choose again under “votes” and “passing by itself”: how it counts, who is asked, which share")),
    "return": (SAID, Text("在“退回”中重新选择", "Choose again under “sending back”")),
    "irreversible": (SAID, Text("这项设置只用于自动步骤，请去掉", "This setting belongs to an automatic step; take it away")),
    "withdraw": (SAID, Text("在流程设置的“撤回”中重新选择", "Choose again under “withdrawing”, in the flow's settings")),
    "resubmit": (SAID, Text("在“退回后重新提交”中重新选择", "Choose again under “submitting anew”")),
    "start_task": (SAID, Text("在流程设置中重新选择发起人的步骤", "Choose the applicant's step again in the flow's settings")),
}  # fmt: skip
STRICTER = {"unreachable", "dead_end", "message", "correlation", "call"}
"""Advice to whoever runs a file from elsewhere; a mistake in a flow of ours."""

PLAIN: dict[str, Text] = {
    "ownHand": Text("须本人亲办", "by one's own hand"),
    "batch": Text("可批量办理", "may be decided together"),
    "onTimeout": Text("超时怎么办", "when it is late"),
    "dueIn": Text("时限", "due time"),
    "every": Text("提醒间隔", "how often one is reminded"),
    "atMost": Text("提醒次数", "how many reminders"),
    "escalateTo": Text("升级给谁", "to whom it escalates"),
    "timeoutOutcome": Text("超时结论", "the outcome when late"),
    "vote": Text("会签方式", "how votes count"),
    "voters": Text("会签人员", "who votes"),
    "voterRole": Text("会签角色", "the role that votes"),
    "addSigners": Text("允许加签", "adding people"),
    "share": Text("比例", "share"),
    "weights": Text("票权", "weights"),
    "merge": Text("并入数据", "merging into the data"),
    "page": Text("专用页面", "a page of its own"),
    "repeat": Text("同一审批人再次审批", "the same approver again"),
    "own": Text("发起人即审批人", "one's own application"),
    "nobody": Text("找不到人时", "nobody found"),
    "pass": Text("自动通过", "pass by itself"),
    "refuse": Text("自动不同意", "refuse by itself"),
    "remind": Text("提醒", "remind"),
    "escalate": Text("升级", "escalate"),
    "superior": Text("由上级办理", "the superior"),
    "wait": Text("等待", "wait"),
    "incident": Text("报告受阻", "report it as stopped"),
    "admin": Text("转流程管理员", "the process owner"),
    "weighted": Text("按票权", "by weight"),
    "ratio": Text("按比例", "by share"),
    "resubmit": Text("重新提交", "submitting anew"),
    "start_task": Text("发起人的步骤", "the applicant's step"),
    "irreversible": Text("不可撤销", "irreversible"),
}


def told(problem: Problem, names: Names) -> tuple[Text, Text] | None:
    """The sentence and the remedy; None for what only follows from something else that is told."""
    sentence, remedy = WORDS.get(
        problem.rule, (SAID, Text("请熟悉流程图的同事协助", "Ask somebody who knows BPMN"))
    )
    if problem.rule == "dangling" and names.is_connected(problem.element):
        return None  # both ends are drawn; one of them is of a kind that cannot be run
    name = names.of(problem.element)
    values = {"name": name, "said": _plain(problem, names), "detail": _parameter(problem)}
    return capital(filled(sentence, values)), remedy


def capital(text: Text) -> Text:
    return Text(text.zh, text.en[:1].upper() + text.en[1:])


def _parameter(problem: Problem) -> Text:
    """Which parameter is lacking or not known."""
    match = re.search(r"参数 ([^\s（]+)", problem.text.zh)
    name = match[1] if match else ""
    said = PARAMETERS.get(name, Text(name, name))
    if "没有给" in problem.text.zh:
        return Text(f"缺少“{said.zh}”", f"“{said.en}” is missing")
    return Text(f"多了“{said.zh}”", f"“{said.en}” is not known")


def _plain(problem: Problem, names: Names) -> Text:
    """The check's own sentence, in plain words, with the step's name in the reader's language."""
    element, name = names.elements.get(problem.element), names.of(problem.element)
    drawn = str(element.get("name") or element.get("id")) if element is not None else problem.element
    zh = problem.text.zh.replace(f"「{drawn}」", "\0", 1).replace("（ownHand）", "")
    en = problem.text.en.replace(f'"{drawn}"', "\0", 1).replace(" (ownHand)", "")
    zh = _PAIR.sub(lambda found: f"“{_of(found[1]).zh}：{_of(found[2]).zh}”", zh)
    en = _PAIR.sub(lambda found: f"“{_of(found[1]).en}: {_of(found[2]).en}”", en)
    return Text(
        _WORD.sub(lambda found: _of(found[1]).zh, zh).replace("\0", name.zh),
        _CAMEL.sub(lambda found: _of(found[0]).en, en).replace("\0", name.en),
    )


def _of(word: str) -> Text:
    return PLAIN.get(word, Text(word, word))


_PAIR = re.compile(r"\b([A-Za-z_]+)=([A-Za-z_]+)\b")
_WORD = re.compile(r" ?([A-Za-z_]+) ?")
_CAMEL = re.compile(r"\b(?:ownHand|onTimeout|dueIn|atMost|escalateTo|timeoutOutcome|voterRole|start_task)\b")
