// The station's page: asks the agent on this computer for its state and shows it. PINs go to the agent only and are
// cleared from their fields before the answer comes.

const TEXTS = {
  title: ["制章工位", "Card station"],
  queue: ["待办任务", "Jobs"],
  history: ["最近完成", "Last done"],
  maker_pin: ["制章授权卡 PIN", "PIN of the maker card"],
  so_pin: ["管理 PIN（SO PIN）", "SO PIN of the card"],
  new_pin: ["新 PIN（由持卡人输入，至少 6 位）", "New PIN (typed by its holder, at least 6 characters)"],
  new_pin_again: ["再次输入新 PIN", "New PIN once more"],
  start_unlock: ["重设 PIN", "Set the new PIN"],
  start_log_in: ["核对码一致，登录", "The code is the same: log in"],
  proved: ["登录已确认", "The login is confirmed"],
  proved_text: ["请回到登录页面，页面会自动进入。可以取出印章卡。", "Go back to the login page, which goes on by itself. The card may be taken out."],
  unlocked: ["PIN 已重设", "The PIN is set anew"],
  unlocked_text: ["新 PIN 已验证可用。可以取出卡。", "The new PIN was tried and opens the card. It may be taken out."],
  card_pin: ["印章卡 PIN", "PIN of the seal card"],
  give_back: ["退回任务", "Give the job back"],
  give_back_title: ["退回这项任务？", "Give this job back?"],
  give_back_text: ["任务将回到下达者，本机不再处理。", "It returns to whoever ordered it; this station does no more for it."],
  reason: ["退回原因", "Reason"],
  cancel: ["取消", "Cancel"],
  keys: ["键盘：↑ ↓ 选择任务 · Tab 移动 · Enter 开始 · PIN 只在本机使用，不会发送到服务器", "Keyboard: ↑ ↓ choose a job · Tab moves · Enter starts · PINs stay on this computer and never reach the server"],
  connected: ["已连接服务器", "Connected to the server"],
  silent: ["未连接服务器", "Not connected to the server"],
  no_jobs: ["没有待办任务。新任务会自动出现在这里。", "No jobs. New ones appear here by themselves."],
  no_past: ["本机还没有完成过任务。", "Nothing has been done here yet."],
  nothing_chosen: ["等待任务", "Waiting for a job"],
  maker_card: ["① 制章授权卡", "① Maker card"],
  seal_card: ["② 印章卡", "② Seal card"],
  insert_maker: ["请插入制章授权卡", "Insert the maker card"],
  insert_seal: ["请插入印章卡", "Insert the seal card"],
  insert_this: ["请插入卡", "Insert card"],
  wrong_card: ["不是任务指定的卡，需要", "Not the card of this job, which needs"],
  no_certificate: ["卡内没有数字证书", "The card holds no certificate"],
  present: ["已插入", "Present"],
  absent: ["未插入", "Absent"],
  not_needed: ["本任务不需要", "Not needed for this job"],
  serial: ["卡号", "Serial"],
  days_left: ["证书剩余 {n} 天", "certificate ends in {n} days"],
  expired: ["证书已过期", "certificate expired"],
  operator: ["经办人", "Operator"],
  document: ["文件", "Document"],
  start_make: ["开始制章", "Make the seal"],
  start_sign: ["确认并签章", "Sign this document"],
  start_all: ["全部签章（{n} 份）", "Sign all {n} documents"],
  all_documents: ["等待这张卡的全部文件", "All documents that wait for this card"],
  batch_progress: ["已完成 {done} / {total}", "{done} of {total} done"],
  batch_failed: ["，{failed} 份未成", ", {failed} not done"],
  resume: ["继续", "Go on"],
  working: ["正在处理，请勿拔卡", "Working; leave the cards in"],
  made: ["制作完成", "Seal made"],
  made_text: ["电子印章已写入印章卡并回读校验通过。可以取出两张卡。", "The seal is on the card and was read back. Both cards may be taken out."],
  signed: ["签章完成", "Signed"],
  signed_text: ["印章卡已对文件签名。可以取出印章卡。", "The card has signed the document. It may be taken out."],
  unreported: ["结果已保存在本机，连接恢复后自动上报。", "The outcome is kept here and reported when the server answers again."],
  failed: ["未完成", "Not done"],
  changed: ["印章卡内容已有改动；重新开始即可从中断处继续，不会重复制章。", "The seal card was changed; starting again goes on from there and never makes a second seal."],
  unchanged: ["印章卡没有任何改动。", "The seal card was not changed."],
  unknown_kind: ["本机程序版本不支持此类任务，请升级。", "This version knows no such job; upgrade it."],
  status_made: ["已制作", "made"], status_signed: ["已签章", "signed"], status_unlocked: ["已解锁", "unlocked"], status_proved: ["已登录", "logged in"], status_failed: ["已退回", "given back"],
  expired_page: ["页面与本机程序失去联系，正在重试…", "The station's program does not answer; trying again…"],
};

const $ = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=agent-token]").content;
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let state = null, chosen = null, shown = "";
let wrong = null; // what the program refused; it stays until the next try or another job

