// Arguments of send that JSON cannot carry, by name.
const shared = { again: true };

export const bodies = {
  undefined: () => [undefined],
  bigint: () => [1n],
  bytes: () => [Uint8Array.of(0, 255, 7).subarray(1), { contentType: "bytes" }],
  function: () => [{ f() {} }, { contentType: "v8" }],
  regexp: () => [/x/, { contentType: "v8" }],
  date: () => [{ at: new Date(0), none: undefined }],
  v8: () => [v8(), { contentType: "v8" }],
};

function v8() {
  const numbers = [0, -1, 2 ** 30, -(2 ** 30) - 1, 0.5, -0, NaN, Infinity];
  const texts = ["", "é", "日本", "a日本", "x".repeat(300)];
  const sparse = [1, , 3];
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  return {
    numbers, texts, sparse, shared, again: shared, none: undefined, nil: null, yes: true,
    big: [0n, -5n, 2n ** 70n], at: new Date(1e12), map: new Map([["k", { v: 1 }]]), set: new Set([1, "2"]),
    buffer, view: new Uint16Array(buffer, 2, 1), 7: "seven",
  };
}

/** tell describes a body that arrived, with its types, as JSON can carry it. */
export function tell(v) {
  if (v === undefined) return "<undefined>";
  if (typeof v === "bigint") return `<${v}n>`;
  if (typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0))) return Object.is(v, -0) ? "<-0>" : `<${v}>`;
  if (v === null || typeof v !== "object") return v;
  if (v instanceof Date) return `<date ${v.toISOString()}>`;
  if (v instanceof ArrayBuffer) return `<buffer ${new Uint8Array(v)}>`;
  if (ArrayBuffer.isView(v)) return `<${v.constructor.name} ${v} at ${v.byteOffset}>`;
  if (v instanceof Map) return { map: tell([...v]) };
  if (v instanceof Set) return { set: tell([...v]) };
  if (Array.isArray(v)) return Array.from(v, (x, i) => (i in v ? tell(x) : "<hole>"));
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, tell(x)]));
}
