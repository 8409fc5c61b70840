// The bytes of a message body, one function each way for each content type.
import { serialize } from "./v8.mjs";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** encode returns a body's bytes, or throws the TypeError that production throws. */
export function encode(body, contentType) {
  if (body === undefined) throw new TypeError("Message body cannot be undefined");
  switch (contentType) {
    case "json":
      return encoder.encode(json(body));
    case "text":
      if (typeof body !== "string") throw mismatch("text", "string", body);
      return encoder.encode(body);
    case "bytes":
      if (!ArrayBuffer.isView(body)) throw mismatch("bytes", "ArrayBufferView", body);
      return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
    case "v8":
      return serialize(body);
    default:
      throw new TypeError(`Unsupported queue message content type: ${contentType}`);
  }
}

function json(body) {
  const text = JSON.stringify(body);
  if (text === undefined) throw new TypeError(`Message body of type ${typeof body} cannot be serialized as JSON`);
  return text;
}

function mismatch(contentType, wanted, body) {
  return new TypeError(`Content Type "${contentType}" requires a value of type ${wanted}, but received: ${typeof body}`);
}

/** decode returns the part of a message that carries the body, as Fetcher.queue takes it. */
export function decode(bytes, contentType) {
  switch (contentType) {
    case "json":
      return { body: JSON.parse(decoder.decode(bytes)) };
    case "text":
      return { body: decoder.decode(bytes) };
    case "bytes":
      return { body: new Uint8Array(bytes).slice().buffer };
    default:
      return { serializedBody: bytes };
  }
}
