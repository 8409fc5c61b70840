import { connect } from "cloudflare:sockets";
import { WorkerEntrypoint } from "cloudflare:workers";

// Vectorize is a Vectorize binding: the index is named by the binding's props,
// { index }. env.LOCALVEC is the server, env.LOCALVEC_ADDRESS where it listens. Vectors
// travel as bytes, in frames: infra/dev/localvec/frame.go describes them.
//
// https://developers.cloudflare.com/vectorize/reference/client-api/
export class Vectorize extends WorkerEntrypoint {
  async describe() {
    const response = await this.#send("INDEX_GET", "");
    return response.json();
  }

  insert(vectors) {
    return this.#write("VECTOR_INSERT", "/insert", vectors);
  }

  upsert(vectors) {
    return this.#write("VECTOR_UPSERT", "/upsert", vectors);
  }

  query(vector, options = {}) {
    return this.#query(options, [vector]);
  }

  queryById(vectorId, options = {}) {
    return this.#query({ ...options, vectorId }, []);
  }

  async getByIds(ids) {
    const response = await this.#send("VECTOR_GET", "/getByIds", frame({ ids }, []));
    const [found, values] = await unframe(response);
    return found.map((vector, i) => ({ ...vector, values: values(i, found.length) }));
  }

  async deleteByIds(ids) {
    const response = await this.#send("VECTOR_DELETE", "/deleteByIds", frame({ ids }, []));
    return response.json();
  }

  async #write(operation, path, vectors) {
    const heads = vectors.map(({ values, ...head }) => ({ ...head, dimensions: values.length }));
    const response = await this.#send(operation, path, frame({ vectors: heads }, vectors.map((v) => v.values)));
    return response.json();
  }

  async #query(options, vectors) {
    const response = await this.#send("VECTOR_QUERY", "/query", frame(options, vectors));
    const [answer, values] = await unframe(response);
    if (options?.returnValues) {
      answer.matches.forEach((match, i) => (match.values = values(i, answer.count)));
    }
    return answer;
  }

  async #send(operation, path, body) {
    const at = `/indexes/${encodeURIComponent(this.ctx.props.index)}${path}`;
    const response = await (body?.byteLength > piece
      ? post(this.env.LOCALVEC_ADDRESS, at, body)
      : this.env.LOCALVEC.fetch(`http://localvec${at}`, body && { method: "POST", body }));
    if (response.ok) return response;
    const { code, error } = await response.json();
    throw new Error(`${operation}_ERROR (code = ${code}): ${error}`, { cause: new Error(error) });
  }
}

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() };

// piece is what workerd's HTTP client writes of a body at a time. Each takes a turn of the
// loop that all Workers share, so on a busy platform a body of 20 pieces takes seconds.
const piece = 8192;

// post is fetch by hand: a socket takes the whole request at once.
async function post(address, path, body) {
  const socket = connect(address);
  const head = text.encoder.encode(`POST ${path} HTTP/1.0\r\nContent-Length: ${body.byteLength}\r\n\r\n`);
  const request = new Uint8Array(head.length + body.byteLength);
  request.set(head);
  request.set(new Uint8Array(body), head.length);
  const writer = socket.writable.getWriter();
  const [answer] = await Promise.all([new Response(socket.readable).bytes(), writer.write(request)]);
  const status = text.decoder.decode(answer.subarray(0, 12)); // HTTP/1.0 200
  const blank = answer.findIndex((_, i) => [13, 10, 13, 10].every((byte, k) => answer[i + k] === byte));
  if (blank < 0) throw new Error("localvec: its answer is torn");
  return new Response(answer.subarray(blank + 4), { status: Number(status.slice(-3)) });
}

// frame joins JSON and vectors: numbers or a Float32Array each.
function frame(header, vectors) {
  const json = text.encoder.encode(JSON.stringify(header));
  const padded = (json.length + 3) & ~3;
  const numbers = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const buffer = new ArrayBuffer(4 + padded + 4 * numbers);
  new DataView(buffer).setUint32(0, padded, true);
  new Uint8Array(buffer, 4, padded).fill(0x20).set(json);
  const block = new Float32Array(buffer, 4 + padded);
  let at = 0;
  for (const vector of vectors) {
    block.set(vector, at);
    at += vector.length;
  }
  return buffer;
}

// unframe answers the JSON, and a function from i of n to vector i.
async function unframe(response) {
  const buffer = await response.arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(text.decoder.decode(new Uint8Array(buffer, 4, length)));
  const block = new Float32Array(buffer, 4 + length);
  // A copy each, because the whole block would cross to the caller with every view.
  return [header, (i, n) => block.slice((i * block.length) / n, ((i + 1) * block.length) / n)];
}
