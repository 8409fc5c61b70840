import { html } from "../../ui.js";
import { send } from "../../api.js";
import { useAsk } from "../../parts/ask.js";
import { Choice } from "../../parts/choice.js";
import { Field, faultOf } from "../../parts/field.js";
import { JsonField, readObject } from "../../parts/json-field.js";

/** unset is how a conversation begins. */
export const unset = { model: "", grounded: true, topK: "", filter: "", tools: false, system: "", temperature: "", maxTokens: "" };

/** requestOf is what the settings add to a message: {request}, or {error} of the field `filter`. */
export function requestOf(s) {
  const filter = readObject(s.filter);
  if (s.grounded && filter.error) return { error: filter.error };
  return { request: {
    ...(s.model && { modelId: s.model }),
    ...(s.grounded && { rag: { ...(s.topK && { topK: Number(s.topK) }), ...(filter.value && { filter: filter.value }) } }),
    ...(s.tools && { tools: [{ type: "platform" }] }),
    ...(s.system && { system: s.system }),
    ...(s.temperature !== "" && { temperature: Number(s.temperature) }),
    ...(s.maxTokens && { maxTokens: Number(s.maxTokens) }),
  } };
}

// The list of models does not tell what one is for.
const noChat = /\b(bge|embed|embedding|aura|melotts|tts|whisper)/i;

/** Settings is how the next message is answered. */
export function Settings({ value, change, error, wrong }) {
  const { data: models = [] } = useAsk(async (signal) => { // where they are not to be had, the tenant's own will do
    const { data } = await (await send("GET", "/v1/models", { signal })).json();
    return data.map((m) => m.id).filter((id) => id !== "default" && !noChat.test(id));
  });
  const set = (name) => (event) => change({ ...value, [name]: event.target.type === "checkbox" ? event.target.checked : event.target.value });
  const text = (name, props, more) => html`<input ...${props} type="number" inputmode="decimal" value=${value[name]} onInput=${set(name)} ...${more} />`;
  return html`<div class="settings">
    <${Choice} label="Model" none="the tenant's own" error=${faultOf(error, "modelId")} options=${models} value=${value.model} change=${(model) => change({ ...value, model })} />
    <${Field} label="Sources, at most" error=${faultOf(error, "rag.topK")}>${(props) => text("topK", props, { min: 1, max: 50, placeholder: "the tenant's own", disabled: !value.grounded })}<//>
    <${Field} label="Temperature" error=${faultOf(error, "temperature")}>${(props) => text("temperature", props, { min: 0, max: 2, step: 0.1, placeholder: "the model's own" })}<//>
    <${Field} label="Tokens of the answer, at most" error=${faultOf(error, "maxTokens")}>${(props) => text("maxTokens", props, { min: 1, placeholder: "the tenant's own" })}<//>
    <div class="wide"><label class="check"><input type="checkbox" checked=${value.tools} onChange=${set("tools")} /> Let the model use all of the tenant's tools for chats</label></div>
    <div class="wide"><${JsonField} label="Filter of the documents" hint=${html`A JSON object, such as <code>{"source": "handbook"}</code>. Only with answers from documents.`} value=${value.filter} onInput=${(filter) => change({ ...value, filter })} error=${wrong ?? faultOf(error, "rag.filter")} rows=${2} /></div>
    <div class="wide"><${Field} label="Instructions" hint="Stand before the conversation, after the tenant's own." error=${faultOf(error, "system")}>
      ${(props) => html`<textarea ...${props} rows="2" value=${value.system} onInput=${set("system")}></textarea>`}<//></div>
  </div>`;
}
