// A writer of V8's serialization format, version 15, for messages of content type v8:
// workerd reads the format but offers no writer to JavaScript. Regular expressions,
// errors and wrapper objects, which production also takes, are refused here.
//
// The format: https://github.com/v8/v8/blob/main/src/objects/value-serializer.cc
const header = [0xff, 15];

/** serialize returns a value's bytes, or throws a DataCloneError. */
export function serialize(value) {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes();
}

const utf8 = new TextEncoder();

const views = new Map([
  [Int8Array, "b"], [Uint8Array, "B"], [Uint8ClampedArray, "C"], [Int16Array, "w"], [Uint16Array, "W"], [Int32Array, "d"],
  [Uint32Array, "D"], [Float32Array, "f"], [Float64Array, "F"], [BigInt64Array, "q"], [BigUint64Array, "Q"], [DataView, "?"],
]);

class Writer {
  #buffer = new Uint8Array(1024);
  #length = 0;
  #ids = new Map(); // of the objects that were written, for references to them

  constructor() {
    this.#raw(header);
  }

  bytes() {
    return this.#buffer.slice(0, this.#length);
  }

  value(v) {
    switch (typeof v) {
      case "undefined":
        return this.#tag("_");
      case "boolean":
        return this.#tag(v ? "T" : "F");
      case "number":
        return this.#number(v);
      case "bigint":
        return this.#bigint(v);
      case "string":
        return this.#string(v);
      case "object":
        return v === null ? this.#tag("0") : this.#object(v);
      default:
        throw uncloneable(v);
    }
  }

  #number(v) {
    if (!Number.isInteger(v) || Object.is(v, -0) || Math.abs(v) >= 2 ** 30) return this.#double("N", v);
    this.#tag("I");
    this.#varint(v < 0 ? -2 * v - 1 : 2 * v);
  }

  #bigint(v) {
    const digits = [];
    for (let rest = v < 0n ? -v : v; rest > 0n; rest >>= 64n) {
      for (let shift = 0n; shift < 64n; shift += 8n) digits.push(Number((rest >> shift) & 0xffn));
    }
    this.#tag("Z");
    this.#varint(digits.length * 2 + (v < 0n ? 1 : 0));
    this.#raw(digits);
  }

  #string(v) {
    const units = Uint16Array.from({ length: v.length }, (_, i) => v.charCodeAt(i));
    if (units.every((u) => u < 0x100)) {
      this.#tag('"');
      this.#varint(units.length);
      return this.#raw(units);
    }
    const head = 1 + varintBytes(units.byteLength);
    if ((this.#length + head) % 2 === 1) this.#raw([0]); // two-byte characters are aligned
    this.#tag("c");
    this.#varint(units.byteLength);
    this.#raw(new Uint8Array(units.buffer));
  }

  #object(v) {
    if (ArrayBuffer.isView(v) && !this.#ids.has(v)) this.#object(v.buffer);
    if (this.#ids.has(v)) {
      this.#tag("^");
      return this.#varint(this.#ids.get(v));
    }
    this.#ids.set(v, this.#ids.size);
    if (Array.isArray(v)) return this.#array(v);
    if (v instanceof Date) return this.#double("D", v.getTime());
    if (v instanceof Map) return this.#all(";", [...v].flat(), ":");
    if (v instanceof Set) return this.#all("'", [...v], ",");
    if (v instanceof ArrayBuffer) {
      this.#tag("B");
      this.#varint(v.byteLength);
      return this.#raw(new Uint8Array(v));
    }
    if (ArrayBuffer.isView(v)) return this.#view(v);
    if (![Object.prototype, null].includes(Object.getPrototypeOf(v))) throw uncloneable(v);
    this.#all("o", Object.entries(v).flat(), "{", Object.keys(v).length);
  }

  #all(open, values, close, count = values.length) {
    this.#tag(open);
    for (const v of values) this.value(v);
    this.#tag(close);
    this.#varint(count);
  }

  #array(v) {
    this.#tag("A");
    this.#varint(v.length);
    for (let i = 0; i < v.length; i++) {
      if (i in v) this.value(v[i]);
      else this.#tag("-");
    }
    this.#tag("$");
    this.#varint(0);
    this.#varint(v.length);
  }

  #view(v) {
    const kind = views.get(v.constructor);
    if (!kind) throw uncloneable(v);
    this.#tag("V");
    this.#tag(kind);
    for (const n of [v.byteOffset, v.byteLength, 0]) this.#varint(n);
  }

  #double(tag, v) {
    this.#tag(tag);
    this.#raw(new Uint8Array(Float64Array.of(v).buffer));
  }

  #varint(n) {
    for (; n > 0x7f; n = Math.floor(n / 0x80)) this.#raw([(n % 0x80) | 0x80]);
    this.#raw([n]);
  }

  #tag(c) {
    this.#raw(utf8.encode(c));
  }

  #raw(bytes) {
    if (this.#length + bytes.length > this.#buffer.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

function varintBytes(n) {
  let count = 1;
  for (; n > 0x7f; n = Math.floor(n / 0x80)) count++;
  return count;
}

function uncloneable(v) {
  return new DOMException(`${Object.prototype.toString.call(v)} could not be cloned.`, "DataCloneError");
}
