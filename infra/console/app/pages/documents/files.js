// Files as documents: their ids, their types, and the lines of a batch.

const types = { md: "text/markdown", markdown: "text/markdown", txt: "text/plain", html: "text/html", htm: "text/html", csv: "text/csv", tsv: "text/tab-separated-values", json: "application/json", pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document", pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation" };

/** chosen makes documents of files; an id is what of a name may be one, and no two are the same. */
export function chosen(files, before = []) {
  const taken = new Set(before.map((d) => d.docId));
  return [...before, ...[...files].map((file) => {
    const docId = idOf(file.webkitRelativePath || file.name, taken);
    taken.add(docId);
    return { file, docId, title: file.name };
  })];
}

function idOf(name, taken) {
  const [, stem, end] = /^(.*?)(\.[A-Za-z0-9]{1,8})?$/s.exec(name.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9._~:/@+=,-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(-240) || "file");
  for (let n = 1; ; n++) {
    const id = `${stem || "file"}${n > 1 ? `-${n}` : ""}${end ?? ""}`;
    if (!taken.has(id)) return id;
  }
}

/** lines is the documents as the body of a batch, a line each. `read` is called with how many were read. What is read leaves memory again. */
export async function lines(documents, common, read) {
  const parts = [];
  for (const [i, { file, docId, title }] of documents.entries()) {
    const line = { docId: common.prefix + docId, title, contentType: typeOf(file), ...(common.source && { source: common.source }), base64: await base64(file) };
    parts.push(new Blob([JSON.stringify(line), "\n"]));
    read(i + 1);
  }
  return new Blob(parts);
}

/** typeOf is a file's type by its name; what is not known is found out from the bytes. */
const typeOf = (file) => types[file.name.split(".").pop().toLowerCase()] ?? "application/octet-stream";

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
