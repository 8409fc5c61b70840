// The API as the console asks it: with the session's key, failures as ApiError, streams as events.
import { queryOf } from "./router.js";
import { readEvents } from "./sse.js";

/** ApiError is what the API, or the way there, had to say. `hint` is the next step. */
export class ApiError extends Error {
  constructor({ status = 0, code = "unreachable", message, details = {}, traceId = "", requestId = "" }) {
    super(message);
    Object.assign(this, { name: "ApiError", status, code, details, hint: details.hint ?? "", field: details.field ?? "", traceId, requestId });
  }
}

// Who asks. session.js sets it, and is told when the key is refused.
let caller = { key: "", tenant: "" };
let refused = () => {};
let during = new AbortController(); // while it is the same one who asks

/** identify sets whose requests these are, and who is told when their key is not good any more. What was asked for another one is ended. */
export function identify(next, whenRefused = () => {}) {
  during.abort();
  during = new AbortController();
  caller = next;
  refused = whenRefused;
}

/** get, post and del answer the data of the envelope. */
export const get = (path, options) => ask("GET", path, options);
export const post = (path, body, options) => ask("POST", path, { ...options, body });
export const del = (path, options) => ask("DELETE", path, options);

/** ask sends a request and answers its data; `query` leaves out what is empty. */
async function ask(method, path, options) {
  return (await envelope(await send(method, path, options))).data;
}

/** blob answers what is no JSON, such as a sound or an export. */
export const blob = async (path, options) => (await send("GET", path, options)).blob();

/** stream sends a request whose answer is a stream of events: {response, events}. Who follows again sends `lastEventId`. */
export async function stream(method, path, { lastEventId, headers, ...options } = {}) {
  const resume = lastEventId ? { "last-event-id": lastEventId } : {};
  const response = await send(method, path, { ...options, headers: { accept: "text/event-stream", ...resume, ...headers } });
  return { response, events: readEvents(response) };
}

/** send answers the response of a success; anything else is an ApiError. `as` asks for somebody else than the session's: {key, tenant}. */
export async function send(method, path, { body, query, headers, signal, as = caller } = {}) {
  const until = untilOf(signal), sent = headersOf(as, headers);
  const plain = body !== undefined && !(body instanceof Blob) && typeof body !== "string";
  if (plain && !sent.has("content-type")) sent.set("content-type", "application/json");
  const cache = method === "GET" ? "no-store" : "default"; // which adds Cache-Control: no-cache, and a search would be made anew each time
  let response;
  try {
    response = await fetch(path + queryOf(query), { method, headers: sent, body: plain ? JSON.stringify(body) : body, signal: until, cache, credentials: "omit", redirect: "error" });
  } catch (error) {
    throw until.aborted ? error : unreachable();
  }
  return success(response, as);
}

/** upload sends a body that takes its time: `progress` is called with the part of it that has gone, 0 to 1. It answers data. */
export async function upload(path, body, { headers, progress, signal }) {
  const asked = caller, until = untilOf(signal);
  const response = await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has gone
    request.open("POST", path);
    for (const [name, value] of headersOf(asked, headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onabort = () => reject(until.reason);
    request.onerror = () => reject(unreachable());
    request.onload = () => resolve(new Response(request.responseText, { status: request.status, headers: { "x-request-id": request.getResponseHeader("x-request-id") ?? "" } }));
    until.addEventListener("abort", () => request.abort());
    request.send(body);
  });
  return (await envelope(await success(response, asked))).data;
}

/** untilOf ends what is asked when the page is left, and when it is another one who asks. */
const untilOf = (signal) => AbortSignal.any([during.signal, ...(signal ? [signal] : [])]);

function headersOf({ key, tenant }, headers) {
  const sent = new Headers(headers);
  if (key) sent.set("authorization", `Bearer ${key}`);
  if (tenant) sent.set("x-tenant-id", tenant);
  return sent;
}

const unreachable = () => new ApiError({ message: "the platform does not answer", details: { hint: "look whether it runs and whether this machine is online, and try again" } });

/** success is a response that is one. Else its failure is thrown, and who is signed in is told of a key that is refused. */
async function success(response, asked) {
  if (response.ok) return response;
  const failure = await failureOf(response);
  if (failure.code === "unauthorized" && asked === caller) refused(failure);
  throw failure;
}

async function envelope(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError({ status: response.status, code: "no_json", message: "the answer is not what the API promises", requestId: response.headers.get("x-request-id") ?? "" });
  }
}

/** failureOf reads a failure; what stands between may answer with something else than the API would. */
async function failureOf(response) {
  const requestId = response.headers.get("x-request-id") ?? "";
  try {
    const { error } = await response.json();
    return new ApiError({ status: response.status, requestId, ...error });
  } catch {
    return new ApiError({ status: response.status, code: `status_${response.status}`, message: `the answer is status ${response.status}, and says nothing else`, requestId });
  }
}