const t = (name, values = {}) => TEXTS[name][language === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (_, k) => values[k]);
const both = (pair) => (pair ? pair[language] : "");

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((c) => c != null));
  return made;
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Yinxu-Agent": "1", "X-Yinxu-Agent-Token": token },
    body: JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw value.error;
  return value;
}

const job = () => state?.jobs.find((j) => j.job_id === chosen) ?? null;
const mine = () => (state?.job && (chosen === null || state.job.job_id === chosen || (state.busy && state.job.batch)) ? state.job : null);

const PINS = ["maker_pin", "card_pin", "so_pin", "new_pin", "new_pin_again"];
const field = (pin) => pin.replaceAll("_", "-");
const KINDS = { make_seal: ["start_make", "made"], sign_document: ["start_sign", "signed"], unlock_pin: ["start_unlock", "unlocked"], log_in: ["start_log_in", "proved"] };

function clearPins() {
  for (const pin of PINS) $(field(pin)).value = "";
}

function choose(id) {
  chosen = id; shown = ""; wrong = null;
  clearPins();
  draw();
}

function drawQueue() {
  const items = state.jobs.map((j) => element("li", {},
    element("button", { type: "button", class: "job", "aria-current": j.job_id === chosen && "true", onclick: () => choose(j.job_id) },
      element("strong", {}, both(j.summary.title)),
      element("span", { class: "muted" }, `#${j.job_id} · ${j.operator.name}`),
      j.interrupted ? element("span", { class: "chip warn" }, t("resume")) : null)));
  $("queue").replaceChildren(...(items.length ? items : [element("li", { class: "empty" }, t("no_jobs"))]));
  const past = state.history.map((p) => element("li", { class: "past" },
    element("strong", {}, language === "zh" ? p.title_zh : p.title_en),
    element("span", { class: "muted" }, `#${p.job_id} · ${t(`status_${p.status}`)} · ${new Date(p.at).toLocaleString(language)}`)));
  $("history").replaceChildren(...(past.length ? past : [element("li", { class: "empty" }, t("no_past"))]));
}

// Documents for the card of this job: several may be signed with one consent.
function together(j) {
  return j?.kind === "sign_document" && j.known ? state.jobs.filter((o) => o.kind === j.kind && o.card_serial === j.card_serial) : [];
}

function drawAbout() {
  const j = job(), p = mine();
  const summary = j?.summary ?? p?.summary, title = summary?.title;
  const lines = (summary?.lines ?? []).map((l) => [both(l), l.value, ""]);
  if (summary?.document) lines.push([t("document"), summary.document.name, ""], ["SHA-256", summary.document.sha256, "mono"]);
  if (j) lines.push([t("operator"), j.operator.name, ""]);
  $("about").replaceChildren(
    p?.picture ? element("img", { src: `/jobs/${p.job_id}/picture`, alt: both(title) }) : "",
    element("h1", {}, title ? both(title) : t("nothing_chosen")),
    element("dl", {}, ...lines.flatMap(([name, value, cls]) => [element("dt", {}, name), element("dd", { class: cls }, value)])),
    batch(j));
}

function batch(j) {
  const all = together(j);
  if (all.length < 2) return "";
  return element("details", { open: true }, element("summary", {}, `${t("all_documents")} (${all.length})`),
    element("ol", { class: "documents" }, ...all.map((o) => element("li", {}, o.summary.document.name, " ", element("span", { class: "mono" }, o.summary.document.sha256.slice(0, 16) + "…")))));
}

function drawSlot(id, heading, card, { needed, expected, missing, next }) {
  const wrong = needed && card && expected && card.serial !== expected;
  const slot = $(id);
  slot.className = ["slot", card && !wrong ? "in" : "", wrong ? "wrong" : "", next ? "next" : ""].join(" ");
  const chip = card ? element("span", { class: "chip good" }, t("present")) : element("span", { class: "chip" }, needed ? t("absent") : t("not_needed"));
  slot.replaceChildren(element("h2", {}, heading, chip));
  if (!card) {
    slot.append(element("p", { class: "name" }, needed ? missing : ""));
    if (needed && expected) slot.append(element("p", { class: "mono" }, expected));
    return;
  }
  slot.append(
    element("p", { class: "name" }, card.certificate ? card.subject : t("no_certificate")),
    element("p", {}, card.organisation ?? ""),
    element("p", { class: "mono" }, `${t("serial")} ${card.serial}`));
  if (wrong) slot.append(element("p", { class: "chip bad" }, `${t("wrong_card")} ${expected}`));
  else if (card.certificate) slot.append(element("p", { class: `chip ${card.days_left < 0 ? "bad" : card.days_left < 30 ? "warn" : ""}` },
    card.days_left < 0 ? t("expired") : t("days_left", { n: card.days_left })));
}

function drawSlots() {
  const j = job(), needsMaker = j ? j.needs.includes("maker_pin") : true;
  const maker = state.slots.maker;
  const seal = (j && state.slots.seals.find((c) => c.serial === j.card_serial)) || state.slots.seal;
  drawSlot("slot-maker", t("maker_card"), maker, { needed: needsMaker, missing: t("insert_maker"), next: j && needsMaker && !maker });
  drawSlot("slot-seal", t("seal_card"), seal, {
    needed: true, expected: j?.card_serial, missing: j ? t("insert_this") : t("insert_seal"), next: j && !seal && (maker || !needsMaker) });
}

