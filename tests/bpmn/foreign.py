"""Diagrams as other tools write them: other prefixes, no ids, no DI, things left open. All of our own drawing."""

import itertools

from tests.bpmn.diagrams import shape

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"


def arrows(*pairs: str) -> str:
    """`a>b` flows, some with a condition: `a>b?amount > 5`."""
    made: list[str] = []
    for number, pair in enumerate(pairs):
        ends, _, condition = pair.partition("?")
        source, _, target = ends.partition(">")
        said = condition.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        inside = f"<bpmn:conditionExpression>{said}</bpmn:conditionExpression>" if said else ""
        made.append(
            f'<bpmn:sequenceFlow id="f{number}_{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}'
            "</bpmn:sequenceFlow>"
        )
    return "".join(made)


def file(*processes: str, around: str = "", head: str = "") -> bytes:
    return (
        f'{head}<bpmn:definitions xmlns:bpmn="{MODEL}" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tns="urn:x" id="d" '
        f'expressionLanguage="http://www.w3.org/1999/XPath">{around}{"".join(processes)}</bpmn:definitions>'
    ).encode()


def process(*parts: str, key: str = "p") -> str:
    return f'<bpmn:process id="{key}" isExecutable="false">{"".join(parts)}</bpmn:process>'


def event(kind: str, ident: str, what: str, inside: str = "", said: str = "", **attributes: str) -> str:
    return shape(
        kind, ident, f"<bpmn:{what}EventDefinition {said}>{inside}</bpmn:{what}EventDefinition>", **attributes
    )


START, END = shape("startEvent", "s"), shape("endEvent", "e")


def row(*shapes: str, names: str) -> str:
    """s → the shapes in a row → e."""
    chain = ["s", *names.split(), "e"]
    return START + "".join(shapes) + END + arrows(*(f"{a}>{b}" for a, b in itertools.pairwise(chain)))


def one(*shapes: str, names: str) -> bytes:
    return file(process(row(*shapes, names=names)))


MANY = "multiInstanceLoopCharacteristics"
LOOP = "standardLoopCharacteristics"

