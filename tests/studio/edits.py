"""What a process owner changes in the shipped approval, as text: a step more, another rule, another due time."""

LEGAL = """
    <bpmn:userTask id="legal_review" name="法务审核">
      <bpmn:extensionElements>
        <spiffworkflow:properties>
          <spiffworkflow:property name="en" value="Legal review" />
          <spiffworkflow:property name="role" value="seal_office_head" />
          <spiffworkflow:property name="form" value="review" />
          <spiffworkflow:property name="dueIn" value="P2WD" />
        </spiffworkflow:properties>
      </bpmn:extensionElements>
      <bpmn:incoming>review_to_legal</bpmn:incoming>
      <bpmn:outgoing>legal_to_reviewed</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:sequenceFlow id="review_to_legal" sourceRef="review" targetRef="legal_review" />
    <bpmn:sequenceFlow id="legal_to_reviewed" sourceRef="legal_review" targetRef="reviewed" />
"""
SHAPE = """
      <bpmndi:BPMNShape id="legal_review_di" bpmnElement="legal_review">
        <dc:Bounds x="345" y="340" width="110" height="80" />
      </bpmndi:BPMNShape>
"""


def with_legal_review(bpmn: str) -> str:
    """法务审核 after the office's review."""
    old = '<bpmn:sequenceFlow id="review_to_reviewed" sourceRef="review" targetRef="reviewed" />'
    assert old in bpmn
    edge = bpmn[bpmn.index('<bpmndi:BPMNEdge id="review_to_reviewed_di"') :]
    edge = edge[: edge.index("</bpmndi:BPMNEdge>") + len("</bpmndi:BPMNEdge>")]
    changed = bpmn.replace(edge, SHAPE).replace(old, LEGAL)
    return changed.replace(
        "<bpmn:outgoing>review_to_reviewed</bpmn:outgoing>", "<bpmn:outgoing>review_to_legal</bpmn:outgoing>"
    ).replace(
        "<bpmn:incoming>review_to_reviewed</bpmn:incoming>",
        "<bpmn:incoming>legal_to_reviewed</bpmn:incoming>",
    )


def with_threshold(dmn: str, level: int) -> str:
    """Whose official seals the office decides alone: those of units below `level`."""
    assert "&gt; 1<" in dmn
    return dmn.replace("&gt; 1<", f"&gt; {level}<")
