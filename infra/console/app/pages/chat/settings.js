import { html } from "../../ui.js";
import { send } from "../../api.js";
import { useAsk } from "../../parts/ask.js";
import { Choice } from "../../parts/choice.js";
import { Field, faultOf } from "../../parts/field.js";
import { Input } from "../../parts/input.js";
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
  const set = (name) => (next) => change({ ...value, [name]: next });
  const amount = (name, field, label, more) => html`<${Input} label=${label} error=${faultOf(error, field)} type="number" inputmode="decimal" value=${value[name]} change=${set(name)} ...${more} />`;
  return html`<div class="settings">
    <${Choice} label="Model" none="the tenant's own" error=${faultOf(error, "modelId")} options=${models} value=${value.model} change=${set("model")} />
    ${amount("topK", "rag.topK", "Sources, at most", { min: 1, max: 50, placeholder: "the tenant's own", disabled: !value.grounded })}
    ${amount("temperature", "temperature", "Temperature", { min: 0, max: 2, step: 0.1, placeholder: "the model's own" })}
    ${amount("maxTokens", "maxTokens", "Tokens of the answer, at most", { min: 1, placeholder: "the tenant's own" })}
    <div class="wide"><label class="check"><input type="checkbox" checked=${value.tools} onChange=${(e) => set("tools")(e.target.checked)} /> Let the model use all of the tenant's tools for chats</label></div>
    <div class="wide"><${JsonField} label="Filter of the documents" hint=${html`A JSON object, such as <code>{"source": "handbook"}</code>. Only with answers from documents.`} value=${value.filter} onInput=${set("filter")} error=${wrong ?? faultOf(error, "rag.filter")} rows=${2} /></div>
    <div class="wide"><${Field} label="Instructions" hint="Stand before the conversation, after the tenant's own." error=${faultOf(error, "system")}>
      ${(props) => html`<textarea ...${props} rows="2" value=${value.system} onInput=${(e) => set("system")(e.target.value)}></textarea>`}<//></div>
  </div>`;
}