ACCEPTED: dict[str, bytes] = {
    "every task": one(
        *(shape(kind, kind) for kind in (
            "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask")),
        shape("callActivity", "call", calledElement="tns:elsewhere"), shape("callActivity", "nothing"),
        names="task userTask manualTask serviceTask sendTask receiveTask businessRuleTask call nothing",
    ),
    "no start and no end": file(process(shape("task", "a"), shape("task", "b"), arrows("a>b"))),
    "nothing at all": file(process()),
    "an empty sub-process": one(shape("subProcess", "sub"), names="sub"),
    "a sub-process of loose tasks": one(
        shape("subProcess", "sub", shape("task", "a") + shape("task", "b") + shape("manualTask", "c") + arrows("b>c")),
        names="sub",
    ),
    "a sub-process with two starts": one(
        shape("subProcess", "sub", shape("startEvent", "s1") + event("startEvent", "s2", "timer") + shape("task", "a")
              + shape("task", "b") + arrows("s1>a", "s2>b", "s2>a")),
        names="sub",
    ),
    "ids that the engine keeps for itself": file(process(
        shape("startEvent", "Start"), shape("task", "Root"), shape("endEvent", "End"), arrows("Start>Root", "Root>End"))),
    "several starts": file(process(
        shape("startEvent", "s1"), event("startEvent", "s2", "message"), event("startEvent", "s3", "timer"),
        event("startEvent", "s4", "signal"), shape("task", "a"), END, arrows("s1>a", "s2>a", "s3>a", "s4>a", "a>e"))),
    "a message start alone": file(process(
        event("startEvent", "s", "message", said='messageRef="tns:m"'), END, arrows("s>e")),
        around='<bpmn:message id="m"/>'),
    "every event on the way": one(
        shape("intermediateThrowEvent", "none"), shape("intermediateCatchEvent", "bare"),
        event("intermediateCatchEvent", "message", "message"), event("intermediateThrowEvent", "tell", "message"),
        event("intermediateCatchEvent", "signal", "signal"), event("intermediateThrowEvent", "call", "signal"),
        event("intermediateCatchEvent", "open", "timer"),
        event("intermediateCatchEvent", "empty", "timer", "<bpmn:timeDate/>"),
        event("intermediateCatchEvent", "day", "timer", "<bpmn:timeDate>2027-01-01T00:00:00Z</bpmn:timeDate>"),
        event("intermediateCatchEvent", "hour", "timer", "<bpmn:timeDuration> PT0.5H\n</bpmn:timeDuration>"),
        event("intermediateCatchEvent", "often", "timer", "<bpmn:timeCycle>R3/PT10M</bpmn:timeCycle>"),
        event("intermediateThrowEvent", "up", "escalation"),
        names="none bare message tell signal call open empty day hour often up",
    ),
    "every end": file(process(
        START, shape("parallelGateway", "g"), *(event("endEvent", k, k) for k in (
            "message", "signal", "error", "escalation")), END,
        arrows("s>g", "g>message", "g>signal", "g>error", "g>escalation", "g>e"))),
    "an end that ends all": file(process(
        START, shape("parallelGateway", "g"), shape("task", "never"), shape("serviceTask", "quick"),
        event("endEvent", "stop", "terminate"), END, arrows("s>g", "g>never", "g>quick", "quick>stop", "never>e"))),
    "events on borders": file(process(
        START, shape("userTask", "t"),
        *(event("boundaryEvent", k, k, attachedToRef="tns:t") for k in ("message", "timer", "signal", "error")),
        event("boundaryEvent", "late", "timer", "<bpmn:timeCycle>R/PT1H</bpmn:timeCycle>", attachedToRef="t",
              cancelActivity="false"),
        event("boundaryEvent", "note", "message", attachedToRef="t", cancelActivity="false"),
        shape("task", "other"), END,
        arrows("s>t", "t>e", "message>other", "timer>other", "signal>other", "error>other", "other>e"))),
    "an error out of a sub-process": file(process(
        START, shape("subProcess", "sub", shape("startEvent", "i") + event("endEvent", "bad", "error",
              said='errorRef="boom"') + arrows("i>bad")),
        event("boundaryEvent", "caught", "error", attachedToRef="sub", said='errorRef="boom"'),
        shape("task", "repair"), END, arrows("s>sub", "sub>e", "caught>repair", "repair>e")),
        around='<bpmn:error id="boom"/>'),
    "an event-based gateway": file(process(
        START, shape("eventBasedGateway", "g"), event("intermediateCatchEvent", "m", "message"),
        event("intermediateCatchEvent", "t", "timer", "<bpmn:timeDuration>PT1H</bpmn:timeDuration>"), shape("receiveTask", "r"),
        event("intermediateCatchEvent", "n", "signal"), END,
        arrows("s>g", "g>m", "g>t", "g>r", "g>n", "m>e", "t>e", "r>e", "n>e"))),
    "gateways that say nothing": file(process(
        START, shape("exclusiveGateway", "x"), shape("task", "a"), shape("task", "b"), shape("exclusiveGateway", "y"),
        shape("inclusiveGateway", "i"), shape("task", "c"), shape("task", "d"), shape("inclusiveGateway", "j"), END,
        arrows("s>x", "x>a", "x>b", "a>y", "b>y", "y>i", "i>c", "i>d", "c>j", "d>j", "j>e"))),
    "FEEL conditions over unknown data": file(process(
        START, shape("exclusiveGateway", "x", default="f2_x_b"), shape("task", "a"), shape("task", "b"), END,
        arrows("s>x", "x>a?order.amount > 1000 and count(order.lines) > 2", "x>b", "a>e", "b>e"))),
    "a FEEL condition that starts with an equals sign": file(process(
        START, shape("exclusiveGateway", "x", default="f2_x_b"), shape("task", "a"), shape("task", "b"), END,
        arrows("s>x", "x>a?= amount > 1000", "x>b", "a>e", "b>e"))),
    "a loop back": file(process(
        START, shape("task", "a"), shape("exclusiveGateway", "x"), END, arrows("s>a", "a>x", "x>a?not(ok)", "x>e?ok"))),
    "arrows out of a task": file(process(
        START, shape("task", "a"), shape("task", "b"), shape("task", "c"), shape("parallelGateway", "j"), END,
        arrows("s>a", "a>b", "a>c", "b>j", "c>j", "j>e"))),
    "conditions on arrows out of a task": file(process(
        START, shape("task", "a", default="f2_a_c"), shape("task", "b"), shape("task", "c"), END,
        arrows("s>a", "a>b?x > 1", "a>c", "b>e", "c>e"))),
    "two arrows between the same shapes": file(process(
        START, shape("parallelGateway", "g"), shape("parallelGateway", "j"), END, arrows("s>g", "g>j", "g>j", "j>e"))),
    "loops that say how long": one(
        shape("task", "a", f'<bpmn:{LOOP} loopMaximum="3"/>'), shape("task", "b", f"<bpmn:{LOOP}/>"),
        shape("userTask", "c", f"<bpmn:{LOOP}><bpmn:loopCondition>not(done)</bpmn:loopCondition></bpmn:{LOOP}>"),
        shape("subProcess", "d", f'<bpmn:{LOOP} testBefore="true" loopMaximum="2"/>' + shape("task", "inner")),
        names="a b c d",
    ),
    "many instances, said and unsaid": one(
        shape("userTask", "a", f"<bpmn:{MANY}/>"), shape("userTask", "b", f'<bpmn:{MANY} isSequential="true"/>'),
        shape("task", "c", f"<bpmn:{MANY}><bpmn:loopCardinality>3</bpmn:loopCardinality></bpmn:{MANY}>"),
        shape("task", "f", f'<bpmn:{MANY} camunda:collection="people" camunda:elementVariable="who">'
              f"<bpmn:completionCondition>nrOfCompletedInstances >= 1</bpmn:completionCondition></bpmn:{MANY}>"),
        shape("subProcess", "g", f"<bpmn:{MANY}/>" + shape("task", "inner")),
        shape("callActivity", "h", f'<bpmn:{MANY} isSequential="true"/>', calledElement="x"),
        shape("receiveTask", "i", f"<bpmn:{MANY}/>"),
        names="a b c f g h i",
    ),
    "a called process of the file": file(
        process(row(shape("callActivity", "call", calledElement="q"), names="call")),
        process(shape("startEvent", "qs"), shape("task", "qt"), arrows("qs>qt"), key="q")),
    "pools that talk": file(
        process(row(event("intermediateThrowEvent", "ask", "message"), shape("receiveTask", "answer"), names="ask answer")),
        process(event("startEvent", "qs", "message"), shape("sendTask", "qt"), arrows("qs>qt"), key="q"),
        around='<bpmn:collaboration id="c"><bpmn:participant id="p1" processRef="p"/><bpmn:participant id="p2" '
        'processRef="q"/><bpmn:participant id="p3"/><bpmn:messageFlow id="m1" sourceRef="ask" targetRef="qs"/>'
        "</bpmn:collaboration>"),
    "things that only lie about": file(process(
        '<bpmn:laneSet id="ls"><bpmn:lane id="l" name="Sales"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>',
        '<bpmn:ioSpecification><bpmn:inputSet/><bpmn:outputSet/></bpmn:ioSpecification><bpmn:property id="pr"/>',
        row(shape("userTask", "a",
            '<bpmn:documentation>&lt;!DOCTYPE html></bpmn:documentation><bpmn:extensionElements><camunda:formData/>'
            '<camunda:executionListener event="end"><camunda:script scriptFormat="groovy">boom()</camunda:script>'
            '</camunda:executionListener></bpmn:extensionElements>'
            '<bpmn:ioSpecification><bpmn:dataInput id="in"/><bpmn:inputSet><bpmn:dataInputRefs>in</bpmn:dataInputRefs>'
            '</bpmn:inputSet><bpmn:outputSet/></bpmn:ioSpecification><bpmn:dataInputAssociation id="dia">'
            "<bpmn:sourceRef>ref</bpmn:sourceRef><bpmn:targetRef>in</bpmn:targetRef></bpmn:dataInputAssociation>"
            "<bpmn:potentialOwner><bpmn:resourceAssignmentExpression><bpmn:formalExpression>${who}</bpmn:formalExpression>"
            "</bpmn:resourceAssignmentExpression></bpmn:potentialOwner>"), names="a"),
        '<bpmn:dataObject id="do"/><bpmn:dataObjectReference id="ref" dataObjectRef="do"/>',
        '<bpmn:dataStoreReference id="store"/><bpmn:textAnnotation id="ta"><bpmn:text>x</bpmn:text></bpmn:textAnnotation>',
        '<bpmn:association id="as" sourceRef="a" targetRef="ta"/><bpmn:group id="gr"/>')),
    "no ids where none are needed": file(
        '<bpmn:process><bpmn:startEvent id="s"/><bpmn:task id="t"><bpmn:multiInstanceLoopCharacteristics/></bpmn:task>'
        '<bpmn:task/><bpmn:endEvent id="e"/><bpmn:sequenceFlow sourceRef="s" targetRef="t"/>'
        '<bpmn:sequenceFlow sourceRef="t" targetRef="e"/></bpmn:process>'),
    "a gateway whose arrows have no ids": file(process(
        START, shape("exclusiveGateway", "x"), shape("task", "a"), shape("task", "b"),
        *(f'<bpmn:sequenceFlow sourceRef="{a}" targetRef="{b}"/>' for a, b in ("sx", "xa", "xb")))),
    "a loop on what cannot be done twice": one(
        shape("intermediateThrowEvent", "t", f'<bpmn:{LOOP} loopMaximum="2"/>'), names="t"),
    "flows of a sub-process drawn in its parent": file(process(
        row(shape("subProcess", "sub", shape("startEvent", "i") + shape("task", "a") + shape("endEvent", "o")), names="sub"),
        arrows("i>a", "a>o"))),
    "an event defined elsewhere": file(process(
        START, shape("intermediateCatchEvent", "t", "<bpmn:eventDefinitionRef>tns:ted</bpmn:eventDefinitionRef>"), END,
        arrows("s>t", "t>e")),
        around='<bpmn:timerEventDefinition id="ted"><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>'),
    "a link instead of an arrow": file(process(
        START, event("intermediateThrowEvent", "out", "link", said='name="A"'),
        event("intermediateCatchEvent", "in", "link", said='name="A"'), shape("task", "t"), END,
        arrows("s>out", "in>t", "t>e"))),
    "a transaction that may be cancelled": file(process(
        START, shape("transaction", "tx", shape("startEvent", "i") + shape("exclusiveGateway", "x") + shape("endEvent", "o")
              + event("endEvent", "no", "cancel") + arrows("i>x", "x>o?ok", "x>no?not(ok)")),
        event("boundaryEvent", "b", "cancel", attachedToRef="tx"), shape("task", "after"), END,
        arrows("s>tx", "tx>e", "b>after", "after>e"))),
    "names with blanks": file(process(
        '<bpmn:dataObject id="do" name="Requested Amount"/><bpmn:property id="pr" name="Applicant\'s age"/>',
        START, shape("exclusiveGateway", "x", default="f2_x_b"), shape("task", "a"), shape("task", "b"), END,
        arrows("s>x", "x>a?Requested Amount > 1000 and order__kind = 1 and Applicant's age > 18 and order.total sum > 3", "x>b", "a>e", "b>e"))),
    "what FEEL is elsewhere": file(process(
        START, shape("exclusiveGateway", "x", default="f2_x_b"), shape("task", "a"), shape("task", "b"), END,
        arrows("s>x", "x>a?=is defined(y) and get or else(`due days`, 3) > 2", "x>b", "a>e", "b>e"))),
    "cycles with an end": file(process(
        START, shape("userTask", "t"),
        *(event("boundaryEvent", ident, "timer", f"<bpmn:timeCycle>{said}</bpmn:timeCycle>", attachedToRef="t",
                cancelActivity="0") for ident, said in (
            ("b1", "R/PT1H/2030-01-01T00:00:00Z"), ("b2", "R2/2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"), ("b3", "PT1H"),
            ("b4", "R-1/PT1H"), ("b5", "PaymentTerm"))),
        event("boundaryEvent", "b6", "timer", "<bpmn:timeDate>2026-12-01T12:00:00+02:00[Europe/Berlin]</bpmn:timeDate>",
              attachedToRef="t"), END,
        arrows("s>t", "t>e"))),
    "a process called as Zeebe has it": file(
        process(row(shape("callActivity", "call", '<bpmn:extensionElements><z:calledElement xmlns:z="urn:z" processId="q"/>'
                          "</bpmn:extensionElements>"), names="call")),
        process(shape("startEvent", "qs"), shape("task", "qt"), arrows("qs>qt"), key="q")),
    "ids that are no names": file(process(
        shape("startEvent", "a b"), shape("userTask", "x:y/z#1"),
        event("boundaryEvent", "1b", "message", attachedToRef="x:y/z#1", said='messageRef="m:1"'), shape("endEvent", "e"),
        arrows("a b>x:y/z#1", "x:y/z#1>e", "1b>e")), around='<bpmn:message id="m:1" name="M"/>'),
}  # fmt: skip
