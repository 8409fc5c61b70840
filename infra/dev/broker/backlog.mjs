// What of the backlog is kept in memory beyond the batches in flight.
const windowCount = 500;
const windowBytes = 4_000_000;

// Backlog is the messages of one queue in SQLite. A row stays until its message is
// settled, so what was in flight when the process died is due again in the next one.
//
// Rows are read once, in the order in which they become due. The cursor is the last
// one read, and whatever is written later is written after it: then a message is in
// one place only, behind the cursor on disk, in the window, or with its taker.
export class Backlog {
  #storage;
  #sql;
  #seq; // of the message that was written last
  #count;
  #bytes;
  #window = []; // due messages that were read and not taken
  #windowBytes = 0;
  #cursor = { due: 0, seq: 0 };
  #next; // when the first row after the cursor is due

  constructor(storage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS messages (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, timestamp INTEGER NOT NULL, due INTEGER NOT NULL,
        attempts INTEGER NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL, bytes BLOB NOT NULL);
      CREATE INDEX IF NOT EXISTS messages_due ON messages (due, seq, size);`);
    this.#recount();
  }

  get count() {
    return this.#count;
  }

  /** waiting is how many messages could be taken now, as far as they are in memory. */
  get waiting() {
    return this.#window.length;
  }

  /** since is when the first message that waits became due, or Infinity. */
  get since() {
    return this.#window[0]?.due ?? Infinity;
  }

  /** next is when a message that is not in memory becomes due, or Infinity. */
  get next() {
    return this.#next;
  }

  /** metrics counts every message that is not settled: delayed ones and those in flight too. */
  metrics() {
    const [first] = this.#sql.exec("SELECT timestamp FROM messages ORDER BY seq LIMIT 1");
    const oldest = first && { oldestMessageTimestamp: new Date(first.timestamp) };
    return { backlogCount: this.#count, backlogBytes: this.#bytes, ...oldest };
  }

  /** add stores all messages or none. */
  add(messages, now) {
    const rows = messages.map((m, i) => ({
      seq: this.#seq + 1 + i,
      id: m.id ?? crypto.randomUUID().replaceAll("-", ""),
      timestamp: m.timestamp ?? now,
      due: Math.max(now, this.#cursor.due) + (m.delayMs ?? 0),
      attempts: 0,
      type: m.contentType,
      bytes: m.bytes,
    }));
    this.#storage.transactionSync(() => {
      for (const { seq, id, timestamp, due, attempts, type, bytes } of rows) {
        this.#sql.exec("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seq, id, timestamp, due, attempts, bytes.byteLength, type, bytes);
      }
    });
    for (const row of rows) {
      this.#seq = row.seq;
      this.#count++;
      this.#bytes += row.bytes.byteLength;
      this.#place(row, now);
    }
  }

  // place puts a new row into the window, if it is the next one that reading would find.
  #place(row, now) {
    if (row.due <= now && this.#next > now && this.#hasRoom()) this.#push(row);
    else this.#next = Math.min(this.#next, row.due);
  }

  #push(row) {
    this.#window.push(row);
    this.#windowBytes += row.bytes.byteLength;
    this.#cursor = { due: row.due, seq: row.seq };
  }

  #hasRoom() {
    return this.#window.length < windowCount && this.#windowBytes < windowBytes;
  }

  /** fill reads what is due until n messages or more wait, or none is left. */
  fill(n, now) {
    if (this.#window.length >= n || this.#next > now) return;
    const { due, seq } = this.#cursor;
    const rows = this.#sql.exec(
      "SELECT seq, id, timestamp, due, attempts, type, bytes FROM messages WHERE (due, seq) > (?, ?) AND due <= ? ORDER BY due, seq LIMIT ?",
      due, seq, now, windowCount);
    for (const row of rows) {
      this.#push({ ...row, bytes: new Uint8Array(row.bytes) });
      if (!this.#hasRoom() && this.#window.length >= n) break;
    }
    this.#look();
  }

  #look() {
    const [first] = this.#sql.exec("SELECT due FROM messages WHERE (due, seq) > (?, ?) ORDER BY due, seq LIMIT 1", this.#cursor.due, this.#cursor.seq);
    this.#next = first?.due ?? Infinity;
  }

  /** take removes up to n messages from the window, the ones that waited longest or any. */
  take(n, anyOrder) {
    const taken = [];
    for (let left = Math.min(n, this.#window.length); left > 0; left--) {
      const at = anyOrder ? Math.floor(Math.random() * this.#window.length) : 0;
      const [message] = this.#window.splice(at, 1);
      this.#windowBytes -= message.bytes.byteLength;
      taken.push(message);
    }
    return taken;
  }

  /** repeat lets a message be taken once more. What becomes of the copy changes nothing. */
  repeat(message, now) {
    this.#window.push({ ...message, due: now, copy: true });
    this.#windowBytes += message.bytes.byteLength;
  }

  /** settle removes the messages that are done, and lets the others be due again after their delay: one transaction. */
  settle(done, again, now) {
    let gone = [];
    this.#storage.transactionSync(() => {
      if (done.length > 0) {
        const seqs = JSON.stringify(done.map((m) => m.seq));
        gone = this.#sql.exec("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?)) RETURNING size", seqs).toArray();
      }
      for (const { message, delayMs } of again) {
        const due = Math.max(now + delayMs, this.#cursor.due + 1);
        this.#sql.exec("UPDATE messages SET due = ?, attempts = ? WHERE seq = ?", due, message.attempts + 1, message.seq);
        this.#next = Math.min(this.#next, due);
      }
    });
    this.#count -= gone.length;
    this.#bytes -= gone.reduce((sum, { size }) => sum + size, 0);
  }

  /** peek returns the first rows in the order of arrival. */
  peek(limit) {
    return this.#sql.exec("SELECT id, timestamp, due, attempts, type, bytes FROM messages ORDER BY seq LIMIT ?", limit).toArray();
  }

  /** purge removes everything, also what is in flight. */
  purge() {
    const count = this.#count;
    this.#sql.exec("DELETE FROM messages");
    this.#window = [];
    this.#windowBytes = 0;
    this.#count = this.#bytes = 0;
    this.#next = Infinity;
    return count;
  }

  #recount() {
    const { count, bytes, seq, next } = this.#sql.exec(
      "SELECT count(*) AS count, ifnull(sum(size), 0) AS bytes, ifnull(max(seq), 0) AS seq, min(due) AS next FROM messages INDEXED BY messages_due").one();
    this.#count = count;
    this.#bytes = bytes;
    this.#seq = seq;
    this.#next = next ?? Infinity;
  }
}
