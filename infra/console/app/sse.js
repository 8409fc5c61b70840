// Server-sent events of a fetch: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
// EventSource cannot send a key, nor a body.

/** readEvents yields {event, data, id} of a response until it ends. An event that the end cuts short is none. */
export async function* readEvents(response) {
  const lines = new Lines();
  let event = "", data = [], id = "";
  for await (const text of texts(response.body)) {
    for (const line of lines.take(text)) {
      if (line === "") {
        if (data.length) yield { event: event || "message", data: data.join("\n"), id };
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "event") event = value;
      else if (name === "data") data.push(value);
      else if (name === "id" && !value.includes("\0")) id = value;
    }
  }
}

/** texts decodes a body. A reader that stops early gives the connection back. */
async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Lines cuts a text that comes in pieces; a line ends with CRLF, LF or CR, and the pair may be divided. */
class Lines {
  #rest = "";
  #afterCR = false;

  take(text) {
    if (this.#afterCR && text.startsWith("\n")) text = text.slice(1);
    if (text) this.#afterCR = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop();
    return lines;
  }
}