function drawSteps() {
  const p = mine();
  $("steps").replaceChildren(...(p ? state.steps : []).map((s) => element("li", { class: s.state },
    both(s), element("small", {}, s.state === "waiting" ? "" : `${s.ms} ms`))));
}

function drawBatch(p) {
  const { total, done, failed } = p.batch;
  return element("div", { class: "batch" }, element("progress", { max: total, value: done + failed }),
    element("p", {}, t("batch_progress", { done, total }) + (failed ? t("batch_failed", { failed }) : "")));
}

function drawResult() {
  const p = mine(), box = $("result");
  const fault = wrong ?? (p?.state === "failed" ? p.fault : null);
  if (fault) {
    box.replaceChildren(element("div", { class: "notice bad" }, element("h2", {}, t("failed")), element("p", {}, both(fault)),
      fault.card_changed === undefined ? "" : element("p", {}, fault.card_changed ? t("changed") : t("unchanged"))));
  } else if (p?.state === "done") {
    const kind = KINDS[p.kind][1];
    box.replaceChildren(element("div", { class: "notice good" }, element("h2", {}, t(kind)), element("p", {}, t(`${kind}_text`)),
      p.reported ? "" : element("p", {}, t("unreported"))));
  } else if (p?.state === "running") {
    box.replaceChildren(element("div", { class: "notice warn" }, t("working")));
  } else box.replaceChildren();
  if (p?.batch) box.append(drawBatch(p));
}

function drawForm() {
  const j = job(), form = $("go");
  form.hidden = !j || !j.known || state.busy;
  if (j && !j.known) $("result").replaceChildren(element("div", { class: "notice warn" }, t("unknown_kind")));
  if (!j) return;
  const needsMaker = j.needs.includes("maker_pin");
  for (const pin of PINS) $(`${field(pin)}-field`).hidden = !j.needs.includes(pin);
  const ready = (!needsMaker || state.slots.maker) && state.slots.seals.some((c) => c.serial === j.card_serial);
  if (ready && $("start").disabled && document.activeElement === document.body) $(field(j.needs[0])).focus();
  $("start").disabled = !ready;
  const all = together(j);
  $("start-all").hidden = all.length < 2;
  $("start-all").disabled = !ready;
  $("start-all").textContent = t("start_all", { n: all.length });
  $("start").textContent = j.interrupted ? t("resume") : t(KINDS[j.kind]?.[0] ?? "resume");
}

function draw() {
  if (chosen !== null && !job() && !mine()) chosen = null;
  if (chosen === null && state.jobs.length && !mine()) chosen = state.jobs[0].job_id;
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = t(place.dataset.t);
  $("language").textContent = language === "zh" ? "EN" : "中文";
  $("station").textContent = `${state.agent.station_name} · ${state.agent.host}`;
  $("link").className = `chip ${state.heartbeat.ok ? "good" : "bad"}`;
  $("link").textContent = state.heartbeat.ok ? t("connected") : state.heartbeat.fault ? both(state.heartbeat.fault) : t("silent");
  drawQueue(); drawAbout(); drawSlots(); drawSteps(); drawResult(); drawForm();
}

async function look() {
  try {
    state = await (await fetch("/state")).json();
    const now = JSON.stringify([state, language, chosen]);
    if (now !== shown) { shown = now; draw(); }
    $("link").title = "";
  } catch {
    $("link").className = "chip bad";
    $("link").textContent = t("expired_page");
    shown = "";
  }
  setTimeout(look, state?.busy ? 150 : 500);
}

$("go").addEventListener("submit", async (event) => {
  event.preventDefault();
  const j = job(), body = {};
  for (const pin of j.needs) body[pin] = $(field(pin)).value;
  if (event.submitter?.id === "start-all") body.also = together(j).map((o) => o.job_id).filter((id) => id !== j.job_id);
  clearPins();
  try { state = await ask(`/jobs/${j.job_id}/run`, body); shown = ""; wrong = null; draw(); }
  catch (error) { wrong = error; draw(); }
});

$("give-back").addEventListener("click", () => { $("reason").value = ""; $("give-back-dialog").showModal(); });
$("give-back-dialog").addEventListener("close", async () => {
  if ($("give-back-dialog").returnValue !== "yes") return;
  try { state = await ask(`/jobs/${chosen}/give-back`, { reason: $("reason").value }); shown = ""; wrong = null; draw(); }
  catch (error) { wrong = error; draw(); }
});

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  draw();
});

document.addEventListener("keydown", (event) => {
  if (!state || !["ArrowUp", "ArrowDown"].includes(event.key) || event.target.tagName === "INPUT") return;
  event.preventDefault();
  const at = state.jobs.findIndex((j) => j.job_id === chosen);
  const next = state.jobs[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { choose(next.job_id); document.querySelector(".job[aria-current]")?.focus(); }
});

look();
