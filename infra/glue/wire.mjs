// The frame format of calls between Go and JavaScript; the Go half is
// infra/cloudflare/isolate/wire, whose doc.go describes the bytes.
const NULL = 0, FALSE = 1, TRUE = 2, INT32 = 3, INT64 = 4, FLOAT64 = 5, STRING = 6, BYTES = 7, JSON_ = 8, FLOAT32S = 9, LIST = 10;

const utf8 = new TextEncoder(), text = new TextDecoder();

// Below this length a loop over ASCII beats a call of TextDecoder or TextEncoder.
const SHORT = 24;

/** decodeText reads UTF-8. */
export function decodeText(u8, p, n) {
  if (n <= SHORT) {
    let s = "";
    for (let i = p, end = p + n; i < end; i++) {
      const c = u8[i];
      if (c >= 0x80) return text.decode(u8.subarray(p, end));
      s += String.fromCharCode(c);
    }
    return s;
  }
  return text.decode(u8.subarray(p, p + n));
}

/** decode returns the values of the frame at [p, p + n). Bytes are copies, so the frame's memory may change afterwards. */
export function decode(u8, view, p, n) {
  const out = [], end = p + n;
  at = p;
  while (at < end) out.push(value(u8, view));
  return out;
}

let at = 0; // read position

function value(u8, view) {
  switch (u8[at++]) {
    case NULL: return null;
    case FALSE: return false;
    case TRUE: return true;
    case INT32: at += 4; return view.getInt32(at - 4, true);
    case INT64: {
      at += 8;
      const v = view.getBigInt64(at - 8, true), f = Number(v);
      return Number.isSafeInteger(f) ? f : v;
    }
    case FLOAT64: at += 8; return view.getFloat64(at - 8, true);
    case STRING: { const n = size(view); return decodeText(u8, at - n, n); }
    case BYTES: { const n = size(view); return u8.slice(at - n, at); }
    case JSON_: { const n = size(view); return JSON.parse(text.decode(u8.subarray(at - n, at))); }
    case FLOAT32S: {
      const n = view.getUint32(at, true) * 4;
      at += 4 + n;
      return new Float32Array(u8.slice(at - n, at).buffer);
    }
    case LIST: {
      const n = view.getUint32(at, true), l = new Array(n);
      at += 4;
      for (let i = 0; i < n; i++) l[i] = value(u8, view);
      return l;
    }
  }
  throw new Error("wire: unknown tag " + u8[at - 1]);
}

function size(view) {
  const n = view.getUint32(at, true);
  at += 4 + n;
  return n;
}

class Json { constructor(text) { this.text = text; } }

/** json marks a value that crosses as JSON, whatever it is. */
export function json(v) { return new Json(JSON.stringify(v) ?? "null"); }

/** Frame builds a frame; one is enough for an isolate, because it is always emptied before anybody else runs. */
export class Frame {
  constructor() {
    this.u8 = new Uint8Array(64 << 10);
    this.view = new DataView(this.u8.buffer);
    this.n = 0;
  }

  reset() {
    if (this.u8.length > 4 << 20) { this.u8 = new Uint8Array(64 << 10); this.view = new DataView(this.u8.buffer); }
    this.n = 0;
    return this;
  }

  room(n) {
    if (this.n + n <= this.u8.length) return;
    let size = this.u8.length;
    while (size < this.n + n) size *= 2;
    const old = this.u8;
    this.u8 = new Uint8Array(size);
    this.u8.set(old.subarray(0, this.n));
    this.view = new DataView(this.u8.buffer);
  }

  add(v) {
    switch (typeof v) {
      case "string": this.string(STRING, v); return this;
      case "number": this.number(v); return this;
      case "boolean": this.room(1); this.u8[this.n++] = v ? TRUE : FALSE; return this;
      case "bigint": this.room(9); this.u8[this.n] = INT64; this.view.setBigInt64(this.n + 1, v, true); this.n += 9; return this;
      case "object": if (v !== null) { this.object(v); return this; }
    }
    this.room(1);
    this.u8[this.n++] = NULL;
    return this;
  }

  number(v) {
    this.room(9);
    if (v === (v | 0) && (v !== 0 || 1 / v > 0)) {
      this.u8[this.n] = INT32;
      this.view.setInt32(this.n + 1, v, true);
      this.n += 5;
      return;
    }
    this.u8[this.n] = FLOAT64;
    this.view.setFloat64(this.n + 1, v, true);
    this.n += 9;
  }

  object(v) {
    if (v instanceof Uint8Array) return this.bytes(v);
    if (v instanceof ArrayBuffer) return this.bytes(new Uint8Array(v));
    if (v instanceof Float32Array) return this.vector(v);
    if (v instanceof Json) return this.string(JSON_, v.text);
    if (Array.isArray(v)) {
      this.list(v.length);
      for (const x of v) this.add(x);
      return;
    }
    if (v instanceof Date) return this.number(v.getTime());
    if (ArrayBuffer.isView(v)) return this.bytes(new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
    this.json(v);
  }

  json(v) { this.string(JSON_, JSON.stringify(v) ?? "null"); }

  list(n) { this.head(LIST, n, 0); }

  bytes(v) {
    this.head(BYTES, v.length, v.length);
    this.u8.set(v, this.n);
    this.n += v.length;
  }

  vector(v) {
    this.head(FLOAT32S, v.length, v.byteLength);
    this.u8.set(new Uint8Array(v.buffer, v.byteOffset, v.byteLength), this.n);
    this.n += v.byteLength;
  }

  head(tag, n, room) {
    this.room(5 + room);
    this.u8[this.n] = tag;
    this.view.setUint32(this.n + 1, n, true);
    this.n += 5;
  }

  string(tag, s) {
    this.room(5 + s.length * 3);
    const start = this.n + 5, n = encodeText(s, this.u8, start);
    this.u8[this.n] = tag;
    this.view.setUint32(this.n + 1, n, true);
    this.n = start + n;
  }

  done() { return this.u8.subarray(0, this.n); }
}

/** encodeText writes s as UTF-8 at p, where at least three bytes a character are free, and returns the length. */
export function encodeText(s, u8, p) {
  if (s.length <= SHORT) {
    let i = 0;
    for (; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c >= 0x80) break;
      u8[p + i] = c;
    }
    if (i === s.length) return i;
  }
  return utf8.encodeInto(s, u8.subarray(p, p + s.length * 3)).written;
}
